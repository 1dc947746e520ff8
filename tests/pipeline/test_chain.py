"""The chain on a tiny model: every record is written, none is made twice, another experiment is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest

from tuneproof.config import RunConfig
from tuneproof.config.load import load_config
from tuneproof.errors import DataError, FitError, RunError, UsageError
from tuneproof.evals.task import deal_probes
from tuneproof.pipeline import RunRequest, check_data, open_run, plan_run, report_run, resume_run, run_all
from tuneproof.pipeline.chain import CHAIN
from tuneproof.progress import Quiet
from tuneproof.records import (
    DataReport,
    HarnessRecord,
    JudgeRecord,
    Marks,
    Plan,
    RunRecord,
    Selection,
    Split,
    Standing,
    Trials,
    Verdict,
)
from tuneproof.rundir import PLACES, RunDir
from tuneproof.training.checkpoint import check_checkpoint, list_checkpoints

WORDS = "amber basil cedar delta ember fjord grove hazel ivory jade karst larch maple nadir ocean pearl quartz".split()


def write_rows(path: Path, count: int) -> Path:
    """Rows of two tasks whose questions share few words."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            first, second = WORDS[number % 17], WORDS[number * 7 % 17]
            asked = f"{second} {number} {first} {number * number} ?" if number % 2 else f"sum {number} and {number * 3}"
            said = f"{first} code {number}" if number % 2 else f"Total: {number * 4}"
            row = {"instruction": asked, "output": said, "task": "code" if number % 2 else "sum"}
            file.write(json.dumps(row) + "\n")
    return path


def make_config(data: Path, model: Path, **evaluate: object) -> RunConfig:
    config = RunConfig()
    config.model.name, config.model.dtype = str(model), "float32"
    config.data.files = [str(data)]
    config.train.max_steps = 4
    config.replay.fraction, config.replay.max_new_tokens = 0.1, 8
    few = {"retention_items": 12, "select_rows": 6, "select_probes": 12, "drift_items": 4, "train_rows": 6}
    knobs = {**few, "max_new_tokens": 6, "few_shot": [1], "scales": [1.0, 0.5], **evaluate}
    for key, value in knobs.items():
        setattr(config.evaluate, key, value)
    return config


@pytest.fixture(scope="module")
def finished(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    folder = tmp_path_factory.mktemp("chain")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir)
    return run_all(RunRequest(config, folder / "run", command="tuneproof run rows.jsonl"), Quiet())


def copy_run(finished: RunDir, tmp_path: Path) -> RunDir:
    import shutil

    shutil.copytree(finished.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


def stages_started(run: RunDir) -> list[str]:
    return [event["stage"] for event in run.load_events() if event["kind"] == "stage_start"]


def test_every_record_and_file_of_the_contract_is_there(finished: RunDir) -> None:
    assert all(finished.has(kind) for kind in PLACES if kind not in (Trials, JudgeRecord, HarnessRecord, Marks))
    for name in ("train", "select", "test", "replay"):
        assert finished.has_rows(name)
    for arm, suite in (("base", "test"), ("base", "retention"), ("tuned", "test"), ("tuned", "retention")):
        assert finished.load_answers(arm, suite)
    record = finished.load(RunRecord)
    assert record.status == "done"
    assert list(record.stages) == [stage.name for stage in CHAIN] == stages_started(finished)
    assert record.training is not None
    assert record.training.steps == 4
    assert record.training.peak_bytes is None or record.training.peak_bytes > 0
    for step in list_checkpoints(finished.checkpoints):
        assert check_checkpoint(finished.checkpoints / f"checkpoint-{step}") is None


def test_the_adapter_folder_is_ready_for_others(finished: RunDir, tiny_model_dir: Path) -> None:
    """Tokenizer and chat template beside the weights, a card with the verdict, nothing of this machine."""
    from transformers import AutoTokenizer

    tokenizer, base = (AutoTokenizer.from_pretrained(folder) for folder in (finished.adapter, tiny_model_dir))
    asked = [{"role": "user", "content": "What is tea?"}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == base.apply_chat_template(asked, tokenize=False)
    card = (finished.adapter / "README.md").read_text(encoding="utf-8")
    assert finished.load(Verdict).summary["en"].split(":")[0] in card
    written = [path for path in finished.adapter.iterdir() if path.suffix in (".json", ".md", ".jinja")]
    named = [path.name for path in written if str(finished.path.parent) in path.read_text(encoding="utf-8")]
    assert named == []


def test_who_watches_finds_samples_of_a_checkpoint_on_the_way(finished: RunDir) -> None:
    steps = list_checkpoints(finished.checkpoints)
    on_the_way = steps[0]
    assert on_the_way < steps[-1]
    samples = finished.load_answers("samples", f"checkpoint-{on_the_way}")
    asked = {answer.id: answer.prompt for answer in finished.load_answers("base", "select")}
    assert {answer.task for answer in samples} == {"code", "sum"}
    assert all(asked[answer.id] == answer.prompt for answer in samples)
    assert not finished.answers_path("samples", f"checkpoint-{steps[-1]}").exists()
    assert finished.load(Standing).stage == "report"


def test_sides_share_no_row_and_no_cluster(finished: RunDir) -> None:
    split = finished.load(Split)
    sides = {name: {row.id for row in finished.load_rows(name)} for name in ("train", "select", "test")}
    assert sum(map(len, sides.values())) == len(set.union(*sides.values())) == finished.load(DataReport).usable
    clusters = {name: {split.rows[row].cluster for row in ids} for name, ids in sides.items()}
    assert not clusters["train"] & clusters["test"]
    assert not clusters["select"] & clusters["test"]


def test_both_arms_answer_the_same_items(finished: RunDir) -> None:
    for suite in ("test", "retention"):
        base, tuned = finished.load_answers("base", suite), finished.load_answers("tuned", suite)
        assert [answer.id for answer in base] == [answer.id for answer in tuned]
    verdict = finished.load(Verdict)
    assert verdict.task.n == len(finished.load_rows("test"))
    left_out = sum(cell["n"] for cell in verdict.retention.left_out.values())
    assert verdict.retention.n + left_out == 12
    chosen_by = {answer.id for answer in finished.load_answers("base", "slice")}
    assert chosen_by.isdisjoint(answer.id for answer in finished.load_answers("base", "retention"))
    assert len(chosen_by) == 12
    both = [answer for suite in ("slice", "retention") for answer in finished.load_answers("base", suite)]
    assert chosen_by == {answer.id for answer in deal_probes(both, 12)["slice"]}


def test_a_language_the_base_cannot_speak_is_not_asked_and_it_is_said(finished: RunDir) -> None:
    config, _ = load_config(finished.config)
    (event,) = (event for event in finished.load_events() if event["kind"] == "languages")
    assert config.evaluate.languages == event["kept"] == ["en"]
    assert event["right"]["zh"] < 5
    assert {answer.language for answer in finished.load_answers("base", "retention")} == {"en"}


def test_the_resolved_config_gives_the_same_adapter_again(finished: RunDir, tmp_path: Path) -> None:
    config, _ = load_config(finished.config)
    values = config.model_dump()
    for section, key in (
        ("lora", "rank"),
        ("lora", "alpha"),
        ("train", "learning_rate"),
        ("train", "epochs"),
        ("train", "save_steps"),
        ("train", "micro_batch"),
        ("model", "dtype"),
        ("memory", "limit"),
    ):
        assert values[section][key] is not None, key
    run = run_all(RunRequest(config, tmp_path / "again", command="", until="train"), Quiet())
    for step in list_checkpoints(run.checkpoints):
        first, again = (
            (place.checkpoints / f"checkpoint-{step}" / "adapter_model.safetensors").read_bytes()
            for place in (finished, run)
        )
        assert first == again


def test_the_adapter_folder_is_for_everyone(finished: RunDir) -> None:
    names = {path.name for path in finished.adapter.iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json"} <= names
    assert not [name for name in names if name.endswith((".pt", ".bin", ".pth"))]
    config = json.loads((finished.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    scale = finished.load(Selection).scale
    assert config["lora_alpha"] == pytest.approx(16 * scale)


def test_running_again_makes_nothing_again(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    before = stages_started(run)
    resume_run(run.path, Quiet())
    assert stages_started(run) == before


def test_a_record_that_is_gone_is_made_again_and_nothing_before_it(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    verdict = run.load(Verdict)
    (run.path / "verdict.json").unlink()
    before = len(stages_started(run))
    resume_run(run.path, Quiet())
    assert stages_started(run)[before:] == ["verdict"]
    again = run.load(Verdict)
    assert again.model_copy(update={"seconds": {}}) == verdict.model_copy(update={"seconds": {}})


def test_other_data_in_the_same_folder_is_refused(finished: RunDir, tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "other.jsonl", 121), tiny_model_dir)
    with pytest.raises(RunError) as caught:
        run_all(RunRequest(config, finished.path, command="tuneproof run other.jsonl"), Quiet())
    assert caught.value.key == "run.other"
    assert "data" in str(caught.value.values["differences"])
    assert caught.value.exit_code == 6


def test_another_learning_rate_in_the_same_folder_is_refused(finished: RunDir, tiny_model_dir: Path) -> None:
    config = make_config(Path(finished.path.parent / "rows.jsonl"), tiny_model_dir)
    config.train.learning_rate = 1e-3
    with pytest.raises(RunError) as caught:
        run_all(RunRequest(config, finished.path, command="tuneproof run rows.jsonl"), Quiet())
    assert caught.value.values["differences"] == "train.learning_rate was not set, is now 0.001"


def test_a_stop_before_training_goes_on_to_the_same_adapter(
    finished: RunDir, tiny_model_dir: Path, tmp_path: Path
) -> None:
    config = make_config(Path(finished.path.parent / "rows.jsonl"), tiny_model_dir)
    request = RunRequest(config, tmp_path / "run", command="tuneproof run rows.jsonl", until="train")
    run = run_all(request, Quiet())
    assert not run.has(Verdict)
    resume_run(run.path, Quiet())
    whole, parts = finished.adapter, run.adapter
    assert (whole / "adapter_model.safetensors").read_bytes() == (parts / "adapter_model.safetensors").read_bytes()


def test_a_second_writer_is_refused(finished: RunDir) -> None:
    with finished.lock(), pytest.raises(RunError) as caught:
        resume_run(finished.path, Quiet())
    assert caught.value.key == "run.locked"


def test_too_few_rows_train_on_and_claim_nothing(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "few.jsonl", 30), tiny_model_dir)
    run = run_all(RunRequest(config, tmp_path / "run", command="tuneproof run few.jsonl"), Quiet())
    assert run.load_rows("test") == []
    verdict = run.load(Verdict)
    assert verdict.decision == "not_enough_evidence"
    assert "no_test" in verdict.reasons
    assert verdict.rows_needed
    assert run.report.is_file()
    assert (run.adapter / "adapter_model.safetensors").is_file()


def test_bad_input_leaves_no_run_behind(tiny_model_dir: Path, tmp_path: Path) -> None:
    missing = make_config(tmp_path / "missing.jsonl", tiny_model_dir)
    with pytest.raises(UsageError):
        check_data(missing, Quiet())
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        run_all(RunRequest(make_config(empty, tiny_model_dir), tmp_path / "run", command=""), Quiet())
    assert caught.value.exit_code == 3
    record = RunDir(tmp_path / "run").load(RunRecord)
    assert record.status == "failed"
    assert record.error


def test_what_does_not_fit_says_what_would(tiny_model_dir: Path, tmp_path: Path) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 80), tiny_model_dir)
    config.memory.limit = 1_000_000
    config.model.device = "cpu"
    with pytest.raises(FitError) as caught:
        run_all(RunRequest(config, tmp_path / "run", command=""), Quiet())
    assert caught.value.exit_code == 4
    plan = plan_run(config, Quiet())
    assert not plan.fits


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        open_run(tmp_path)
    assert caught.value.key == "run.not_a_run"


def test_the_report_is_written_again_in_the_other_language(finished: RunDir, tmp_path: Path) -> None:
    run = copy_run(finished, tmp_path)
    page = report_run(run.path, "zh").read_text(encoding="utf-8")
    assert 'lang="zh' in page
    assert finished.report.read_text(encoding="utf-8") != page


def test_replay_that_falls_short_is_told(tiny_model_dir: Path, tmp_path: Path) -> None:
    """The tiny model ends no answer in time."""

    class Heard(Quiet):
        said: ClassVar[dict[str, dict[str, object]]] = {}

        def say(self, key: str, **values: object) -> None:
            self.said[key] = values

    config = make_config(write_rows(tmp_path / "rows.jsonl", 120), tiny_model_dir)
    config.replay.fraction = 0.5
    run = run_all(RunRequest(config, tmp_path / "run", command="", until="train"), Heard())
    replay, training = run.load_rows("replay"), run.load(RunRecord).training
    assert training is not None
    assert training.replay_rows == len(replay) == Heard.said["replay.short"]["n"] == 0
    assert Heard.said["replay.short"]["wanted"] == "50.0 %"


def test_the_plan_is_held_against_what_was_measured(finished: RunDir) -> None:
    plan = finished.load(Plan)
    assert plan.fits
    assert plan.peak_bytes == plan.parts.total()
    assert plan.time is not None
    assert plan.time.cut == []


def test_the_users_own_test_file_is_the_test_and_what_leaks_it_is_left_out(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    data = write_rows(tmp_path / "rows.jsonl", 100)
    own = tmp_path / "own.jsonl"
    lines = [json.dumps({"instruction": f"{a} or {b}?", "output": a}) for a in WORDS for b in WORDS[:3] if a != b]
    leak = data.read_text(encoding="utf-8").splitlines()[6]
    asked = "Please tell me which of these two words comes first in the dictionary, apple or pear"
    wordings = [json.dumps({"instruction": asked + end, "output": "apple"}) for end in ("?", "", " now?")]
    own.write_text("\n".join([*lines[:40], leak, *wordings]) + "\n", encoding="utf-8")
    config = make_config(data, tiny_model_dir)
    config.data.test = str(own)
    run = run_all(RunRequest(config, tmp_path / "run", command="", until="train"), Quiet())
    tests = run.load_rows("test")
    assert {Path(row.file).name for row in tests} == {"own.jsonl"}
    assert len(tests) == 44
    split = run.load(Split).rows
    assert len({split[row.id].cluster for row in tests if row.question.startswith("Please tell me")}) == 1
    assert len({split[row.id].cluster for row in tests}) > 30
    kept = {row.line for side in ("train", "select") for row in run.load_rows(side)}
    assert 7 not in kept
    assert len(kept) == 99
    assert any(finding.line == 7 and finding.severity == "error" for finding in run.load(DataReport).findings)


def test_a_test_file_that_is_the_training_file_is_refused(tiny_model_dir: Path, tmp_path: Path) -> None:
    data = write_rows(tmp_path / "rows.jsonl", 60)
    config = make_config(data, tiny_model_dir)
    config.data.test = str(data)
    with pytest.raises(DataError, match=r"rows\.jsonl") as caught:
        run_all(RunRequest(config, tmp_path / "run", command="", until="train"), Quiet())
    assert (caught.value.key, caught.value.exit_code) == ("data.all_leaked", 3)
