"""Writes the demo data set: 900 clean rows of Quillmere's service desk in five families, and fourteen planted defects.

In: a seed. Out: BELLE rows (`instruction`, `input`, `output`, and `task`; replies also `required`), one JSON object a
line. The same seed gives the same bytes on every Python: each family draws from its own generator, seeded with a
string, and nothing depends on the order of a set.

    python -m tuneproof.demo.generate service_desk.jsonl
"""

import json
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tuneproof.demo.arithmetic import make_invoice_row
from tuneproof.demo.conversion import make_convert_row
from tuneproof.demo.defects import count_spares, plant_defects
from tuneproof.demo.extraction import make_extract_row
from tuneproof.demo.knowledge import make_policy_row
from tuneproof.demo.replies import make_reply_row
from tuneproof.demo.variety import draw_distinct
from tuneproof.demo.vocabulary import Row

SEED = 17
ROWS_PER_FAMILY = 180
BOUND = 0.6
"""Similarity that two rows of a family stay below; finders of near-duplicates start at 0.7 or 0.8
(docs/evidence.md, rule 16)."""

_FAMILIES: dict[str, Callable[[random.Random, int], Row]] = {
    "policy": make_policy_row,
    "extract": make_extract_row,
    "invoice": make_invoice_row,
    "convert": make_convert_row,
    "reply": make_reply_row,
}


def _build(seed: int) -> tuple[list[Row], list[dict[str, Any]]]:
    clean: list[Row] = []
    spares: list[Row] = []
    for family, make in _FAMILIES.items():
        rng = random.Random(f"{seed} {family}")
        count = ROWS_PER_FAMILY + count_spares(family)
        rows = draw_distinct(partial(make, rng), count, BOUND)
        clean += rows[:ROWS_PER_FAMILY]
        spares += rows[ROWS_PER_FAMILY:]
    random.Random(f"{seed} order").shuffle(clean)
    return plant_defects(clean, spares)


def generate_rows(seed: int = SEED) -> list[Row]:
    """Return all rows in file order, defects included."""
    return _build(seed)[0]


def planted_defects(seed: int = SEED) -> list[dict[str, Any]]:
    """Return the defects by line: `kind` as in docs/contract.md, 1-based `line`, and the `related` lines."""
    return _build(seed)[1]


def write_rows(path: Path, seed: int = SEED) -> None:
    """Write the rows to `path` as UTF-8 JSON Lines with `\\n` line ends on every system."""
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in generate_rows(seed))
    path.write_bytes("".join(lines).encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tuneproof.demo.generate PATH")
    write_rows(Path(sys.argv[1]))
