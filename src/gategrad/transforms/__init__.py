"""Functions of functions: each takes a function and derives another."""
