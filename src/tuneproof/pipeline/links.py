"""What one run takes over from another: folders as copies, but for checkpoints, which are linked where the disk can.

A checkpoint is never changed once it is there, so that one file may stand in two folders; everything else may be.

    copy_folder(run.checkpoints, trial.checkpoints)
    replace_folder(trial.checkpoints, run.checkpoints)
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from tuneproof.rundir import RunDir

CHECKPOINT = re.compile(r"/checkpoints/checkpoint-\d+/[^/]+\Z")
Ignore = Callable[[str, list[str]], Iterable[str]]


def copy_folder(source: Path, target: Path, ignore: Ignore | None = None) -> None:
    """Copy `source` to `target`, which must not be there. `ignore`: as `shutil.copytree` takes it."""
    shutil.copytree(source, target, copy_function=_take, ignore=ignore)


def replace_folder(source: Path, target: Path) -> None:
    """Put a copy of `source` in the place of `target`. After a kill at any moment it can be done again."""
    stage = target.with_name(f".{target.name}.staging")
    shutil.rmtree(stage, ignore_errors=True)
    copy_folder(source, stage)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(stage, target)


def copy_steps(source: RunDir, target: RunDir) -> None:
    """Note the training steps of one run in another; those that it had itself count no more."""
    target.log_event("adopt", run=source.name)
    for event in source.load_events():
        if event["kind"] in ("adopt", "step"):
            facts = {key: value for key, value in event.items() if key not in ("time", "kind")}
            target.log_event(event["kind"], **facts)


def _take(source: str, target: str) -> str:
    if CHECKPOINT.search(Path(source).as_posix()):
        try:
            os.link(source, target)
        except OSError:
            # Another file system, or one without links.
            return str(shutil.copy2(source, target))
        return target
    return str(shutil.copy2(source, target))
