"""What replay, learning rate and the adapter's scale do to forgetting, on the demo model and the demo's rows.

    python -m benchmarks.forgetting                               replay 0, 0.1, 0.3, 0.5; about 40 minutes
    python -m benchmarks.forgetting --fractions 0.1 --rates 5e-4  one cell more
    python -m benchmarks.forgetting --fractions                   the table of what was measured

Each cell is one run through the command line, with as many passes over the rows as the demo has; the choice of the
scale measures every scale on the select rows and on 300 retention probes, and that is the curve. Cells are kept in
benchmarks/forgetting.json as they are done, and written as a table into docs/measuring.md and its Chinese twin.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import fill_page, list_pages
from tuneproof.demo import demo_data_path

OUT = Path(__file__).with_suffix(".json")
HEADS = {
    "en": "| replay, tokens | rows | rate | scale | task score | lost of right | gained | net loss ± SE, points |",
    "zh": "| 重放占比（词元） | 条数 | 学习率 | 缩放 | 任务得分 | 丢失的正确回答 | 新增 | 净损失 ± 标准误（百分点） |",
}
FRACTIONS = (0.0, 0.1, 0.3, 0.5)
MARK = "forgetting"
RATE = 1e-3
"""What the plan chooses for the demo model."""
SETTINGS = (
    "data.task=task",
    "train.epochs=1.3",
    "evaluate.checkpoints=1",
    "evaluate.scales=[1.0,0.75,0.5,0.25]",
    "evaluate.select_probes=300",
    # What comes after the choice is not needed here.
    "evaluate.test_rows=10",
    "evaluate.retention_items=20",
    "evaluate.few_shot=[]",
)


def measure_cell(fraction: float, rate: float, folder: Path) -> dict[str, Any]:
    """One run: replay rows, and every scale's task score, lost and gained answers."""
    run = folder / f"replay-{fraction:g}-rate-{rate:g}"
    chosen = (f"replay.fraction={fraction}", f"train.learning_rate={rate}")
    settings = [part for one in (*SETTINGS, *chosen) for part in ("--set", one)]
    data = str(demo_data_path())
    command = [sys.executable, "-m", "tuneproof", "run", data, "--model", "demo", "--out", str(run), *settings]
    subprocess.run(command, check=True)
    selection = json.loads((run / "eval" / "selection.json").read_text(encoding="utf-8"))
    base = (run / "eval" / "base" / "slice.jsonl").read_text(encoding="utf-8").splitlines()
    names = ("scale", "n", "score", "probes", "lost", "gained")
    return {
        "fraction": fraction,
        "rate": rate,
        "replay_rows": len((run / "data" / "replay.jsonl").read_text(encoding="utf-8").splitlines()),
        "base_right": sum(json.loads(line)["right"] for line in base),
        "steps": selection["checkpoint"],
        "scales": [{name: one[name] for name in names} for one in selection["candidates"]],
    }


def draw_table(cells: Sequence[dict[str, Any]], language: str) -> str:
    """The table, the largest scale first."""
    lines = [HEADS[language], "| ---: " * 8 + "|"]
    for cell in cells:
        for one in sorted(cell["scales"], key=lambda one: -one["scale"]):
            lost = f"{one['lost']} / {cell['base_right']}"
            flips, net = one["lost"] + one["gained"], one["lost"] - one["gained"]
            # Of paired differences -1, 0 and 1.
            error = 100 * math.sqrt(flips - net**2 / one["probes"]) / one["probes"]
            rows = f"{cell['fraction']:.0%} | {cell['replay_rows']} | {cell['rate']:g} | {one['scale']:g}"
            flipped = f"{lost} | {one['gained']} | {100 * net / one['probes']:+.1f} ± {error:.1f}"
            lines.append(f"| {rows} | {100 * one['score']:.1f} | {flipped} |")
    return "\n".join(lines) + "\n"


def load_cells() -> list[dict[str, Any]]:
    """What was measured so far."""
    return json.loads(OUT.read_text(encoding="utf-8")) if OUT.is_file() else []


def main(fractions: Sequence[float], rates: Sequence[float], folder: Path) -> None:
    """Measure every cell, keeping what is done after each."""
    for fraction in fractions:
        for rate in rates:
            made = measure_cell(fraction, rate, folder)
            others = [cell for cell in load_cells() if (cell["fraction"], cell["rate"]) != (fraction, rate)]
            cells = sorted([*others, made], key=lambda cell: (cell["fraction"], -cell["rate"]))
            OUT.write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
    for language, page in list_pages("measuring").items():
        table = draw_table(load_cells(), language)
        page.write_text(fill_page(page.read_text(encoding="utf-8"), MARK, table), encoding="utf-8")
        print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fractions", nargs="*", type=float, default=FRACTIONS)
    parser.add_argument("--rates", nargs="+", type=float, default=(RATE,))
    parser.add_argument("--folder", type=Path, default=Path("runs/forgetting"))
    options = parser.parse_args()
    main(options.fractions, options.rates, options.folder)
