"""GradBench's problems in plain NumPy, and a tool that speaks GradBench's protocol: `python -m benchmarks.gradbench`.

GradBench (https://github.com/gradbench/gradbench) is a benchmark of tools for automatic differentiation: programs that
answer an evaluation's questions in JSON lines. `protocol.py` answers them; each problem has a file of its own, written
as a user of NumPy writes it; `comparison.py` does the same problems on inputs of our own beside JAX and PyTorch.
"""
