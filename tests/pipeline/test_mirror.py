"""A run folder and its copy at a store: another machine goes on from it, and no file of anybody else is touched.

The stores are folders (`file://`) and fsspec's own in memory: what differs between kinds of stores is fsspec's matter.
"""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import fsspec
import pytest
from safetensors.torch import load_file

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import load_settled
from tuneproof.errors import RunError, StoppedError, UsageError
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.pipeline.mirror import NOTE, Mirror, open_store
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord, Verdict
from tuneproof.rundir import RunDir


@pytest.fixture(params=["file", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path / 'store'}" if request.param == "file" else f"memory://bucket-{uuid.uuid4().hex}/runs/a"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    return {name: text for name, text in found.items() if "/." not in f"/{name}"}


def test_another_machine_has_what_was_pushed_and_the_first_what_the_other_did(address: str, tmp_path: Path) -> None:
    one, two = Mirror(tmp_path / "one", address), Mirror(tmp_path / "two", address)
    write(one.folder, run="1", eval__base="old", checkpoints__a="x" * 100)
    write(one.folder / ".staging", half="no")
    one.push()
    assert two.fetch()
    assert read(two.folder) == {"run": "1", "eval/base": "old", "checkpoints/a": "x" * 100}
    assert not two.fetch()
    write(two.folder, run="2", eval__tuned="new")
    (two.folder / "checkpoints" / "a").unlink()
    two.push()
    assert one.fetch()
    assert read(one.folder) == {"run": "2", "eval/base": "old", "eval/tuned": "new"}
    assert (one.folder / ".staging" / "half").is_file()


def test_only_what_changed_is_sent_and_fetched(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    for name in ("_put", "_get"):
        plain = getattr(Mirror, name)
        monkeypatch.setattr(
            Mirror, name, lambda self, file, plain=plain, name=name: (moved.append(name + file), plain(self, file))[1]
        )
    one, two = Mirror(tmp_path / "one", address), Mirror(tmp_path / "two", address)
    write(one.folder, run="1", big="x" * 1000)
    one.push()
    two.fetch()
    assert sorted(moved) == ["_getbig", "_getrun", "_putbig", "_putrun"]
    moved.clear()
    one.push()
    assert moved == []
    write(one.folder, run="2")
    one.push()
    two.fetch()
    assert moved == ["_putrun", "_getrun"]


def test_a_push_that_was_cut_short_is_made_good(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Mirror(tmp_path / "one", address)
    write(one.folder, a="1", b="2")
    plain, sent = Mirror._put, []

    def fail_at_second(self: Mirror, name: str) -> None:
        sent.append(name)
        if len(sent) == 2:
            raise ConnectionResetError("gone")
        plain(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "_put", fail_at_second)
        with pytest.raises(RunError, match="ConnectionResetError: gone"):
            one.push()
    # Nothing of it counts yet for anybody else.
    assert not Mirror(tmp_path / "two", address).fetch()
    one.push()
    two = Mirror(tmp_path / "two", address)
    assert two.fetch()
    assert read(two.folder) == {"a": "1", "b": "2"}


def test_a_fetch_that_was_cut_short_begins_anew(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Mirror(tmp_path / "one", address), Mirror(tmp_path / "two", address)
    write(one.folder, **{"run.json": "1", "z": "2"})
    one.push()
    plain = Mirror._get

    def fail(self: Mirror, name: str) -> None:
        if name == "z":
            raise TimeoutError("slow")
        plain(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Mirror, "_get", fail)
        with pytest.raises(RunError, match="slow"):
            two.fetch()
    with pytest.raises(RunError, match="gone on with this run"):
        two.push()
    assert two.fetch()
    assert read(two.folder) == {"run.json": "1", "z": "2"}


def test_nobody_is_overwritten_unasked(address: str, tmp_path: Path) -> None:
    one, two, three = (Mirror(tmp_path / name, address) for name in ("one", "two", "three"))
    write(one.folder, **{"run.json": "1"})
    one.push()
    write(two.folder, **{"run.json": "another"})
    with pytest.raises(RunError, match="another one at"):
        two.fetch()
    with pytest.raises(RunError, match="gone on with this run"):
        two.push()
    assert three.fetch()
    write(three.folder, **{"run.json": "3"})
    three.push()
    write(one.folder, **{"run.json": "1b"})
    with pytest.raises(RunError, match="gone on with this run"):
        one.push()
    two.claim()
    two.push()
    assert three.fetch()
    assert read(three.folder) == {"run.json": "another"}


def test_files_of_somebody_else_are_refused_and_stay(address: str, tmp_path: Path) -> None:
    store, root = open_store(address)
    store.makedirs(root, exist_ok=True)
    store.pipe_file(f"{root}/thesis.docx", b"years of work")
    mirror = Mirror(tmp_path / "one", address)
    write(mirror.folder, run="1")
    for ask in (mirror.push, mirror.fetch):
        with pytest.raises(RunError, match="no run was copied to"):
            ask()
    assert store.cat_file(f"{root}/thesis.docx") == b"years of work"


def test_names_that_lead_out_of_the_folder_are_not_followed(address: str, tmp_path: Path) -> None:
    store, root = open_store(address)
    store.makedirs(root, exist_ok=True)
    files = {"run": 1, "../out": 1, "/etc/out": 1, "a/../../out": 1, ".hidden": 1}
    store.pipe_file(f"{root}/run", b"1")
    store.pipe_file(f"{root}/{NOTE}", json.dumps({"push": 1, "files": files}).encode())
    mirror = Mirror(tmp_path / "deep" / "one", address)
    assert mirror.fetch()
    assert read(tmp_path / "deep" / "one") == {"run": "1"}


def test_addresses_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        Mirror(tmp_path, "nosuch://bucket/run")
    with pytest.raises(UsageError, match="password") as caught:
        Mirror(tmp_path, "ftp://me:secret@host/run")
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2
    with pytest.raises(RunError) as gone:
        Mirror(tmp_path, "file:///proc/no/such").push()
    assert gone.value.exit_code == 6


def test_a_run_that_lost_its_machine_ends_as_if_it_had_not(tiny_model_dir: Path, tmp_path: Path) -> None:
    """Stopped in the middle of training, its folder gone; the same command elsewhere, and then `resume` of nothing."""
    rows = write_rows(tmp_path / "rows.jsonl", 60)
    config = make_config(rows, tiny_model_dir, **QUICK)
    config.train.max_steps, config.train.save_steps = 12, 4
    whole = run_all(RunRequest(config, tmp_path / "whole", command="tuneproof run"), Quiet())
    config.report.store = f"memory://lost-{uuid.uuid4().hex}/run"

    class Stopping(Quiet):
        def advance(self, done: int, **facts: float) -> None:
            if "loss" in facts and done == 6:
                raise KeyboardInterrupt

    with pytest.raises(StoppedError):
        run_all(RunRequest(config, tmp_path / "here", command="tuneproof run"), Stopping())
    shutil.rmtree(tmp_path / "here")
    there = run_all(RunRequest(config, tmp_path / "there", command="tuneproof run"), Quiet())
    name = "adapter_model.safetensors"
    first, second = load_file(whole.adapter / name), load_file(there.adapter / name)
    assert all((first[key] == second[key]).all() for key in first)
    steps = [event["step"] for event in there.load_events() if event["kind"] == "step"]
    # What had been computed before the last checkpoint was not computed again.
    assert steps.count(4) == 1
    assert set(steps) == set(range(1, 13))
    assert fsspec.filesystem("memory").exists(f"{config.report.store.removeprefix('memory:/')}/report.html")

    again = resume_run(tmp_path / "again", Quiet(), store=config.report.store)
    assert again.load(Verdict) == there.load(Verdict)
    assert again.load(RunRecord).status == "done"
    assert load_settled(again.config).report.store == config.report.store


def test_a_store_that_is_out_of_reach_for_a_while_stops_no_run(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, **QUICK)
    config.train.max_steps, config.report.store = 2, f"memory://slow-{uuid.uuid4().hex}/run"
    plain, calls = Mirror.push, []

    def fail_at_first(self: Mirror) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise RunError("store.unreachable", where=self.address, why="TimeoutError: slow")
        plain(self)

    monkeypatch.setattr(Mirror, "push", fail_at_first)
    run = run_all(RunRequest(config, tmp_path / "run", command="tuneproof run"), Quiet())
    assert [event["key"] for event in run.load_events() if event["kind"] == "said"].count("store.behind") == 2
    copy = RunDir(tmp_path / "copy")
    assert Mirror(copy.path, config.report.store).fetch()
    assert copy.load(Verdict) == run.load(Verdict)
