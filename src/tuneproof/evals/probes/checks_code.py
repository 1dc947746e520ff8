"""The checks that read an answer as code, in any language: a JSON value, a line of Python.

In goes an answer and the probe's `accept` strings, out comes a bool, as in `checks.py`, whose table names these too.
Answers are parsed, never run.

    json_value('```json\\n{"Name": "anna"}\\n```', ('{"name": "Anna"}',))   # True: case does not matter
    python_line("Use `x=5` for that.", ("x = 5",))                         # True: spacing does not matter
"""

from __future__ import annotations

import ast
import json
import re
import warnings


def json_value(answer: str, accept: tuple[str, ...]) -> bool:
    """The answer's first JSON object or array is one of `accept`; key order, case and prose around it do not matter."""
    start = re.search(r"[{\[]", answer)
    if start is None:
        return False
    try:
        value, _ = json.JSONDecoder().raw_decode(answer, start.start())
        found = _write_json(value)
    except (ValueError, RecursionError):
        return False
    return found in {_write_json(json.loads(text)) for text in accept}


def python_line(answer: str, accept: tuple[str, ...]) -> bool:
    """A line of the answer, or a piece of it in backticks, is one of `accept` as Python: spacing, quotes are free.

    A line that opens a block ("for i in range(3):") is accepted by its opening alone.
    """
    pieces = {_write_python(piece) for piece in re.split(r"[`\n]", answer)}
    return not pieces.isdisjoint(_write_python(text) for text in accept)


def _write_json(value: object) -> str:
    return json.dumps(value, sort_keys=True).casefold()


def _write_python(text: str) -> str | None:
    """`text` in one style, comments dropped; None for what is no Python."""
    line = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of odd escapes in what the model wrote: nobody can act on them.
            return ast.unparse(ast.parse(f"{line} pass" if line.endswith(":") else line)) or None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
