"""What can be computed. A gate and its function live in one module here and nowhere else; importing it registers it."""

from gategrad.gates import activation as activation
from gategrad.gates import arithmetic as arithmetic
from gategrad.gates import comparison as comparison
from gategrad.gates import exponential as exponential
from gategrad.gates import trigonometry as trigonometry
