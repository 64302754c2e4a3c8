"""Solutions of equations, minima, integrals and differential equations: SciPy finds them, implicit rules differentiate them."""
