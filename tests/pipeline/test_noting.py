"""What a run tells is passed on, and kept in its folder for those who look from elsewhere."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuneproof.errors import FitError
from tuneproof.pipeline import noting
from tuneproof.pipeline.chain import explain_end
from tuneproof.pipeline.noting import Noting
from tuneproof.progress import Quiet
from tuneproof.records import Standing
from tuneproof.rundir import RunDir


class Ear(Quiet):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        self.told.append((stage, total))

    def advance(self, done: int, **facts: float) -> None:
        self.told.append((done, facts))

    def end(self, stage: str) -> None:
        self.told.append(stage)

    def say(self, key: str, **values: object) -> None:
        self.told.append((key, values))

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        self.told.append((pieces, trained, total))


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "run")


def test_the_listener_hears_everything(run: RunDir) -> None:
    ear = Ear()
    listener = Noting(ear, run)
    listener.begin("train", 4)
    listener.advance(1, loss=0.5)
    listener.show_mask([("a", True)], 1, 2)
    listener.say("data.detectable", n=4, effect="9.1")
    listener.end("train")
    told = [("train", 4), (1, {"loss": 0.5}), ([("a", True)], 1, 2), ("data.detectable", {"n": 4, "effect": "9.1"})]
    assert ear.told == [*told, "train"]


def test_the_folder_says_how_far_the_stage_is(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noting, "PAUSE", 0.0)
    listener = Noting(Quiet(), run)
    listener.begin("base", 10)
    listener.begin("load")
    assert run.load(Standing).stage == "load"
    listener.end("load")
    listener.advance(7)
    standing = run.load(Standing)
    assert (standing.stage, standing.done, standing.total) == ("base", 7, 10)
    assert standing.begun <= standing.time


def test_notes_are_not_written_more_often_than_somebody_looks(run: RunDir) -> None:
    listener = Noting(Quiet(), run)
    listener.begin("base", 1000)
    written = (run.path / "progress.json").stat().st_mtime_ns
    for done in range(1000):
        listener.advance(done)
    assert run.load(Standing).done == 0
    assert (run.path / "progress.json").stat().st_mtime_ns == written


def test_what_is_said_is_kept_by_its_key(run: RunDir) -> None:
    Noting(Quiet(), run).say("probes.left_out", language="zh", right=1, why=Path("a"))
    (event,) = run.load_events()
    assert (event["kind"], event["key"]) == ("said", "probes.left_out")
    assert event["values"] == {"language": "zh", "right": 1, "why": "a"}


def test_a_folder_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder", encoding="utf-8")
    ear = Ear()
    listener = Noting(ear, RunDir(tmp_path / "run"))
    listener.begin("train", 1)
    listener.say("data.no_test", rows=1)
    assert len(ear.told) == 2


def test_a_full_disk_ends_a_run_as_one_and_stops_no_note(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails within a file does not know the file's name."""
    full = OSError(errno.ENOSPC, "No space left on device")
    told = explain_end(run, full)
    assert isinstance(told, FitError)
    assert (told.exit_code, told.where) == (4, str(run.path))

    def fail(*given: object) -> None:
        raise FitError("disk.filled", where="progress.json") from full

    monkeypatch.setattr(RunDir, "save", fail)
    ear = Ear()
    Noting(ear, run).begin("train", 1)
    assert len(ear.told) == 1
