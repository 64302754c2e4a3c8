"""What can be computed: each file holds gates and the functions that apply them. Importing them registers them."""

from gategrad.gates import arithmetic as arithmetic
