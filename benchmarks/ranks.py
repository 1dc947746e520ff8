"""The demo model by one process, by two, and split over two (FSDP2): the same numbers? And how much faster?

The same run three times up to the end of training, each process with one thread and a core of its own: alone, as two
processes with the whole model each, and as two with its layers split over them. Held against each other are the losses
of all steps and the adapters; timed are the answers of the base (stage `base` of run.json; answers that earlier runs
have made are not used) and the training (`training.seconds`), without loading.

    python -m benchmarks.ranks --folder OUT                                     # about 12 minutes on two free cores
    python -m benchmarks.ranks --folder OUT --items 600 --steps 1 --ways ddp    # answers alone: about 5
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file
from torch import Tensor

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.demo import demo_data_path
from tuneproof.records import Plan, RunRecord
from tuneproof.rundir import RunDir

LAUNCH = (
    "import sys; from tuneproof.cli.launch import launch_ranks; sys.exit(launch_ranks(sys.argv[2:], int(sys.argv[1])))"
)
TOGETHER = (sys.executable, "-c", LAUNCH, "2")
WAYS = {
    "single": (sys.executable, "-m", "tuneproof"),
    "ddp": TOGETHER,
    "fsdp": TOGETHER,
}


class Found(NamedTuple):
    """What a run has given."""

    losses: list[float]
    adapter: dict[str, Tensor]
    training: float
    """Seconds."""
    answering: float
    """Seconds."""
    answers: int


def write_config(path: Path, items: int, steps: int) -> None:
    """The demo, with so many answers of the base, and a training of so many steps after them."""
    config = RunConfig()
    config.model.name, config.model.dtype = "demo", "float32"
    config.data.files, config.data.task = [str(demo_data_path())], "task"
    config.train.max_steps, config.replay.fraction = steps, 0.0
    knobs: dict[str, Any] = {
        "test_rows": items // 2,
        "retention_items": items // 2,
        "select_rows": 1,
        "select_probes": 1,
        "few_shot": [],
    }
    for name, value in {**knobs, "remember": False, "languages": ["en"]}.items():
        setattr(config.evaluate, name, value)
    path.write_text(dump_config(config), encoding="utf-8")


def measure(way: str, config: Path, out: Path) -> Found:
    """Run it. Raises ValueError where the plan says another way than was asked for."""
    split = ("--set", "memory.split=true") if way == "fsdp" else ()
    command = [*WAYS[way], "train", str(config), "--out", str(out), *split]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    run = RunDir(out)
    record, strategy = run.load(RunRecord), run.load(Plan).settings.strategy
    if strategy != way or record.training is None:
        raise ValueError(f"{way} was asked for, {strategy} is what the plan says")
    losses = [event["loss"] for event in run.load_events() if event["kind"] == "step"]
    last = max(run.checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    made = sum(len(run.find_answers("base", path.stem)) for path in (out / "eval" / "base").glob("*.jsonl"))
    adapter = load_file(last / "adapter_model.safetensors")
    return Found(losses, adapter, record.training.seconds, record.stages["base"].seconds, made)


def compare(one: Found, other: Found) -> dict[str, Any]:
    """What two processes have given, beside one."""
    pairs = list(zip(one.losses, other.losses, strict=True))
    apart = max(float((weight - other.adapter[name]).abs().max()) for name, weight in one.adapter.items())
    return {
        "loss_apart": max(abs(a - b) / a for a, b in pairs),
        "adapter_apart": apart,
        "adapter_largest": max(float(weight.abs().max()) for weight in one.adapter.values()),
        "same_number_of_answers": one.answers == other.answers,
        "training_seconds": round(other.training, 1),
        "training_faster": round(one.training / other.training, 2),
        "answering_seconds": round(other.answering, 1),
        "answering_faster": round(one.answering / other.answering, 2),
    }


def main() -> None:
    """Run them and print what came out as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--ways", nargs="+", choices=[*WAYS][1:], default=[*WAYS][1:])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    config = given.folder / "run.yaml"
    write_config(config, given.items, given.steps)
    found = {way: measure(way, config, given.folder / way) for way in ("single", *given.ways)}
    one = found["single"]
    told: dict[str, Any] = {"answers": one.answers, "steps": len(one.losses)}
    told |= {"training_seconds": round(one.training, 1), "answering_seconds": round(one.answering, 1)}
    print(json.dumps(told | {way: compare(one, found[way]) for way in given.ways}, indent=1))


if __name__ == "__main__":
    main()
