"""The runs of a folder: which there are, and a line about each.

Only direct children of the folder count, and a name from a request is looked up in the list of them, never joined to a
path. What is read off a run is kept until one of its files changes, so that a thousand runs are listed in a moment.

    shelf = Shelf(Path("runs"))
    shelf.find("rows-demo")                    # RunDir, or None
    [line.decision for line in shelf.list_lines()]
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tuneproof.errors import RunError
from tuneproof.records import RunRecord, Verdict
from tuneproof.records.verdict import Decision, Interval
from tuneproof.report.page import read_losses
from tuneproof.rundir import PLACES, RunDir
from tuneproof.web.life import State, state_of

Found = TypeVar("Found")
SPARKS = 40
"""Points of the small curve of the training loss."""
Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Line:
    """What the table says of one run. None: not measured, or not yet."""

    name: str
    state: State
    created: float
    seconds: float
    model: str | None
    files: tuple[str, ...]
    rows: int | None
    decision: Decision | None
    gain: float | None
    ci95: Interval | None
    n: int | None
    net_loss: float | None
    lost: int | None
    gained: int | None
    error: str | None = None

    @property
    def base(self) -> str | None:
        """The base model as a reader calls it: of a local folder its own name."""
        local = self.model is not None and re.match(r"[/.~\\]|[A-Za-z]:", self.model)
        return re.split(r"[/\\]", self.model.rstrip("/\\"))[-1] if local and self.model else self.model

    @property
    def text(self) -> str:
        """What a search looks through."""
        return " ".join([self.name, self.model or "", *self.files]).lower()


class Shelf:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[tuple[str, str], tuple[Stamp, Any]] = {}

    def list_runs(self) -> dict[str, RunDir]:
        """Name -> run folder, of every direct child that holds a run. A link that leads out is none of ours."""
        try:
            entries = list(os.scandir(self.folder))
        except OSError:
            return {}
        here = self.folder.resolve()
        runs = {}
        for entry in entries:
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            path = self.folder / entry.name
            if entry.is_symlink() and path.resolve().parent != here:
                continue
            if (path / PLACES[RunRecord]).is_file():
                runs[entry.name] = RunDir(path)
        return runs

    def find(self, name: str) -> RunDir | None:
        """The run of this name."""
        return self.list_runs().get(name)

    def list_lines(self) -> list[Line]:
        """A line for every run whose record can be read, in no order."""
        lines = (self.read_line(name, run) for name, run in self.list_runs().items())
        return [line for line in lines if line is not None]

    def read_line(self, name: str, run: RunDir) -> Line | None:
        """The line of a run; its state is looked up anew each time."""
        try:
            record = self._keep("record", run, (PLACES[RunRecord],), lambda: run.load(RunRecord))
        except RunError:
            return None
        made = self._keep(
            "line", run, (PLACES[RunRecord], PLACES[Verdict], "config.yaml"), lambda: make_line(run, record)
        )
        state = state_of(run, record)
        return made if made.state == state else Line(**{**vars(made), "state": state})

    def read_losses(self, run: RunDir) -> list[tuple[int, float]]:
        """Training loss by step, thinned out to what a small curve can show."""
        return self._keep("losses", run, ("events.jsonl",), lambda: pick_some(read_losses(run), SPARKS))

    def _keep(self, what: str, run: RunDir, files: tuple[str, ...], read: Callable[[], Found]) -> Found:
        """What `read` returns, read again when one of the files has changed."""
        stamp = tuple(stamp_file(run.path / name) for name in files)
        key = (what, run.path.name)
        kept = self._kept.get(key)
        if kept is None or kept[0] != stamp:
            kept = (stamp, read())
            self._kept[key] = kept
        found: Found = kept[1]
        return found


def stamp_file(path: Path) -> tuple[int, int] | None:
    """Time of change and size; None where there is no file."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size


def pick_some(points: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most `most` of the points, evenly spread, the last one among them."""
    step = -(-len(points) // most) if points else 1
    return points[::-1][::step][::-1]


def make_line(run: RunDir, record: RunRecord) -> Line:
    """Read a run's line off its folder; a verdict that is damaged counts as none."""
    verdict = load_verdict(run)
    model, files = read_subject(run.config)
    task, retention = (verdict.task, verdict.retention) if verdict else (None, None)
    return Line(
        name=run.path.name,
        state=record.status,
        created=record.created,
        seconds=sum(stage.seconds for stage in record.stages.values()),
        model=model,
        files=files,
        rows=record.training.rows - record.training.replay_rows if record.training else None,
        decision=verdict.decision if verdict else None,
        gain=task.delta if task else None,
        ci95=task.ci95 if task else None,
        n=task.n if task else None,
        net_loss=retention.net_loss if retention else None,
        lost=retention.lost if retention else None,
        gained=retention.gained if retention else None,
        error=record.error,
    )


def load_verdict(run: RunDir) -> Verdict | None:
    """The verdict, where there is one that can be read."""
    try:
        return run.load(Verdict) if run.has(Verdict) else None
    except RunError:
        return None


def read_subject(config: Path) -> tuple[str | None, tuple[str, ...]]:
    """Base model and names of the data files. Of the config only these two sections are parsed: YAML is slow."""
    try:
        text = config.read_text(encoding="utf-8", errors="replace")
        wanted = [
            part for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if part.startswith(("model:", "data:"))
        ]
        tree = yaml.safe_load("".join(wanted)) or {}
        model, files = tree["model"]["name"], tree["data"]["files"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return None, ()
    return model and str(model), tuple(re.split(r"[/\\]", str(file))[-1] for file in files or ())
