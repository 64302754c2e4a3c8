"""scipy.signal: convolution along several axes, filters. Imported by those who name `gategrad.scipy.signal`, since SciPy is heavy."""

from gategrad.gates.signals import convolution as convolution
from gategrad.gates.signals import filters as filters
