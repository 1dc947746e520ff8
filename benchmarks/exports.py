"""How far an export's logits are from the run's, by type and by reader: the figures behind the bounds of `export`.

    python benchmarks/exports.py runs/demo                 every type; about 20 minutes on a core, most of it llama.cpp
    python benchmarks/exports.py runs/demo --types f16 q8_0

Of a finished run: each type is written as merged folder or GGUF file, read back in a fresh process by every reader
that is installed, and thrown away. Printed is a line a proof: the largest difference of a logit relative to the largest
logit of its position, over at most 8 positions of 20 test items, and how many of the 20 greedy answers are the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tuneproof.config.load import load_config
from tuneproof.export.parity.judge import find_bound
from tuneproof.export.parity.prove import Trial, prove
from tuneproof.export.targets import MERGED_TYPES, Order, Subject, has_llamacpp, list_subjects, write_target
from tuneproof.model.load import quiet_transformers
from tuneproof.pipeline import ExportRequest, open_run
from tuneproof.pipeline.export import Case, choose_asked, hear_once, open_case
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Proof

GGUF_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_0", "q4_0")


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
            write_target(order, case.source, folder, lambda: None)
            trial = Trial(case.source, folder, asked, heard)
            for subject in list_readers(order, folder):
                yield order, prove(trial, subject)


def main() -> None:
    """Print a row of a table a proof."""
    parser = argparse.ArgumentParser(description="Logits of exports against those of the run, by type and reader.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--types", nargs="+", default=list(GGUF_TYPES), choices=GGUF_TYPES)
    parser.add_argument("--items", type=int, default=20)
    given = parser.parse_args()
    run = open_run(given.run)
    config, _ = load_config(run.config, ())
    with quiet_transformers():
        case = open_case(Work(run, config, Quiet()), ExportRequest(given.run, ["peft"], items=given.items))
        print("| export | type | reader | logits off | bound | same answers | checks |")
        print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for order, proof in measure(case, given.types):
            kind = "adapter as GGUF" if "-lora-" in proof.file else order.target
            failed = [check.name for check in proof.checks if not check.passed]
            bound = find_bound(proof.reader, "f16" if "-lora-" in proof.file else proof.dtype, proof.computed_in)
            cells = [
                kind,
                proof.dtype,
                proof.reader,
                f"{proof.logit_error:.1e}",
                f"{bound:.1e}",
                f"{proof.equal} of {proof.answers}",
                ", ".join(failed) or "all passed",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
