"""What replay, learning rate and the adapter's scale do to forgetting, on the demo model and the demo's rows.

    python -m benchmarks.forgetting                               replay 0, 0.1, 0.3; about 40 minutes
    python -m benchmarks.forgetting --fractions 0.3 --soft        the base's distribution as the target, not its words
    python -m benchmarks.forgetting --fractions 0.1 --rates 5e-4  one cell more
    python -m benchmarks.forgetting --fractions                   the table of what was measured

Each cell is one run through the command line, with as many passes over the rows as the demo has; the choice of the
scale measures every scale on the select rows and on 300 retention probes, and that is the curve. A run that is there
already is read and not made again. Cells are kept in benchmarks/forgetting.json as they are done, and written as a
table into docs/measuring.md and its Chinese twin. Lost and gained answers are few, and their net has a standard error
of 2 points or more; how many answers are other ones at all is the steadier sign of drift.
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
    "en": "| replay | targets | steps | scale | score | other answers | lost of right | gained | net ± SE, points |",
    "zh": "| 回放占比 | 学习目标 | 步数 | 缩放 | 任务得分 | 答案有变 | 答对变答错 | 答错变答对 | 净损失±标准误 |",
}
TARGETS = {"en": ("words", "distribution"), "zh": ("原词", "分布")}
FRACTIONS = (0.0, 0.1, 0.3)
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


Cell = dict[str, Any]


def measure_cell(fraction: float, rate: float, soft: bool, folder: Path) -> Cell:
    """One run, if it is not there yet: replay rows, and every scale's task score, changed, lost and gained answers."""
    run = folder / f"replay-{fraction:g}-rate-{rate:g}{'-soft' if soft else ''}"
    if not (run / "eval" / "selection.json").is_file():
        chosen = (f"replay.fraction={fraction}", f"train.learning_rate={rate}", f"replay.soft={str(soft).lower()}")
        settings = [part for one in (*SETTINGS, *chosen) for part in ("--set", one)]
        data = str(demo_data_path())
        command = [sys.executable, "-m", "tuneproof", "run", data, "--model", "demo", "--out", str(run), *settings]
        subprocess.run(command, check=True)
    selection = json.loads((run / "eval" / "selection.json").read_text(encoding="utf-8"))
    base = read_answers(run / "eval" / "base" / "slice.jsonl")
    names = ("scale", "n", "score", "probes", "lost", "gained")
    scales = []
    for one in selection["candidates"]:
        said = read_answers(run / "eval" / "select" / f"checkpoint-{one['checkpoint']}@{one['scale']:g}.jsonl")
        changed = sum(said[name]["answer"].strip() != asked["answer"].strip() for name, asked in base.items())
        scales.append({name: one[name] for name in names} | {"changed": changed})
    return {
        "fraction": fraction,
        "rate": rate,
        "soft": soft,
        "replay_rows": len((run / "data" / "replay.jsonl").read_text(encoding="utf-8").splitlines()),
        "base_right": sum(answer["right"] for answer in base.values()),
        "steps": selection["checkpoint"],
        "scales": scales,
    }


def read_answers(file: Path) -> dict[str, Any]:
    """Answers by their items' ids."""
    answers = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {answer["id"]: answer for answer in answers}


def draw_table(cells: Sequence[Cell], language: str) -> str:
    """The table, the largest scale first."""
    lines = [HEADS[language], "| ---: " * 9 + "|"]
    for cell in cells:
        for one in sorted(cell["scales"], key=lambda one: -one["scale"]):
            flips, net = one["lost"] + one["gained"], one["lost"] - one["gained"]
            # Of paired differences -1, 0 and 1.
            error = 100 * math.sqrt(flips - net**2 / one["probes"]) / one["probes"]
            told = (
                f"{cell['fraction']:.0%}" + ("" if cell["rate"] == RATE else f" ({cell['rate']:g})"),
                TARGETS[language][cell["soft"]] if cell["fraction"] else "",
                str(cell["steps"]),
                f"{one['scale']:g}",
                f"{100 * one['score']:.1f}",
                f"{one['changed'] / one['probes']:.0%}",
                f"{one['lost']} / {cell['base_right']}",
                str(one["gained"]),
                f"{100 * net / one['probes']:+.1f} ± {error:.1f}",
            )
            lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def load_cells() -> list[Cell]:
    """What was measured so far."""
    return json.loads(OUT.read_text(encoding="utf-8")) if OUT.is_file() else []


def name_cell(cell: Cell) -> tuple[float, float, bool]:
    """What tells a cell from others, in the table's order."""
    return cell["fraction"], -cell["rate"], cell["soft"]


def main(fractions: Sequence[float], rates: Sequence[float], soft: bool, folder: Path) -> None:
    """Measure every cell, keeping what is done after each."""
    for fraction in fractions:
        for rate in rates:
            made = measure_cell(fraction, rate, soft, folder)
            others = [cell for cell in load_cells() if name_cell(cell) != name_cell(made)]
            OUT.write_text(json.dumps(sorted([*others, made], key=name_cell), indent=1) + "\n", encoding="utf-8")
    for language, page in list_pages("measuring").items():
        table = draw_table(load_cells(), language)
        page.write_text(fill_page(page.read_text(encoding="utf-8"), MARK, table), encoding="utf-8")
        print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fractions", nargs="*", type=float, default=FRACTIONS)
    parser.add_argument("--rates", nargs="+", type=float, default=(RATE,))
    parser.add_argument("--soft", action="store_true", help="learn the base's distribution, not its words alone")
    parser.add_argument("--folder", type=Path, default=Path("runs/forgetting"))
    options = parser.parse_args()
    main(options.fractions, options.rates, options.soft, options.folder)
