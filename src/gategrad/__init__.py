"""gategrad: backpropagation you can see, at the speed of machine code."""

import types as _types
import typing as _typing

from gategrad import gates as gates
from gategrad import native as native
from gategrad.black_box import BlackBox as BlackBox
from gategrad.check.anomaly import detect_anomaly as detect_anomaly
from gategrad.check.explain import explain as explain
from gategrad.check.gradients import check_gradients as check_gradients
from gategrad.check.kinks import kinks as kinks
from gategrad.gate import Gate as Gate
from gategrad.gates.activation import relu as relu
from gategrad.gates.activation import sigmoid as sigmoid
from gategrad.gates.activation import softplus as softplus
from gategrad.gates.loss import cross_entropy as cross_entropy
from gategrad.gates.loss import log_softmax as log_softmax
from gategrad.gates.loss import mean_squared_error as mean_squared_error
from gategrad.gates.loss import softmax as softmax
from gategrad.gates.statistics import logsumexp as logsumexp
from gategrad.kinds import Bilinear as Bilinear
from gategrad.kinds import Elementwise as Elementwise
from gategrad.kinds import Linear as Linear
from gategrad.kinds import Reduction as Reduction
from gategrad.kinds import Router as Router
from gategrad.pause import no_grad as no_grad
from gategrad.transforms.checkpoint import checkpoint as checkpoint
from gategrad.transforms.elementwise_grad import elementwise_grad as elementwise_grad
from gategrad.transforms.grad import grad as grad
from gategrad.transforms.grad import value_and_grad as value_and_grad
from gategrad.transforms.hessian import hessian as hessian
from gategrad.transforms.hessian import hvp as hvp
from gategrad.transforms.jacobian import jacobian as jacobian
from gategrad.transforms.jvp import jvp as jvp
from gategrad.transforms.linearize import linearize as linearize
from gategrad.transforms.ravel import ravel as ravel
from gategrad.transforms.spectral import spectral as spectral
from gategrad.transforms.stop_gradient import stop_gradient as stop_gradient
from gategrad.transforms.vjp import vjp as vjp
from gategrad.variable import Variable as Variable
from gategrad.variable import variable as variable

if _typing.TYPE_CHECKING:
    from gategrad.compiler.compile import compile as compile
    from gategrad.picture import circuit as circuit


def __getattr__(name: str) -> object:
    """Pictures and the compiler are imported when they are first used, so that `import gategrad` stays quick."""
    if name == "circuit":
        from gategrad.picture import circuit

        return circuit
    if name == "compile":
        from gategrad.compiler.compile import compile as compile_

        return compile_
    from gategrad.missing_names import missing_name

    raise AttributeError(missing_name(name, __dir__()))


def __dir__() -> list[str]:
    """The public names: the files of the package are none."""
    here = [name for name, x in globals().items() if name[:1] != "_" and not isinstance(x, _types.ModuleType)]
    return sorted([*here, "circuit", "compile", "errors"])
