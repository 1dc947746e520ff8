"""What replay and the adapter's scale do to forgetting, on the demo model: the same rows, more or less replay.

    python benchmarks/forgetting.py                     fractions 0, 0.02, 0.05, 0.1, 0.2; about 40 minutes on 2 cores
    python benchmarks/forgetting.py --fractions 0 0.1

Each fraction is one run of the demo's rows through the command line, with as many passes over them as the demo has;
the choice of the scale measures every scale on the select rows and on 300 retention probes, and that is the curve.
Writes benchmarks/forgetting.json and prints it as a table in English and Chinese.
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

from tuneproof.demo import demo_data_path

OUT = Path(__file__).with_suffix(".json")
HEADS = {
    "en": "| replay, tokens | rows | scale | task score | lost of right | gained | net loss ± SE, points |",
    "zh": "| 重放占比（词元） | 重放条数 | 缩放 | 任务得分 | 丢失的正确回答 | 新增 | 净损失 ± 标准误（百分点） |",
}
FRACTIONS = (0.0, 0.02, 0.05, 0.1, 0.2)
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


def measure_fraction(fraction: float, folder: Path) -> dict[str, Any]:
    """One run: replay rows, and every scale's task score, lost and gained answers."""
    run = folder / f"replay-{fraction:g}"
    settings = [part for one in (*SETTINGS, f"replay.fraction={fraction}") for part in ("--set", one)]
    data = str(demo_data_path())
    command = [sys.executable, "-m", "tuneproof", "run", data, "--model", "demo", "--out", str(run), *settings]
    subprocess.run(command, check=True)
    selection = json.loads((run / "eval" / "selection.json").read_text(encoding="utf-8"))
    base = (run / "eval" / "base" / "slice.jsonl").read_text(encoding="utf-8").splitlines()
    names = ("scale", "n", "score", "probes", "lost", "gained")
    return {
        "fraction": fraction,
        "replay_rows": len((run / "data" / "replay.jsonl").read_text(encoding="utf-8").splitlines()),
        "base_right": sum(json.loads(line)["right"] for line in base),
        "steps": selection["checkpoint"],
        "scales": [{name: one[name] for name in names} for one in selection["candidates"]],
    }


def draw_table(cells: Sequence[dict[str, Any]], language: str) -> str:
    """The table, the largest scale first."""
    lines = [HEADS[language], "| ---: " * 7 + "|"]
    for cell in cells:
        for one in sorted(cell["scales"], key=lambda one: -one["scale"]):
            lost = f"{one['lost']} / {cell['base_right']}"
            flips, net = one["lost"] + one["gained"], one["lost"] - one["gained"]
            # Of paired differences -1, 0 and 1.
            error = 100 * math.sqrt(flips - net**2 / one["probes"]) / one["probes"]
            rows = f"{cell['fraction']:.0%} | {cell['replay_rows']} | {one['scale']:g} | {100 * one['score']:.1f}"
            lines.append(f"| {rows} | {lost} | {one['gained']} | {100 * net / one['probes']:+.1f} ± {error:.1f} |")
    return "\n".join(lines) + "\n"


def main(fractions: Sequence[float], folder: Path) -> None:
    """Measure every fraction, keeping what is done after each."""
    cells = []
    for fraction in fractions:
        cells.append(measure_fraction(fraction, folder))
        OUT.write_text(json.dumps(cells, indent=1) + "\n", encoding="utf-8")
    for language in HEADS:
        print(draw_table(cells, language))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fractions", nargs="+", type=float, default=FRACTIONS)
    parser.add_argument("--folder", type=Path, default=Path("runs/forgetting"))
    options = parser.parse_args()
    main(options.fractions, options.folder)
