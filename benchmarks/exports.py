"""How far an export's logits are from the run's, by type and by reader: the figures behind the bounds of `export`.

    python benchmarks/exports.py runs/demo                 every type; about 20 minutes on a core, most of it llama.cpp
    python benchmarks/exports.py runs/demo --types f16 q8_0
    python benchmarks/exports.py runs/demo --write         and put the table into the pages that show it

Of a finished run: each type is written as merged folder or GGUF file, read back in a fresh process by every reader
that is installed, and thrown away. Printed is a line a proof: the largest difference of a logit relative to the largest
logit of its position, over at most 8 positions of 20 test items, and how many of the 20 greedy answers are the same.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tuneproof.config.load import load_config
from tuneproof.export.parity.judge import find_bound
from tuneproof.export.parity.prove import Trial, prove
from tuneproof.export.targets import MERGED_TYPES, Order, Subject, has_llamacpp, list_subjects, write_target
from tuneproof.model.load import quiet_transformers
from tuneproof.pipeline import ExportRequest, open_run
from tuneproof.pipeline.export import COARSE, Case, add_rows, choose_asked, hear_once, open_case
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Proof

ROOT = Path(__file__).resolve().parent.parent
PAGE, CHINESE_PAGE, RESULTS = "docs/export.md", "docs/export.zh-CN.md", "benchmarks/RESULTS.md"
GGUF_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_0", "q4_0")
HEADS = ["export", "type", "reader", "logits off", "bound", "same answers", "proof"]


def list_orders(types: Sequence[str]) -> list[Order]:
    """The adapter, the merged types, the GGUF types."""
    merged = [Order("merged", name) for name in types if name in MERGED_TYPES]
    return [Order("peft"), *merged, *(Order("gguf", name) for name in types)]


def list_readers(order: Order, folder: Path) -> list[Subject]:
    """Every file with every reader; the adapter's own GGUF file once, with the F16 model."""
    subjects = list_subjects(order.target, folder)
    if order.target != "gguf":
        return subjects
    model = next(subject for subject in subjects if subject.lora is None)
    lora = [subject for subject in subjects if subject.lora and has_llamacpp() and order.dtype == "f16"]
    return [model._replace(reader="gguf"), *([model] if has_llamacpp() else []), *lora]


def measure(case: Case, types: Sequence[str]) -> Iterator[tuple[Order, Proof]]:
    """Each proof as it is made."""
    asked = choose_asked(case)
    heard = hear_once(case, asked)
    for order in list_orders(types):
        with TemporaryDirectory(dir=case.work.run.path, prefix=".export.") as name:
            folder = Path(name)
            source = add_rows(case.work, case.source) if order.dtype in COARSE else case.source
            write_target(order, source, folder, lambda: None)
            trial = Trial(case.source, folder, asked, heard)
            for subject in list_readers(order, folder):
                yield order, prove(trial, subject)


def list_cells(order: Order, proof: Proof) -> list[str]:
    """A proof's row."""
    of_adapter = "-lora-" in proof.file
    failed = [check.name for check in proof.checks if not check.passed]
    bound = find_bound(proof.reader, "f16" if of_adapter else proof.dtype, proof.computed_in)
    return [
        "adapter as GGUF" if of_adapter else order.target,
        proof.dtype,
        proof.reader,
        f"{proof.logit_error:.1e}",
        f"{bound:.1e}",
        f"{proof.equal} of {proof.answers}",
        f"fails: {', '.join(failed)}" if failed else "passed",
    ]


def draw_line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def say_chinese(cells: list[str]) -> list[str]:
    """The same row in Chinese."""
    kind, *middle, equal, told = cells
    kind = "GGUF 适配器" if kind == "adapter as GGUF" else kind
    return [kind, *middle, equal.replace(" of ", "/"), told.replace("passed", "通过").replace("fails: ", "未通过：")]


def write_tables(rows: Sequence[list[str]]) -> None:
    """Put each row into the tables that show it, in the place of the one of that export, type and reader."""
    chinese = [say_chinese(row) for row in rows]
    for name, shown in ((PAGE, rows), (CHINESE_PAGE, chinese), (RESULTS, rows)):
        text = (ROOT / name).read_text("utf-8")
        for row in shown:
            place = re.compile(f"^{re.escape(draw_line(row[:3])[:-1])}.*$", re.MULTILINE)
            line = draw_line(row)
            text, found = place.subn(lambda _, line=line: line, text)  # type: ignore[misc]
            assert found == 1, f"{name} has no place for {line}"
        (ROOT / name).write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Print a row of a table a proof."""
    parser = argparse.ArgumentParser(description="Logits of exports against those of the run, by type and reader.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--types", nargs="+", default=list(GGUF_TYPES), choices=GGUF_TYPES)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the rows into the pages that show them")
    given = parser.parse_args()
    run = open_run(given.run)
    config, _ = load_config(run.config, ())
    rows = []
    with quiet_transformers():
        case = open_case(Work(run, config, Quiet()), ExportRequest(given.run, ["peft"], items=given.items))
        print(draw_line(HEADS), draw_line(["---"] * len(HEADS)), sep="\n", flush=True)
        for order, proof in measure(case, given.types):
            rows.append(list_cells(order, proof))
            print(draw_line(rows[-1]), flush=True)
    if given.write:
        write_tables(rows)


if __name__ == "__main__":
    main()
