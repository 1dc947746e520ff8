"""Judge model and benchmarks: beside the verdict, never in its way. Fakes: one is a server, the other a program."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evals.judging import FakeJudge, Reply, Seen, say, serve_judge
from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config import RunConfig
from tuneproof.errors import ConfigError, UsageError
from tuneproof.evals import remote
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.pipeline.beside import load_votes
from tuneproof.progress import Quiet
from tuneproof.records import HarnessRecord, JudgeRecord, RunRecord, Verdict
from tuneproof.rundir import RunDir

FAKE_HARNESS = """#!{python}
# Takes the command line of lm_eval 0.4.13 and writes what it writes; fails where a file called `broken` lies beside it.
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "calls.jsonl", "a", encoding="utf-8") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if (here / "broken").exists():
    sys.exit("ConnectionError: cannot reach the hub to load arc_easy")
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
model = json.loads(options["--model_args"])
score = 0.61 if "peft" in model else 0.64
results = {{
    "results": {{
        task: {{"alias": task, "acc,none": score, "acc_stderr,none": 0.01, "exact_match,strict-match": score / 2,
               "exact_match_stderr,strict-match": "N/A"}}
        for task in options["--tasks"].split(",")
    }},
    "n-samples": {{task: {{"original": 900, "effective": 900}} for task in options["--tasks"].split(",")}},
    "higher_is_better": {{task: {{"acc": True}} for task in options["--tasks"].split(",")}},
    "lm_eval_version": "0.4.13",
}}
folder = pathlib.Path(options["--output_path"]) / "a__model"
folder.mkdir(parents=True)
(folder / "results_2026-01-01T00-00-00.json").write_text(json.dumps(results), encoding="utf-8")
"""


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a program lm_eval in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "lm_eval"
    program.write_text(FAKE_HARNESS.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture(scope="module")
def trained(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run that has its verdict and nothing beside it."""
    folder = tmp_path_factory.mktemp("beside")
    config = make_config(write_rows(folder / "rows.jsonl", 60), tiny_model_dir, few_shot=[])
    return run_all(RunRequest(config, folder / "run", command="tuneproof run rows.jsonl"), Quiet())


def reopen(trained: RunDir, folder: Path, **evaluate: object) -> RunDir:
    """A copy of the run as if its config had named more from the start."""
    from tuneproof.config.load import dump_config, load_config

    shutil.copytree(trained.path, folder / "run")
    run = RunDir(folder / "run")
    config, _ = load_config(run.config)
    for key, value in evaluate.items():
        setattr(config.evaluate, key, value)
    run.config.write_text(dump_config(config), encoding="utf-8")
    # The tiny model learns nothing in four steps: its answers stay those of the base.
    tuned = run.load_answers("tuned", "test")
    said = [one.model_copy(update={"answer": f"tuned {at}"}) for at, one in enumerate(tuned)]
    run.save_answers("tuned", "test", said)
    record = run.load(RunRecord)
    for stage in ("opinion", "harness"):
        del record.stages[stage]
    run.save(record)
    return run


@pytest.fixture
def fond_judge() -> Iterator[FakeJudge]:
    """A server that prefers the tuned answer wherever it stands."""

    def answer(_: int, seen: Seen) -> Reply:
        asked = seen.body["messages"][0]["content"]
        first = asked.partition("<answer_a>\n")[2].partition("\n</answer_a>")[0]
        return say("[[A]]" if first.startswith("tuned") else "[[B]]")

    with serve_judge(answer) as judge:
        yield judge


def test_without_a_word_in_the_config_nothing_is_asked(trained: RunDir) -> None:
    assert not trained.has(JudgeRecord)
    assert not trained.has(HarnessRecord)
    assert 'id="beside"' not in trained.report.read_text(encoding="utf-8")


def test_the_judge_reads_both_orders_and_changes_no_verdict(
    trained: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fond_judge: FakeJudge
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "secret-123")
    run = reopen(trained, tmp_path, judge={"base_url": fond_judge.url, "model": "big", "api_key_env": "JUDGE_KEY"})
    resume_run(run.path, Quiet())
    record, rows = run.load(JudgeRecord), len(run.load_rows("test"))
    assert (record.n, record.wins, record.losses, record.error) == (rows, rows, 0, None)
    assert len(fond_judge.seen) == 2 * rows > 0
    assert {seen.key for seen in fond_judge.seen} == {"Bearer secret-123"}
    assert run.load(Verdict).decision == trained.load(Verdict).decision
    assert 'id="beside"' in run.report.read_text(encoding="utf-8")
    written = [path for path in run.path.rglob("*") if path.is_file() and path.suffix in (".json", ".jsonl", ".yaml")]
    assert not any("secret-123" in path.read_text(encoding="utf-8") for path in written)


def test_a_judge_that_fails_loses_nothing_and_is_asked_on(
    trained: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "FIRST_WAIT", 0.0)
    broken = [True]

    def answer(number: int, _: Seen) -> Reply:
        return Reply(402, "no credit left") if broken[0] and number >= 6 else say("[[T]]")

    with serve_judge(answer) as judge:
        run = reopen(trained, tmp_path, judge={"base_url": judge.url, "model": "big"}, judge_rows=8)
        resume_run(run.path, Quiet())
        first = run.load(JudgeRecord)
        assert first.error is not None
        assert "no credit left" in first.error
        assert run.load(RunRecord).status == "done"
        assert "no credit left" in run.report.read_text(encoding="utf-8")
        kept = load_votes(run.path / "eval" / "judge.jsonl")
        assert 0 < len(kept) <= 6
        with (run.path / "eval" / "judge.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"id": "cut')  # As a crash leaves it.
        broken[0] = False
        asked = len(judge.seen)
        resume_run(run.path, Quiet())
        assert run.load(JudgeRecord).error is None
        assert run.load(JudgeRecord).n == 8
        assert len(judge.seen) - asked <= 16 - len(kept)
        assert "no credit left" not in run.report.read_text(encoding="utf-8")
        asked = len(judge.seen)
        resume_run(run.path, Quiet())
        assert len(judge.seen) == asked


def start(config: RunConfig, folder: Path) -> RunDir:
    return run_all(RunRequest(config, folder / "new", command=""), Quiet())


def test_a_judge_that_cannot_be_asked_is_told_before_training(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir)
    config.evaluate.judge = {"base_url": "judge.example", "api_key_env": "NO_SUCH_KEY", "temprature": "1"}
    with pytest.raises(ConfigError) as caught:
        start(config, tmp_path)
    assert {fault.key for fault in caught.value.faults} == {
        "judge.key",
        "judge.no_url",
        "judge.no_model",
        "judge.no_key",
    }
    assert not (tmp_path / "new" / "plan.json").exists()


def test_benchmarks_run_on_base_and_adapter_in_a_process_each(trained: RunDir, tmp_path: Path, harness: Path) -> None:
    run = reopen(trained, tmp_path, harness=["arc_easy", "gsm8k"])
    resume_run(run.path, Quiet())
    calls = [json.loads(line) for line in (harness / "calls.jsonl").read_text(encoding="utf-8").splitlines()]
    models = [json.loads(call[call.index("--model_args") + 1]) for call in calls]
    assert [call[0] for call in calls] == ["run", "run"]
    assert [("peft" in model) for model in models] == [False, True]
    assert models[1]["peft"] == str(run.adapter.resolve())
    record = run.load(HarnessRecord)
    assert (record.version, record.error) == ("0.4.13", None)
    (accuracy,) = (one for one in record.scores if (one.task, one.metric) == ("gsm8k", "acc"))
    assert (accuracy.base, accuracy.tuned, accuracy.base_error, accuracy.n) == (0.64, 0.61, 0.01, 900)
    assert {one.metric for one in record.scores} == {"acc", "exact_match (strict-match)"}
    assert run.load(Verdict).decision == trained.load(Verdict).decision
    assert "gsm8k" in run.report.read_text(encoding="utf-8")


def test_benchmarks_that_fail_pass_on_what_was_said_and_are_tried_again(
    trained: RunDir, tmp_path: Path, harness: Path
) -> None:
    (harness / "broken").touch()
    run = reopen(trained, tmp_path, harness=["arc_easy"])
    resume_run(run.path, Quiet())
    failed = run.load(HarnessRecord)
    assert failed.error is not None
    assert "cannot reach the hub" in failed.error
    assert run.load(RunRecord).status == "done"
    assert "cannot reach the hub" in run.report.read_text(encoding="utf-8")
    (harness / "broken").unlink()
    resume_run(run.path, Quiet())
    assert run.load(HarnessRecord).error is None
    assert run.load(HarnessRecord).scores


def test_a_harness_that_is_not_installed_is_told_before_training(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("lm_eval", path=str(Path(sys.executable).parent)):
        pytest.skip("lm-evaluation-harness is installed beside this Python")
    monkeypatch.setenv("PATH", str(tmp_path))
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, harness=["arc_easy"])
    with pytest.raises(UsageError, match="lm-eval"):
        start(config, tmp_path)
    assert not (tmp_path / "new" / "plan.json").exists()
