"""Rows that are piped in are kept and read again; weights decide what a pass of training sees, and nothing else."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.hub import COMMIT, OTHER, put_hub
from tests.pipeline.test_chain import WORDS, make_config, write_rows
from tuneproof.config import RunConfig
from tuneproof.config.load import load_config
from tuneproof.errors import DataError, RunError, UsageError
from tuneproof.messages import tell
from tuneproof.pipeline import RunRequest, check_data, resume_run, run_all
from tuneproof.pipeline.chain import _hash_files as hash_files
from tuneproof.pipeline.incoming import hold_stdin, keep_stdin, name_again, pin_names
from tuneproof.pipeline.mixing import list_side
from tuneproof.pipeline.rows import prepare_rows
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord, Split
from tuneproof.records.data import Side
from tuneproof.rundir import RunDir

Pipe = Callable[[bytes], None]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Put bytes where standard input is read."""

    def put(raw: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))

    return put


def write_public(path: Path, count: int) -> Path:
    """Rows of another kind; every tenth asks what a row of `write_rows` asks."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            asked = f"{WORDS[number % 17]} tale of {number} {WORDS[number * 5 % 17]} and {number * number} more"
            copied = f"sum {number // 5 * 2} and {number // 5 * 6}"
            row = {"instruction": copied if number % 10 == 0 else asked, "output": f"A tale, number {number}."}
            file.write(json.dumps(row) + "\n")
    return path


def mix(folder: Path, weights: dict[str, float]) -> RunConfig:
    config = RunConfig()
    own, public = write_rows(folder / "own.jsonl", 120), write_public(folder / "public.jsonl", 200)
    config.data.files = [str(own), str(public)]
    config.data.weights = weights
    return config


def test_a_light_file_is_for_training_only(tmp_path: Path) -> None:
    prepared = prepare_rows(mix(tmp_path, {"public.jsonl": 0.5}), Quiet())
    sides = Counter((Path(row.file).name, prepared.split.rows[row.id].side) for row in prepared.rows)
    assert {file for file, side in sides if side != "train"} == {"own.jsonl"}
    alone = prepare_rows(mix(tmp_path, {"public.jsonl": 0.01}), Quiet())
    assert {row.id for row in prepared.rows if prepared.split.rows[row.id].side == "test"} == {
        row.id for row in alone.rows if alone.split.rows[row.id].side == "test"
    }
    (weight,) = prepared.report.weights
    assert (weight.weight, weight.rows) == (0.5, prepared.report.tasks["public"])
    assert weight.used == weight.seen == sides["public.jsonl", "train"]
    assert prepared.split.sizes["train"] == sum(count for (_, side), count in sides.items() if side == "train")


def test_a_light_row_that_asks_what_is_tested_is_left_out(tmp_path: Path) -> None:
    prepared = prepare_rows(mix(tmp_path, {"public.jsonl": 0.999}), Quiet())
    held = {row.question for row in prepared.rows if prepared.split.rows[row.id].side != "train"}
    taught = {row.question for row in prepared.rows if row.file.endswith("public.jsonl")}
    assert held
    assert held.isdisjoint(taught)
    (weight,) = prepared.report.weights
    assert 0 < weight.rows - weight.used == prepared.report.shadowed <= 20


def test_what_weights_and_folders_leave_out_is_said(tmp_path: Path) -> None:
    class Heard(Quiet):
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, key: str, **values: object) -> None:
            self.said.append(tell(key, **values))

    config = mix(tmp_path, {"public.jsonl": 0.5})
    config.data.files = [str(tmp_path)]
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    heard = Heard()
    report = prepare_rows(config, heard).report
    (weight,) = report.weights
    assert heard.said == [
        f"{report.shadowed} rows of files that are for training only are left out: they are nearly rows that are "
        "tested or chosen by.",
        f"{tmp_path / 'public.jsonl'} has the weight 0.5: {weight.used} of its {weight.rows} rows are used, and a "
        f"pass over the data sees {weight.seen} (for training only)",
        f"Not read: {tmp_path / 'notes.txt'}",
    ]
    assert report.left_out == [str(tmp_path / "notes.txt")]


def test_a_heavy_file_is_seen_more_often_and_tested_once(tmp_path: Path) -> None:
    plain = prepare_rows(mix(tmp_path, {}), Quiet())
    prepared = prepare_rows(mix(tmp_path, {"own.jsonl": 3.0}), Quiet())
    assert prepared.split == plain.split
    sides: tuple[Side, ...] = ("train", "select", "test")
    for side in sides:
        for row in list_side(prepared.rows, prepared.split, side):
            assert row.copies == (3 if side == "train" and row.file.endswith("own.jsonl") else 1)


def test_weights_that_leave_nothing_to_test_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        prepare_rows(mix(tmp_path, {"own.jsonl": 0.5, "public.jsonl": 0.5}), Quiet())
    assert caught.value.key == "data.light_weights"
    with pytest.raises(UsageError) as caught:
        prepare_rows(mix(tmp_path, {"owm.jsonl": 2.0}), Quiet())
    assert caught.value.key == "data.unknown_weight"


def test_what_is_piped_in_is_checked_like_a_file(tmp_path: Path, pipe: Pipe) -> None:
    raw = write_rows(tmp_path / "rows.jsonl", 120).read_bytes() + b'{"instruction": "q"\n'
    config = RunConfig()
    config.data.files = ["-"]
    pipe(raw)
    report = check_data(config, Quiet())
    assert (report.rows, report.files, report.counts["bad_json"]) == (121, ["-"], 1)
    assert {finding.file for finding in report.findings} == {"-"}


def test_errors_about_what_is_piped_in_name_no_temporary_file(pipe: Pipe) -> None:
    config = RunConfig()
    config.data.files = ["-"]
    pipe(b'{"title": "t"}\n')
    with pytest.raises(DataError) as caught:
        check_data(config, Quiet())
    assert caught.value.where == "-:1"
    pipe(b"")
    with pytest.raises(DataError) as caught:
        check_data(config, Quiet())
    assert (caught.value.key, caught.value.where) == ("data.empty_file", "-")


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    config = RunConfig()
    config.data.files = ["-"]
    with pytest.raises(UsageError) as caught, hold_stdin(config, Terminal()):
        pass
    assert caught.value.key == "data.no_stdin"
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError) as caught, hold_stdin(config):
        pass
    assert caught.value.key == "data.no_stdin"


def test_config_without_a_pipe_or_a_data_set_stays_as_it_is(tmp_path: Path) -> None:
    config = mix(tmp_path, {"own.jsonl": 2.0})
    with hold_stdin(pin_names(config)) as held:
        assert held.config == config
        assert keep_stdin(held, RunDir(tmp_path / "run")) == config
        report = prepare_rows(config, Quiet()).report
        assert name_again(report, held) is report
    assert not (tmp_path / "run").exists()


def test_names_of_data_sets_are_pinned_to_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the data set later, a resumed run reads the same rows, and its fingerprint tells it."""
    put_hub(tmp_path, monkeypatch)
    config = mix(tmp_path, {"owner/name": 0.5})
    config.data.files[1:], config.data.test = ["owner/name"], "owner/name:test"
    pinned = pin_names(config)
    assert pinned.data.files == [config.data.files[0], f"owner/name@{COMMIT}"]
    assert pinned.data.test == f"owner/name@{COMMIT}:test"
    assert pin_names(pinned) == pinned
    weights = prepare_rows(pinned, Quiet()).report.weights
    assert [(Path(one.file).name, one.weight) for one in weights] == [
        ("train-00000-of-00002.jsonl", 0.5),
        ("train-00001-of-00002.jsonl", 0.5),
    ]
    assert hash_files(pinned.data.files) == hash_files(pinned.data.files)
    other = [pinned.data.files[0], f"owner/name@{OTHER}"]
    assert hash_files(pinned.data.files) != hash_files(other)


def test_a_run_keeps_what_was_piped_in_and_goes_on_with_it(tmp_path: Path, tiny_model_dir: Path, pipe: Pipe) -> None:
    """Begun from a pipe with weights, stopped behind training, gone on with and resumed; other rows are refused."""
    raw = write_rows(tmp_path / "rows.jsonl", 120).read_bytes()
    config = make_config(Path("-"), tiny_model_dir)
    config.data.files.append(str(write_public(tmp_path / "public.jsonl", 40)))
    config.data.weights = {"-": 2.0, "public.jsonl": 0.5}
    request = RunRequest(config, tmp_path / "run", command="tuneproof train -", until="train")
    pipe(raw)
    run = run_all(request, Quiet())
    kept = tmp_path / "run" / "data" / "stdin.jsonl"
    assert kept.read_bytes() == raw
    written, _ = load_config(run.config)
    assert written.data.files[0] == str(kept)
    assert written.data.weights == {str(kept): 2.0, "public.jsonl": 0.5}

    taught, record = run.load_rows("train"), run.load(RunRecord)
    assert {(row.task, row.copies) for row in taught} == {("sum", 2), ("code", 2), ("public", 1)}
    assert record.training is not None
    assert record.training.rows - (record.training.replay_rows or 0) == sum(row.copies for row in taught)
    assert {row.copies for side in ("select", "test") for row in run.load_rows(side)} == {1}
    assert run.load(Split).sizes["train"] == len(taught)

    pipe(raw)
    assert run_all(request, Quiet()).load(RunRecord).fingerprint == record.fingerprint
    assert resume_run(run.path, Quiet(), until="train").load(RunRecord).status == "done"
    for other in (raw + raw[:60], b"question,answer\nq,a\n"):
        pipe(other)
        with pytest.raises(RunError) as caught:
            run_all(request, Quiet())
        assert caught.value.key == "data.other_stdin"
    assert [file.name for file in kept.parent.glob("*stdin*")] == ["stdin.jsonl"]
