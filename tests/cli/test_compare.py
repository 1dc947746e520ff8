"""`compare`: run folders side by side; with the real pipeline, which loads no model for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import HOSTILE, Call, make_answer, make_run
from tests.test_startup import run_and_list
from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

ITEMS = 40


def make_other(name: str, right: int, *, base: str = "one", items: range = range(ITEMS)) -> RunDir:
    """A run whose tuned model has the first `right` items right, on the base with this fingerprint."""
    config = RunConfig()
    config.model.name = f"model-{base}"
    run = make_run(Path(name), config)
    record = run.load(RunRecord)
    record.fingerprint = {"base": base}
    run.save(record)
    for arm in ("base", "tuned"):
        count = right if arm == "tuned" else right // 2
        for suite in ("test", "retention"):
            run.save_answers(arm, suite, [make_answer(number, number < count) for number in items])
    return run


def test_the_first_run_is_the_reference(call: Call) -> None:
    make_other("a", 10)
    make_other("b", 30)
    done = call("compare", "a", "b", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["first"], told["model"], told["correction"]) == ("a", "model-one", "none")
    (run,) = told["runs"]
    assert (run["run"], run["base"]) == ("b", None)
    test, retention = run["tuned"]["test"], run["tuned"]["retention"]
    assert (test["n"], test["first"], test["other"], test["delta"]) == (ITEMS, 0.25, 0.75, pytest.approx(0.5))
    assert (test["better"], test["worse"], test["same"], test["left_out"]) == (20, 0, 20, {})
    assert (retention["lost"], retention["gained"], retention["p_value"]) == (0, 20, pytest.approx(2**-19))
    back = json.loads(call("compare", "b", "a", "--json").out)["runs"][0]["tuned"]
    assert (back["test"]["delta"], back["retention"]["lost"]) == (pytest.approx(-0.5), 20)


def test_the_screen_shows_what_was_found(call: Call) -> None:
    make_other("a", 10)
    make_other("b", 30, items=range(5, ITEMS + 3))
    done = call("compare", "a", "b")
    assert done.code == 0
    words = " ".join(done.out.split())
    assert "b 35 14.3 % 71.4 % +57.1" in words
    assert "20/0/15" in words
    assert "b, test rows: 35 shared; left out: 5 that only the first run has; 3 that only this run has" in words
    assert "base against base" not in words
    assert "Holm" not in words


def test_different_bases_are_compared_too(call: Call) -> None:
    make_other("a", 10)
    make_other("b", 30, base="two")
    done = call("compare", "a", "b", "--json")
    base = json.loads(done.out)["runs"][0]["base"]
    assert (base["test"]["first"], base["test"]["other"]) == (5 / ITEMS, 15 / ITEMS)
    shown = call("compare", "a", "b").out
    assert "Test rows, base against base" in shown
    assert "b, base model model-two" in shown


def test_several_comparisons_carry_holms_correction_and_it_is_said(call: Call) -> None:
    for name, right in (("a", 10), ("b", 18), ("c", 11)):
        make_other(name, right)
    told = json.loads(call("compare", "a", "b", "c", "--json").out)
    assert told["correction"] == "holm"
    gained = [run["tuned"]["retention"] for run in told["runs"]]
    assert [one["p_value"] for one in gained] == pytest.approx([2**-7, 1.0])
    assert [one["p_adjusted"] for one in gained] == pytest.approx([2**-6, 1.0])
    assert "Holm's correction for all its rows" in " ".join(call("compare", "a", "b", "c").out.split())


def test_chinese_is_spoken_and_what_a_folder_is_called_commands_no_terminal(call: Call) -> None:
    make_other("a", 10)
    config = RunConfig()
    config.model.name = HOSTILE
    run = make_other("b", 12)
    run.config.write_text(dump_config(config), encoding="utf-8")
    done = call("compare", "a", "b", "--lang", "zh")
    assert done.code == 0
    assert "测试集，微调后的模型" in done.out
    assert "\x1b" not in done.out
    assert "[bold red]owned" in done.out


def test_runs_that_share_nothing_are_refused_by_name(call: Call) -> None:
    make_other("a", 10)
    make_other("b", 10, items=range(ITEMS, 2 * ITEMS))
    done = call("compare", "a", "b")
    assert (done.code, done.out) == (6, "")
    assert "a, b: These two runs share no test row" in done.err


def test_one_run_is_wrong_usage(call: Call) -> None:
    make_other("a", 10)
    done = call("compare", "a")
    assert done.code == 2
    assert "One run alone cannot be compared." in done.err


def test_a_folder_that_is_no_run_or_has_no_answers_is_named(call: Call) -> None:
    make_other("a", 10)
    done = call("compare", "a", "nothing")
    assert done.code == 6
    assert "nothing: This is not a run folder." in done.err
    run = make_other("b", 10)
    run.answers_path("tuned", "test").unlink()
    done = call("compare", "a", "b")
    assert done.code == 6
    assert "b/eval/tuned/test.jsonl" in done.err


def test_no_weights_are_touched() -> None:
    make_other("a", 10)
    make_other("b", 12)
    code = "sys.argv = ['tuneproof', 'compare', 'a', 'b']; runpy.run_module('tuneproof', run_name='__main__')"
    shown, loaded = run_and_list(code)
    assert "Test rows" in shown
    assert not {"torch", "transformers", "peft"} & set(loaded)
