"""The run folder: what is saved is loaded, what is damaged is named, one writer at a time, never half a file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from tuneproof.errors import RunError
from tuneproof.records import Answer, Blame, DataReport, Message, Row, RunRecord, Split
from tuneproof.rundir import PLACES, RunDir, write_atomic

RECORD = RunRecord(
    status="running", command="tuneproof demo", fingerprint={}, versions={}, device="cpu", seed=17, created=0
)
SPLIT = Split(seed=17, rows={}, sizes={"train": 0, "select": 0, "test": 0}, clusters=0)
REPORT = DataReport(rows=2, usable=1, files=["a.jsonl"])
ANSWER = Answer(
    id="a",
    task="facts",
    scorer="exact",
    prompt="p",
    reference="r",
    answer='线\u2028\n"',
    score=0.5,
    right=False,
    tokens=3,
    finish="length",
)
SAID = [Message(role="user", content="é"), Message(role="assistant", content="")]
ROW = Row(id="1", file="rows.jsonl", line=3, task="t", messages=SAID)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "runs" / "first")


@pytest.mark.parametrize("record", [RECORD, SPLIT, REPORT], ids=lambda record: type(record).__name__)
def test_a_record_is_loaded_as_it_was_saved(run: RunDir, record: BaseModel) -> None:
    assert not run.has(type(record))
    run.save(record)
    assert run.has(type(record))
    assert run.load(type(record)) == record
    assert (run.path / PLACES[type(record)]).is_file()


def test_rows_and_answers_are_loaded_as_they_were_saved(run: RunDir) -> None:
    run.save_rows("train", [ROW, ROW])
    run.save_answers("base", "retention", [ANSWER])
    assert run.has_rows("train")
    assert not run.has_rows("test")
    assert run.load_rows("train") == [ROW, ROW]
    assert run.load_answers("base", "retention") == [ANSWER]
    assert run.answers_path("base", "retention").read_text(encoding="utf-8").count("\n") == 1


def test_the_name_of_a_run_is_its_folder(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    run.path.mkdir(parents=True)
    monkeypatch.chdir(run.path)
    assert RunDir(Path()).name == run.name == "first"


def test_a_missing_record_is_named(run: RunDir) -> None:
    with pytest.raises(RunError) as raised:
        run.load(Split)
    assert raised.value.key == "run.missing"
    assert raised.value.where == str(run.path / "data" / "split.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"seed": "x"}', b"\xff\xfe", b"\x00" * 50])
def test_a_damaged_record_is_named(run: RunDir, content: bytes) -> None:
    run.save(SPLIT)
    (run.path / PLACES[Split]).write_bytes(content)
    with pytest.raises(RunError) as raised:
        run.load(Split)
    assert raised.value.key == "run.damaged"
    assert "split.json" in str(raised.value)


@pytest.mark.parametrize("content", [b'{"id": 1}\n', b"\xff\n", b'{"id": "1", "fil'])
def test_a_damaged_line_is_named(run: RunDir, content: bytes) -> None:
    run.save_rows("train", [ROW])
    place = run.path / "data" / "train.jsonl"
    place.write_bytes(place.read_bytes() + content)
    with pytest.raises(RunError) as raised:
        run.load_rows("train")
    assert raised.value.key == "run.damaged"
    assert str(place) in (raised.value.where or "")


def test_unknown_fields_of_a_newer_run_are_ignored(run: RunDir) -> None:
    run.save(SPLIT)
    place = run.path / PLACES[Split]
    place.write_text(json.dumps({**json.loads(place.read_text()), "later": {"x": 1}}), encoding="utf-8")
    assert run.load(Split) == SPLIT


def test_events_are_read_up_to_the_line_that_a_crash_cut(run: RunDir) -> None:
    assert run.load_events() == []
    run.log_event("start", stage="train")
    run.log_event("step", step=1, loss=0.5, text="线\u2028线")
    with (run.path / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"time": 1, "ki')
    events = run.load_events()
    assert [event["kind"] for event in events] == ["start", "step"]
    assert events[1]["text"] == "线\u2028线"
    assert events[0]["time"] <= events[1]["time"]


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    place = tmp_path / "run.json"
    write_atomic(place, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(place, "\ud800")
    assert place.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_atomic(tmp_path / "run.json", "x")
        assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(mask)


HOLD = """
import sys
from pathlib import Path
from tuneproof.rundir import RunDir
with RunDir(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_holds_the_folder_and_a_dead_one_holds_nothing(run: RunDir) -> None:
    command = [sys.executable, "-c", HOLD, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RunError) as raised, run.lock():
            pass
        assert raised.value.key == "run.locked"
        assert f"pid {holder.pid}" in raised.value.message()
        holder.kill()
    with run.lock():
        assert f"pid {os.getpid()}" in (run.path / ".owner").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["file/run", "file"])
def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError) as raised, RunDir(tmp_path / place).lock():
        pass
    assert raised.value.key == "run.unwritable"


@pytest.mark.parametrize("line", [b"[" * 100_000, b"3", b"null", b'{"time": 1}', b"\xff\xfe"])
def test_a_line_that_is_no_event_is_left_out(run: RunDir, line: bytes) -> None:
    run.log_event("first")
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(line)
    run.log_event("last")
    assert [event["kind"] for event in run.load_events()] == ["first", "last"]


def test_the_lock_is_free_after_an_error_inside(run: RunDir) -> None:
    with pytest.raises(ValueError, match="inside"), run.lock():
        raise ValueError("inside")
    with run.lock():
        pass


def make_blame(name: str) -> Blame:
    """What is known of one item."""
    return Blame(
        id=name,
        suite="test",
        prompt="p",
        reference="r",
        base="b",
        tuned="t",
        right=False,
        against="base",
        checkpoints=[1],
        n=0,
        spread=None,
        noise_spread=None,
        rows=[],
    )


def test_an_item_of_any_name_is_kept_below_its_folder_and_no_two_share_a_file(run: RunDir) -> None:
    names = ["en-facts-001", "../../escape", "a/b", "a\\b", "A", "a", "", ".", "題" * 90, "x" * 300, "con:1"]
    assert run.load_blames() == []
    for name in [*names, "a"]:
        run.save_blame(make_blame(name))
    assert sorted(blame.id for blame in run.load_blames()) == sorted(names)
    files = list(run.blame.iterdir())
    assert run.blame / "en-facts-001.json" in files
    assert len({file.name.lower() for file in files}) == len(names)
    assert [path for path in run.path.parent.rglob("*") if path.is_file() and path.parent != run.blame] == []
    (run.blame / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError) as raised:
        run.load_blames()
    assert raised.value.where == str(run.blame / "a.json")
