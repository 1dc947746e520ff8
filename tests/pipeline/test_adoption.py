"""Taking over a remedy: a kill at any moment loses nothing, and the same command ends as if there had been none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.curing import FORGETS, SHIPS, Script, read_cure, snapshot
from tuneproof.config.load import dump_config, load_config
from tuneproof.errors import StoppedError
from tuneproof.pipeline import adoption, cure, resume_run
from tuneproof.progress import Quiet
from tuneproof.records import JudgeRecord, RunRecord
from tuneproof.rundir import RunDir


@pytest.fixture(scope="module")
def ready(forgetful: RunDir, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run that was killed when its remedy, with another training, was about to be adopted."""
    folder = tmp_path_factory.mktemp("ready") / "run"
    shutil.copytree(forgetful.path, folder)
    run = RunDir(folder)
    config, _ = load_config(run.config)
    config.trials.cure = True
    run.config.write_text(dump_config(config), encoding="utf-8")
    run.save(JudgeRecord(model="big", host="judge.example", n=2, wins=2, losses=0, ties=0, inconsistent=0, unclear=0))

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        Script(patch).verdicts = [FORGETS, FORGETS, FORGETS, SHIPS]
        patch.setattr(cure, "adopt_trial", kill)
        with pytest.raises(StoppedError):
            resume_run(run.path, Quiet())
    return run


def kill_after(patch: pytest.MonkeyPatch, at: int) -> None:
    """Kill in the middle of the adoption: after the piece `at` has been done, and before it is known to be."""

    def make(piece: Callable[[RunDir, RunDir], None]) -> Callable[[RunDir, RunDir], None]:
        def perform(run: RunDir, trial: RunDir) -> None:
            piece(run, trial)
            raise KeyboardInterrupt

        return perform

    pieces = list(adoption.PIECES)
    pieces[at] = make(pieces[at])
    patch.setattr(adoption, "PIECES", tuple(pieces))


@pytest.fixture(scope="module")
def unbroken(ready: RunDir, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the run comes to where nothing is killed."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    shutil.copytree(ready.path, folder)
    return snapshot(resume_run(folder, Quiet()))


@pytest.mark.parametrize("at", range(len(adoption.PIECES)))
def test_a_kill_in_the_middle_of_the_adoption_loses_nothing(
    ready: RunDir, forgetful: RunDir, unbroken: dict[str, bytes], tmp_path: Path, at: int
) -> None:
    shutil.copytree(ready.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, at)
        with pytest.raises(StoppedError):
            resume_run(run.path, Quiet())
    assert read_cure(run).adopting == "cure-rate"
    resume_run(run.path, Quiet())
    assert (read_cure(run).adopted, read_cure(run).adopting) == ("cure-rate", None)
    assert snapshot(run) == unbroken
    assert "eval/judge.json" not in unbroken
    first = snapshot(RunDir(run.trials / "first"))
    assert {name: text for name, text in snapshot(forgetful).items() if first.get(name) != text} == {}
    assert "This is the cured adapter" in run.report.read_text("utf-8")
    assert run.load(RunRecord).status == "done"


def test_a_kill_in_the_middle_of_a_folder_is_mended(ready: RunDir, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    shutil.copytree(ready.path, tmp_path / "run")
    run = RunDir(tmp_path / "run")
    real = shutil.rmtree

    def kill(path: Any, *given: Any, **named: Any) -> None:
        real(path, *given, **named)
        if Path(path) == run.adapter:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuneproof.pipeline.links.shutil.rmtree", kill)
        with pytest.raises(StoppedError):
            resume_run(run.path, Quiet())
    assert not run.adapter.exists()
    resume_run(run.path, Quiet())
    assert snapshot(run) == unbroken
