"""Scorers of the user's own: found by entry point, tried before training, and every fault told with its place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_probes import Listener
from tuneproof.errors import ConfigError, ScorerError
from tuneproof.evals.custom import list_custom, load_custom, score_custom
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.records import Verdict

CODE = """
def half(answer, reference, prompt):
    return 1.0 if answer == reference else 0.5

def loud(answer, reference, prompt):
    if answer != reference:
        raise ValueError("no dose in it")
    return 1

def wild(answer, reference, prompt):
    return 7

def text(answer, reference, prompt):
    return "good"

def nan(answer, reference, prompt):
    return float("nan")

constant = 3
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with scorers, as pip leaves it in site-packages."""
    site = tmp_path / "site-packages"
    info = site / "clinic_scorers-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "clinic_scorers.py").write_text(CODE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic-scorers\nVersion: 1.0\n", encoding="utf-8")
    names = ("half", "loud", "wild", "text", "nan", "constant", "missing")
    points = "\n".join(f"{name} = clinic_scorers:{name}" for name in names)
    (info / "entry_points.txt").write_text(f"[tuneproof.scorers]\n{points}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    load_custom.cache_clear()
    yield
    load_custom.cache_clear()
    sys.modules.pop("clinic_scorers", None)


def test_installed_scorers_are_found_and_called() -> None:
    assert {"half", "loud"} <= set(list_custom())
    assert score_custom("half", "a", "b", "q", place="rows.jsonl:3") == 0.5


@pytest.mark.parametrize("name", ["wild", "text", "nan"])
def test_what_is_no_score_is_named_with_its_row(name: str) -> None:
    with pytest.raises(ScorerError) as caught:
        score_custom(name, "two pills", "one pill", "q", place="rows.jsonl:3")
    assert caught.value.key == "scorer.outside"
    assert caught.value.exit_code == 2
    assert all(part in str(caught.value) for part in ("rows.jsonl:3", name, "two pills"))


def test_a_scorer_that_raises_is_named_with_its_row_and_its_reason() -> None:
    with pytest.raises(ScorerError) as caught:
        score_custom("loud", "two pills", "one pill", "q", place="rows.jsonl:3")
    assert all(part in str(caught.value) for part in ("rows.jsonl:3", "loud", "ValueError: no dose in it"))


@pytest.mark.parametrize(("name", "why"), [("missing", "AttributeError"), ("constant", "not callable")])
def test_a_scorer_that_cannot_be_loaded_is_named(name: str, why: str) -> None:
    with pytest.raises(ScorerError, match=why):
        load_custom(name)


@pytest.mark.parametrize("name", ["nobody", "os:system", "clinic_scorers:half"])
def test_only_installed_names_are_taken_and_no_task_is_invented(
    name: str, tiny_model_dir: Path, tmp_path: Path
) -> None:
    """A config that came from elsewhere must not be able to name code."""
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir)
    config.evaluate.scorers = {"sum": name, "summ": "number"}
    with pytest.raises(ConfigError) as caught:
        run_all(RunRequest(config, tmp_path / "run", command=""), Listener())
    assert {(fault.key, fault.where) for fault in caught.value.faults} == {
        ("scorer.unknown", "evaluate.scorers.sum"),
        ("scorer.no_task", "evaluate.scorers.summ"),
    }


def test_a_run_is_judged_by_the_scorers_that_its_config_names(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, select_probes=0)
    config.evaluate.scorers = {"sum": "half", "code": "contains"}
    run = run_all(RunRequest(config, tmp_path / "run", command=""), Listener())
    answers = run.load_answers("tuned", "test")
    assert {(answer.task, answer.scorer) for answer in answers} == {("sum", "half"), ("code", "contains")}
    assert {answer.score for answer in answers if answer.scorer == "half"} <= {0.5, 1.0}
    assert {task.task: task.metric for task in run.load(Verdict).tasks} == {"sum": "half", "code": "contains"}
    assert "half" in run.report.read_text(encoding="utf-8")


def test_answers_that_a_scorer_fails_on_are_kept(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir)
    config.evaluate.scorers = {"sum": "loud"}
    out = tmp_path / "run"
    with pytest.raises(ScorerError, match=r"rows\.jsonl:\d+"):
        run_all(RunRequest(config, out, command=""), Listener())
    lines = (out / "eval" / "unscored.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    assert {"id", "place", "prompt", "reference", "answer"} == set(json.loads(lines[0]))


def test_a_scorer_that_fails_on_the_references_stops_before_training(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir)
    config.evaluate.scorers = {"sum": "wild"}
    with pytest.raises(ScorerError):
        run_all(RunRequest(config, tmp_path / "run", command=""), Listener())
    assert not (tmp_path / "run" / "plan.json").exists()
