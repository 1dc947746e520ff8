"""What a training step costs as its rows, their length and the rank grow: ours beside the plain Trainer, as a picture.

    python -m benchmarks.curves --keep curves.jsonl       every cell that is not in the file yet, 20 to 30 minutes
    python -m benchmarks.curves --show curves.jsonl       the table, and the pictures of docs/speed.md

A cell is one process of `contenders.py`: `STEPS` steps of as many rows of one length, cut out of the demo's rows laid
end to end, half of each trained; the first step is warm-up. One of the three things grows at a time, from `MIDDLE`.
Rows of one length are never padded, so what a plain Trainer loses on rows of mixed lengths is not in here (that is
`benchmarks/training.py`). Each computes in the dtype that it takes by itself: ours bfloat16 on a CPU that has it, the
Trainer the model's own, float32. At 1,024 tokens a row ours makes a step of two packs, as its packs have 4,096 tokens.
Time is one thread's own (`--clock wall`: the wall's), memory the most that the process held.
The pictures need `pip install matplotlib`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.contenders import Job
from benchmarks.pages import DOCS, fill_page, list_pages
from benchmarks.training import run_contender
from tuneproof.data.read import read_rows
from tuneproof.demo import demo_data_path
from tuneproof.model.chat import encode_row
from tuneproof.model.find import find_model
from tuneproof.model.load import load_tokenizer

STEPS = 3
NAMES = ("tuneproof", "Trainer + peft")


class Cell(NamedTuple):
    """The size of a step."""

    rows: int
    length: int
    rank: int


MIDDLE = Cell(rows=8, length=128, rank=16)
GROWING = {"rows": (2, 4, 8, 16, 32), "length": (32, 64, 128, 256, 512, 1024), "rank": (4, 8, 16, 32, 64, 128)}
MARK = "curves"
WORDS = {
    "en": {"rows": "rows a step", "length": "tokens a row", "rank": "rank", "seconds": "s a step", "peak": "peak GB"},
    "zh": {"rows": "每步条数", "length": "每条 token 数", "rank": "秩", "seconds": "每步秒数", "peak": "峰值 GB"},
}


def list_cells() -> list[Cell]:
    """Every cell once."""
    return list(dict.fromkeys(MIDDLE._replace(**{name: size}) for name, sizes in GROWING.items() for size in sizes))


def cut_rows(tokens: Sequence[int], cell: Cell) -> Iterator[tuple[list[int], list[bool]]]:
    """The rows of `STEPS` steps."""
    half = cell.length // 2
    for at in range(cell.rows * STEPS):
        start = at * cell.length % (len(tokens) - cell.length)
        yield list(tokens[start : start + cell.length]), [False] * half + [True] * (cell.length - half)


def read_tokens() -> list[int]:
    """The demo's rows laid end to end."""
    tokenizer = load_tokenizer("demo")
    read = read_rows([demo_data_path()], columns=None, task=None, system_prompt=None, encoding=None).rows
    return [token for row in read for token in encode_row(tokenizer, row.messages).ids]


def measure_cell(name: str, cell: Cell, clock: str, tokens: Sequence[int]) -> dict[str, Any] | None:
    """Seconds a step and peak GB of a contender; None where it fails."""
    rows = list(cut_rows(tokens, cell))
    result = run_contender(
        name, Job(find_model("demo"), rows, cell.rows, cell.rank, 2 * cell.rank, 5e-4, 17, "", clock)
    )
    if result is None:
        return None
    ends = [mark[0] for mark in result["marks"]]
    seconds, peak = (ends[-1] - ends[0]) / (len(ends) - 1), result["peak"] / 1e9
    print(f"{name:16} {cell}: {seconds:.2f} s, {peak:.2f} GB", flush=True)
    return {"name": name, "cell": cell._asdict(), "seconds": seconds, "peak": peak, "clock": clock}


def draw_table(found: Sequence[dict[str, Any]], language: str) -> str:
    """A line a size: ours, the plain Trainer's, and how many times ours goes into it."""
    words = WORDS[language]
    heads = [f"{name}: {words[what]}" for what in ("seconds", "peak") for name in NAMES]
    lines = [f"| | | {' | '.join(heads)} | |", "| --- | ---: |" + " ---: |" * (len(heads) + 1)]
    for grown, sizes in GROWING.items():
        for size in sizes:
            cell = MIDDLE._replace(**{grown: size})
            pair = [find_cell(found, name, cell) for name in NAMES]
            told = [f"{one[what]:.2f}" if one else "–" for what in ("seconds", "peak") for one in pair]
            ours, plain = pair
            ratio = f"{plain['seconds'] / ours['seconds']:.1f}x" if ours and plain else ""
            lines.append(f"| {words[grown]} | {size} | {' | '.join(told)} | {ratio} |")
    return "\n".join(lines)


def find_cell(found: Sequence[dict[str, Any]], name: str, cell: Cell) -> dict[str, Any] | None:
    """What was measured of it last."""
    return next((one for one in reversed(found) if one["name"] == name and Cell(**one["cell"]) == cell), None)


def read_cells(file: Path, clock: str | None) -> list[dict[str, Any]]:
    """What a file holds. Ends the program where it was measured by another clock."""
    found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
    clocks = {one["clock"] for one in found} | ({clock} if clock else set())
    if len(clocks) > 1:
        raise SystemExit(f"{file}: measured by another clock; keep each in a file of its own")
    return found


def draw_picture(found: Sequence[dict[str, Any]], language: str, file: Path) -> None:
    """Seconds above, memory below, a column for what grows."""
    plots = import_module("matplotlib.pyplot")
    # Text stays text: the browser has the letters.
    plots.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": MARK, "font.size": 9})
    figure, axes = plots.subplots(2, 3, figsize=(9, 5), sharey="row", sharex="col", layout="constrained")
    words = WORDS[language]
    for across, (grown, sizes) in enumerate(GROWING.items()):
        for down, what in enumerate(("seconds", "peak")):
            place = axes[down][across]
            for name, colour in zip(NAMES, ("#1a7f5a", "#8a8f98"), strict=True):
                kept = [(size, find_cell(found, name, MIDDLE._replace(**{grown: size}))) for size in sizes]
                points = [(size, one[what]) for size, one in kept if one]
                place.plot(*zip(*points, strict=True), marker="o", markersize=3, color=colour, label=name)
            place.set_xscale("log", base=2)
            place.set_yscale("log", base=2)
            place.xaxis.set_major_formatter("{x:g}")
            place.yaxis.set_major_formatter("{x:g}")
            place.grid(color="#e3e5e8", linewidth=0.6)
            place.spines[["top", "right"]].set_visible(False)
            if not across:
                place.set_ylabel(words[what])
        axes[1][across].set_xlabel(words[grown])
    axes[0][0].legend(frameon=False)
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Measure what is missing, or show what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="file that cells are added to")
    parser.add_argument("--show", type=Path, help="write table and pictures of a file of cells")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="cpu")
    given = parser.parse_args()
    file = given.show or given.keep
    found = read_cells(file, None if given.show else given.clock) if file else []
    tokens = [] if given.show else read_tokens()
    for name, cell in [] if given.show else [(name, cell) for cell in list_cells() for name in NAMES]:
        if find_cell(found, name, cell) or (made := measure_cell(name, cell, given.clock, tokens)) is None:
            continue
        found.append(made)
        if given.keep:
            with given.keep.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(made) + "\n")
    print(draw_table(found, "en"))
    for language, page in list_pages("speed").items() if given.show else []:
        draw_picture(found, language, DOCS / "images" / f"curves{'' if language == 'en' else '-zh'}.svg")
        text = fill_page(page.read_text(encoding="utf-8"), MARK, draw_table(found, language))
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
