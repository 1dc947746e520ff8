"""`tuneproof demo`: the whole chain on the small real model and the rows that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneproof.cli.app import Command
from tuneproof.cli.launch import start_run
from tuneproof.cli.options import FolderOptions, LimitOptions, RankOptions, TrialOptions
from tuneproof.cli.run import show_summary
from tuneproof.cli.settings import gather_config
from tuneproof.cli.show import Screen

TIME_LIMIT = 420.0
"""Seconds: the demo is `run --time 7min` (contract)."""
MEMORY_LIMIT = 3_000_000_000
"""Bytes: so that the demo stays below 4 GB with what a process keeps beside its tensors."""
OUT = Path("runs/demo")


@dataclass(kw_only=True)
class DemoOptions(LimitOptions, TrialOptions, FolderOptions, RankOptions):
    """Options of `demo`."""


def run_demo(options: DemoOptions, screen: Screen) -> int:
    """Run the chain on the demo's model and rows, and show its summary."""
    from tuneproof.demo import demo_data_path
    from tuneproof.pipeline import RunRequest

    own = {
        "model.name": "demo",
        "data.files": [str(demo_data_path())],
        "data.task": "task",
        "train.time_limit": TIME_LIMIT,
        "memory.limit": MEMORY_LIMIT,
    }
    request = RunRequest(
        gather_config(options, own), options.out or OUT, screen.command, options.restart, fork=options.fork
    )
    with screen.follow() as progress:
        run = start_run(options, request, progress)
    return show_summary(run, screen, gate=options.gate)


COMMAND = Command(
    "demo",
    DemoOptions,
    run_demo,
    (
        "tuneproof demo",
        "tuneproof demo --out runs/tour --time 5min",
        "tuneproof demo --seeds 2",
        "tuneproof demo --cure",
    ),
)
