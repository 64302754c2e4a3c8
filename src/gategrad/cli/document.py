"""--json: everything that the command knows, for programs."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from gategrad.cli.differences import Comparison
from gategrad.cli.evaluation import Evaluation
from gategrad.picture.model import Node, Wire
from gategrad.picture.replay import local_gradients, shares
from gategrad.picture.rule import rule_lines
from gategrad.picture.words import steps

__all__ = ["document", "to_json"]


def document(
    evaluation: Evaluation, nudges: list[tuple[str, float]], comparisons: list[Comparison] | None
) -> dict[str, Any]:
    """The evaluation as dictionaries, lists, texts and numbers."""
    model = evaluation.circuit.model
    content = {
        "expression": evaluation.expression.text,
        "output": evaluation.output,
        "value": evaluation.value,
        "values": evaluation.values,
        "gradients": evaluation.gradients,
        "gates": [_gate(node) for node in model.nodes],
        "steps": [{"phase": step.phase, "gate": step.node.number, "words": step.words} for step in steps(model)],
        "notes": model.notes,
    }
    if nudges:
        content["nudges"] = [_nudge(evaluation, name, h) for name, h in nudges]
    if comparisons is not None:
        content["check"] = {
            "agrees": all(comparison.agrees for comparison in comparisons),
            "gradients": [_comparison(comparison) for comparison in comparisons],
        }
    return content


def to_json(content: Any) -> str:
    """The text; nan and the infinities, which JSON lacks, become the texts "nan", "inf" and "-inf"."""
    return json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)


def _gate(node: Node) -> dict[str, Any]:
    locals_, sent = local_gradients(node), shares(node)
    return {
        "number": node.number,
        "name": node.name,
        "symbol": node.symbol,
        "pattern": node.pattern,
        "options": {key: value if _is_simple(value) else repr(value) for key, value in node.options.items()},
        "inputs": [
            {**_wire(wire), "local_gradient": local, "receives": share}
            for wire, local, share in zip(node.inputs, locals_, sent, strict=True)
        ],
        "output": _wire(node.output),
        "backward": rule_lines(node),
    }


def _wire(wire: Wire) -> dict[str, Any]:
    return {
        "name": wire.label,
        "kind": wire.kind,
        "shape": wire.shape,
        "value": wire.value,
        "gradient": wire.gradient,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.name,
        "backward": comparison.gradient,
        "differences": comparison.measured,
        "apart": comparison.error,
        "kink": comparison.is_kink,
        "measurable": comparison.is_measurable,
        "agrees": comparison.agrees,
    }


def _nudge(evaluation: Evaluation, name: str, h: float) -> dict[str, Any]:
    nudge = evaluation.nudge(name, h)
    return {
        "name": name,
        "h": h,
        "force": nudge.force,
        "predicted": nudge.predicted,
        "actual": nudge.actual,
        "words": str(nudge),
    }


def _is_simple(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _plain(x: Any) -> Any:
    """Arrays become lists, NumPy's numbers Python's."""
    if isinstance(x, dict):
        return {key: _plain(item) for key, item in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(item) for item in x]
    if isinstance(x, (np.ndarray, np.generic)):
        return _plain(x.tolist())
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return x
