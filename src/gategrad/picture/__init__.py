"""Pictures of circuits: in the terminal, as SVG, and as a page that steps through both passes.

The way of a picture: `replay` computes the circuit once more and makes the `model`, `names` labels its wires, `fold`
decides what is drawn as one box; then `text`, `svg` and `html` draw. `words` and `rule` say what each gate does.
"""

from gategrad.picture.circuit import Circuit as Circuit
from gategrad.picture.circuit import circuit as circuit
