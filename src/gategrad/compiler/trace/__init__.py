"""Tracing: running a function on symbols, which write a program instead of computing."""
