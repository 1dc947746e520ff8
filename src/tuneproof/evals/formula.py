r"""Answers that are mathematics in LaTeX, judged by value with math-verify where that package is installed.

Only its LaTeX reader is used: the one for plain expressions hands the text to Python's `eval`, and this text is a
model's. Tested with math-verify 0.9.0.

    score_formula(r"So it is $\frac{2}{4}$.", r"\boxed{\frac{1}{2}}")    # 1.0
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

# Dollar signs around a number, or around something that only a formula has: two prices in a sentence are none.
_LATEX = re.compile(
    r"\\(?:boxed|[dt]?frac|sqrt|pi|left|text|times|cdot)\b|\\\(|\\\["
    r"|\$-?\d+(?:\.\d+)?\$|\$(?=\S)[^$\n]*[\\^=][^$\n]*(?<=\S)\$"
)


def can_verify() -> bool:
    """Whether math-verify is installed."""
    return find_spec("math_verify") is not None


def is_formula(text: str) -> bool:
    """Whether a text holds LaTeX with a value."""
    return _LATEX.search(text) is not None and bool(_parse(text))


def score_formula(answer: str, reference: str) -> float:
    """1 where both have the same value; 0 where they do not, or it cannot be found within 5 seconds."""
    found = _parse(answer if _LATEX.search(answer) else f"${answer}$")
    return float(bool(found) and import_module("math_verify").verify(_parse(reference), found))


def _parse(text: str) -> list[object]:
    """What math-verify reads of a text: the value and its source; empty where it finds none."""
    package = import_module("math_verify")
    read: list[object] = package.parse(text, extraction_config=[package.LatexExtractionConfig()])
    return read
