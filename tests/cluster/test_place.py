"""How many workers a cluster bears, what is told where it does not, and what passes between them and the command."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tuneproof.cli import run_command
from tuneproof.cluster import Place
from tuneproof.cluster.board import Board, Member, Outcome
from tuneproof.cluster.place import Shape, open_cluster, shape_group
from tuneproof.cluster.train import follow_board, open_outcome
from tuneproof.cluster.worker import Job
from tuneproof.errors import ConfigError, Fault, FitError, RunError, StoppedError, TuneproofError, UsageError
from tuneproof.progress import Quiet


def make_nodes(*resources: dict[str, float], lost: int = 0) -> list[dict[str, Any]]:
    nodes = [{"Alive": True, "Resources": one} for one in resources]
    return [*nodes, *({"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}} for _ in range(lost))]


@pytest.mark.parametrize(
    ("place", "shape"),
    [
        (Place("auto"), Shape(3, 4, use_gpu=False)),  # One a machine, each with its processors.
        (Place("auto", workers=2), Shape(2, 8, use_gpu=False)),
        (Place("auto", workers=5), Shape(5, 4, use_gpu=False)),
        (Place("auto", workers=20), Shape(20, 1, use_gpu=False)),
    ],
)
def test_workers_are_as_large_as_the_machines_allow(place: Place, shape: Shape) -> None:
    nodes = make_nodes({"CPU": 8.0}, {"CPU": 8.0}, {"CPU": 4.0}, {"memory": 1e9}, lost=1)
    assert shape_group(nodes, place) == shape


def test_there_is_a_worker_for_each_gpu() -> None:
    nodes = make_nodes({"CPU": 8.0, "GPU": 4.0}, {"CPU": 8.0, "GPU": 2.0}, lost=1)
    assert shape_group(nodes, Place("auto")) == Shape(6, 1, use_gpu=True)
    assert shape_group(nodes, Place("auto", gpus=2)) == Shape(2, 1, use_gpu=True)
    assert shape_group(nodes, Place("auto", workers=2)).use_gpu is False


@pytest.mark.parametrize(
    ("place", "key"),
    [(Place("auto", gpus=3), "cluster.few_gpus"), (Place("auto", workers=9), "cluster.few_cpus")],
)
def test_more_than_there_is_is_refused(place: Place, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        shape_group(make_nodes({"CPU": 8.0, "GPU": 2.0}, lost=1), place)
    assert caught.value.key == key


def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tuneproof.cluster.find_spec", lambda name: None)
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="tuneproof\\[cluster\\]"), open_cluster("local"):
        pass
    code = run_command(["run", str(tmp_path / "rows.jsonl"), "--model", "demo", "--cluster", "local"])
    assert code == 2
    assert "pip install 'tuneproof[cluster]'" in capsys.readouterr().err


def test_workers_without_a_cluster_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    assert run_command(["run", str(tmp_path / "rows.jsonl"), "--model", "demo", "--workers", "2"]) == 2
    assert "--workers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        FitError("disk.full", where="runs", needed=3, free=1),
        StoppedError("train.stopped", signal_number=15, step=3, steps=9, run="runs/first"),
        ConfigError([Fault("config.no_model", where="model.name"), Fault("config.no_model", where="b")]),
    ],
)
def test_an_error_goes_from_process_to_process(error: TuneproofError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was packed in this line.
    assert type(again) is type(error)
    assert (again.key, again.where, again.exit_code) == (error.key, error.where, error.exit_code)
    assert (again.message(), again.hint(), str(again)) == (error.message(), error.hint(), str(error))


class Remotely:
    """A board in this process, called as Ray's actors are."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._board, name)
        return type("Method", (), {"remote": staticmethod(method)})

    def get(self, value: Any) -> Any:
        """As `ray.get`."""
        return value


class Ear(Quiet):
    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def begin(self, stage: str, total: int | None = None) -> None:
        self.heard.append((stage, total))

    def say(self, key: str, **values: object) -> None:
        self.heard.append((key, values))


def test_what_workers_tell_is_told_here_in_order_and_the_first_outcome_counts() -> None:
    board, ear = Board(), Ear()
    board.tell(("begin", ("train", 60), {}))
    board.tell(("say", ("train.skipped",), {"why": "x"}))
    board.finish(Outcome(error=FitError("disk.full", where="runs", needed=3, free=1)))
    board.finish(Outcome(trace="what others fail by"))
    outcome = follow_board(Remotely(board), Remotely(board), [], ear)
    assert ear.heard == [("train", 60), ("train.skipped", {"why": "x"})]
    with pytest.raises(FitError):
        open_outcome(outcome, Job(Path("runs")))


def test_a_cluster_that_gives_up_is_no_success() -> None:
    board = Remotely(Board())
    with pytest.raises(RunError) as caught:
        follow_board(board, board, [RuntimeError("first\nthe last line")], Ear())
    assert caught.value.values["why"] == "the last line"
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        open_outcome(Outcome(trace="ZeroDivisionError"), Job(Path("runs")))


def test_groups_are_counted_and_hear_of_a_stop() -> None:
    board = Board()
    board.join("here:1", Member(1, 11, "b"))
    board.join("here:1", Member(0, 10, "a"))
    board.join("here:2", Member(0, 12, "a"))
    assert board.list_members("here:1") == (1, [Member(0, 10, "a"), Member(1, 11, "b")])
    assert board.list_members("here:2") == (2, [Member(0, 12, "a")])
    assert board.tell(("end", ("base",), {})) is None
    board.stop(15)
    assert board.tell(("end", ("train",), {})) == 15
