"""Answers that are Python: do they parse, and how near are they to the reference? Parsed, never run.

is_code("def area(r):\\n    return 3.14 * r * r")      # True
score_code("area = lambda r: (", reference)           # 0.0: it does not parse
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter

PROGRAM = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.For,
    ast.While,
    ast.With,
    ast.Try,
    ast.If,
)
"""A text that parses and has one of these is a program; "yes" and "total = 5" parse too."""
CLOSE = 0.99
"""Most that a program can get without being the reference: the same words in another order are close, not right."""

_FENCE = re.compile(r"```(?:[pP]ython\d?|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_PYTHON_FENCE = re.compile(r"```(?:[pP]ython\d?|py)[ \t]*\n")


def is_code(text: str) -> bool:
    """Whether a text is a Python program: marked as one, or parsing and more than an expression or an assignment."""
    tree = parse_code(text)
    if tree is None or not tree.body:
        return False
    return _PYTHON_FENCE.search(text) is not None or any(isinstance(node, PROGRAM) for node in tree.body)


def score_code(answer: str, reference: str) -> float:
    """0 where the answer does not parse, 1 where it is the same program, else the F1 of its words, 0.99 at most.

    Comments, spacing and quotes are free. A reference that is no program is compared as text.
    """
    wanted, found = parse_code(reference), parse_code(answer)
    if wanted is None:
        return float(answer.strip() == reference.strip())
    if found is None or not found.body:
        return 0.0
    texts = [ast.unparse(tree) for tree in (found, wanted)]
    if texts[0] == texts[1]:
        return 1.0
    words = [Counter(re.findall(r"\w+|[^\w\s]", text)) for text in texts]
    common = (words[0] & words[1]).total()
    return min(CLOSE, 2 * common / (words[0].total() + words[1].total()))


def parse_code(text: str) -> ast.Module | None:
    """The first fenced block of a text, or all of it, as Python; None for what does not parse."""
    fenced = _FENCE.search(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of odd escapes in what the model wrote: nobody can act on them.
            tree = ast.parse(fenced.group(1) if fenced else text.strip())
            ast.unparse(tree)  # A program nested so deeply that it cannot be written again cannot be compared.
            return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
