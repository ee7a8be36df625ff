"""The one thing that a demo backend can really work out: a sum in the prompt, such as `17 + 25`."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

LONGEST: Final = 60
"""Characters of a sum that is worked out."""
_SUM: Final = re.compile(rf"(?<![\w.])[(\d][\d\s.()+\-*/x\u00d7\u00f7]{{1,{LONGEST - 2}}}[\d)](?![\w.]\w)")
_SIGNS: Final = {"x": "*", "\u00d7": "*", "\u00f7": "/"}
"""Other signs that people write: x and the signs for times and divided by."""
_OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def answered(text: str) -> str | None:
    """Return `17 + 25 = 42` for the first sum in a text; None where there is none, or it has no answer."""
    for match in _SUM.finditer(text):
        written = match.group().strip()
        value = _value(written) if _is_sum(written) else None
        if value is not None:
            return f"{written} = {value:g}" if abs(value) >= 1e15 else f"{written} = {_short(value)}"
    return None


def _is_sum(written: str) -> bool:
    """Whether it reads as a sum: `2026-11-25`, `555-1234` and `1/2`, without spaces, do not."""
    return " " in written or bool(re.search(r"[+*x\u00d7\u00f7]", written))


def _value(written: str) -> float | None:
    for sign, meant in _SIGNS.items():
        written = written.replace(sign, meant)
    try:
        tree = ast.parse(written, mode="eval").body
        return _worked_out(tree) if isinstance(tree, ast.BinOp) else None
    except (SyntaxError, ValueError, ArithmeticError):  # a date, a version, a division by zero
        return None


def _worked_out(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_worked_out(node.left), _worked_out(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_worked_out(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ValueError("not a sum")


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6g}"
