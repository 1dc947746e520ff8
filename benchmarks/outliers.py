"""How many swapped answers `data.outliers` finds, and how many sound rows it names with them.

    python benchmarks/outliers.py alpaca_en.json --model demo       120 rows, 12 of them swapped: minutes on a CPU

The first rows with answers of 40 to 350 characters are taken, and a tenth of their answers go round among each other,
so that each stands behind another row's question. Printed: swapped rows that were named, sound rows that were named.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.data.read import read_rows
from tuneproof.pipeline.rows import prepare_rows
from tuneproof.progress import Quiet

SHORTEST, LONGEST = 40, 350
"""Characters of an answer."""


def swap_answers(file: Path, count: int, share: float, out: Path) -> set[int]:
    """Write rows of `file` to `out`, some with each other's answers; the lines of those."""
    read = read_rows([file], columns=None, task=None, system_prompt=None, encoding=None)
    rows = [row for row in read.rows if SHORTEST < len(row.reference) < LONGEST and len(row.messages) == 2][:count]
    swapped = random.Random(1).sample(range(len(rows)), round(share * len(rows)))
    answers = [row.reference for row in rows]
    for place, at in enumerate(swapped):
        answers[at] = rows[swapped[(place + 1) % len(swapped)]].reference
    pairs = [{"question": row.question, "answer": answer} for row, answer in zip(rows, answers, strict=True)]
    out.write_text("\n".join(json.dumps(pair, ensure_ascii=False) for pair in pairs), encoding="utf-8")
    return {at + 1 for at in swapped}


def main() -> None:
    """Swap, check, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--share", type=float, default=0.1, help="of the rows whose answers are swapped")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "rows.jsonl")
        swapped = swap_answers(options.file, options.rows, options.share, out)
        config = RunConfig()
        config.data.files, config.data.outliers, config.model.name = [str(out)], True, options.model
        report = prepare_rows(config, Quiet()).report
    named = {found.line for found in report.findings if found.kind == "outlier"}
    print(f"{options.file.name}: {len(named & swapped)} of {len(swapped)} swapped answers named,")
    print(f"and {len(named - swapped)} of {report.usable - len(swapped)} sound rows")


if __name__ == "__main__":
    main()
