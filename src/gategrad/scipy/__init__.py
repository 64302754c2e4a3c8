"""SciPy's names for variables: `from gategrad.scipy import special`, and so on. Re-exports only."""
