"""Standard benchmarks by lm-evaluation-harness: its command line, and what it writes.

Written for the command line of lm_eval 0.4.13.

    command = write_command("lm_eval", Subject("org/base", "float32", "cpu"), ["arc_easy"], Path("out"))
    read_scores(read_results(Path("base")), read_results(Path("tuned")))
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tuneproof.records import BenchmarkScore


class Subject(NamedTuple):
    """The model to measure."""

    base: str
    """Hub id or folder."""
    dtype: str
    device: str
    adapter: Path | None = None
    four_bit: bool = False
    revision: str | None = None


def write_command(program: str, subject: Subject, tasks: Sequence[str], folder: Path) -> list[str]:
    """The command that measures a model on tasks and writes into `folder`."""
    arguments: dict[str, Any] = {"pretrained": subject.base, "dtype": subject.dtype}
    if subject.revision:
        arguments["revision"] = subject.revision
    if subject.adapter:
        arguments["peft"] = str(subject.adapter)
    if subject.four_bit:
        arguments["load_in_4bit"] = True
    options = {
        "--model": "hf",
        # As JSON: in the form `a=b,c=d` a comma in a folder's name would end it.
        "--model_args": json.dumps(arguments, ensure_ascii=False),
        "--tasks": ",".join(tasks),
        "--device": subject.device,
        "--batch_size": "8",
        "--output_path": str(folder),
    }
    return [program, "run", *(part for option in options.items() for part in option), "--apply_chat_template"]


def read_results(folder: Path) -> dict[str, Any]:
    """The newest `results_*.json` at or below a folder. Raises ValueError when there is none, or it is no object."""
    found = sorted(folder.rglob("results_*.json"), key=lambda path: path.name)
    if not found:
        raise ValueError(f"no results_*.json in {folder}")
    results = json.loads(found[-1].read_text(encoding="utf-8"))
    if not isinstance(results, dict) or not isinstance(results.get("results"), dict):
        raise ValueError(f"{found[-1].name} has no results")
    return results


def read_scores(base: Mapping[str, Any], tuned: Mapping[str, Any]) -> list[BenchmarkScore]:
    """Every metric of every task, of both arms; a group's mean stands as a task of its own, as the harness has it."""
    scores = []
    for task in sorted({*base["results"], *tuned["results"]}):
        arms = base["results"].get(task, {}), tuned["results"].get(task, {})
        for metric in sorted({*arms[0], *arms[1]}):
            name, comma, variant = metric.partition(",")
            values = [_read_number(arm.get(metric)) for arm in arms]
            if not comma or name.endswith("_stderr") or values == [None, None]:
                continue
            errors = [_read_number(arm.get(f"{name}_stderr,{variant}")) for arm in arms]
            scores.append(
                BenchmarkScore(
                    task=task,
                    metric=name if variant == "none" else f"{name} ({variant})",
                    n=base.get("n-samples", {}).get(task, {}).get("effective"),
                    higher_is_better=base.get("higher_is_better", {}).get(task, {}).get(name),
                    base=values[0],
                    base_error=errors[0],
                    tuned=values[1],
                    tuned_error=errors[1],
                )
            )
    return scores


def _read_number(value: object) -> float | None:
    """A number; None for what the harness writes where it has none ("N/A")."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
