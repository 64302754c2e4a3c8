"""Ours and others, timed in one interleaved run after their results have been compared: `python -m benchmarks NAME`.

Each benchmark has a file of its own with a `BENCHMARK` in it; `catalogue.py` lists them, `harness.py` measures,
`report.py` prints.
"""
