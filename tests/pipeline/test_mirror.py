"""A run folder and its copy at a store: another machine goes on from it, whenever the first one was taken away.

The stores are folders (`file://`) and fsspec's own in memory: what differs between kinds of stores is fsspec's matter.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from safetensors.torch import load_file

from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.config.load import load_settled
from tuneproof.errors import FitError, RunError, StoppedError, UsageError
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.pipeline.mirror import ASIDE, NOTE, Copy, Mirror, take_over
from tuneproof.pipeline.store import LATEST, State, Store
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord, Verdict
from tuneproof.rundir import RunDir

RUN, BASE, WEIGHTS = "run.json", "eval/base/test.jsonl", "checkpoints/checkpoint-4/weights"


@pytest.fixture(params=["file", "memory"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path / 'store'}" if request.param == "file" else f"memory://bucket-{uuid.uuid4().hex}/runs/a"


@pytest.fixture
def open_folder(address: str, tmp_path: Path) -> Callable[[str], Mirror]:
    return lambda name: Mirror(tmp_path / name, address)


def write(mirror: Mirror, **files: str) -> None:
    for name, text in files.items():
        path = mirror.folder / {"run": RUN, "base": BASE, "weights": WEIGHTS, "tuned": "eval/tuned/test.jsonl"}[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(mirror: Mirror) -> dict[str, str]:
    """The folder's files, without those of this machine alone."""
    paths = {path.relative_to(mirror.folder).as_posix(): path for path in mirror.folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in paths.items() if "/." not in f"/{name}"}


def break_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int, *, after: bool = False) -> None:
    """Let the store's `call`-th call of this kind fail, as a kill there would end it; `after`: once it is done."""
    plain, calls = getattr(Store, name), []

    def fail(self: Store, *given: Any) -> Any:
        calls.append(given)
        if len(calls) != call:
            return plain(self, *given)
        if after:
            plain(self, *given)
        raise ConnectionResetError("gone")

    monkeypatch.setattr(Store, name, fail)


def note(monkeypatch: pytest.MonkeyPatch, name: str, hear: Callable[..., None]) -> None:
    """Let `hear` have what the store is given, before it is done."""
    plain = getattr(Store, name)

    def call(self: Store, *given: Any) -> Any:
        hear(*given)
        return plain(self, *given)

    monkeypatch.setattr(Store, name, call)


def test_another_machine_has_what_was_pushed_and_the_first_what_the_other_did(open_folder: Any) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1", base="old", weights="x" * 100)
    (one.folder / "checkpoints" / ".staging").mkdir()
    (one.folder / "checkpoints" / ".staging" / "half").write_text("no")
    one.push()
    assert two.fetch()
    assert read(two) == {RUN: "1", BASE: "old", WEIGHTS: "x" * 100}
    assert not two.fetch()
    write(two, run="2", tuned="new")
    (two.folder / WEIGHTS).unlink()
    two.push()
    assert one.fetch()
    assert read(one) == {RUN: "2", BASE: "old", "eval/tuned/test.jsonl": "new"}
    assert (one.folder / "checkpoints" / ".staging" / "half").is_file()


def test_only_what_changed_is_sent_and_fetched(open_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    for name in ("put", "get", "remove"):
        note(monkeypatch, name, lambda *given, name=name: moved.append(name))
    one, two = open_folder("one"), open_folder("two")
    # Equal contents are one.
    write(one, run="1", base="same", tuned="same", weights="x" * 1000)
    one.push()
    two.fetch()
    assert sorted(moved) == ["get"] * 4 + ["put"] * 3
    moved.clear()
    one.push()
    assert moved == []
    write(one, run="2")
    one.push()
    two.fetch()
    assert moved == ["put", "remove", "get"]


@pytest.mark.parametrize(
    ("name", "call", "after"),
    [("put", 1, False), ("put", 2, True), ("tell", 1, False), ("tell", 1, True), ("remove", 1, False)],
)
def test_a_push_that_was_cut_short_leaves_one_state_or_the_other(
    open_folder: Any, monkeypatch: pytest.MonkeyPatch, name: str, call: int, after: bool
) -> None:
    one = open_folder("one")
    write(one, run="1", base="old", weights="w")
    one.push()
    write(one, run="2", base="new")
    (one.folder / WEIGHTS).unlink()
    with monkeypatch.context() as patch:
        break_at(patch, name, call, after=after)
        with pytest.raises(RunError, match="ConnectionResetError: gone"):
            one.push()
    two = open_folder("two")
    assert two.fetch()
    told = (name, after) in (("tell", True), ("remove", False))
    assert read(two) == ({RUN: "2", BASE: "new"} if told else {RUN: "1", BASE: "old", WEIGHTS: "w"})
    # Its own state is not taken for somebody else's, and is not fetched over what came after.
    write(one, run="3")
    assert not one.fetch()
    one.push()
    assert two.fetch()
    assert read(two) == {RUN: "3", BASE: "new"}


@pytest.mark.parametrize("call", [1, 2])
def test_a_first_push_that_was_cut_short_is_made_good(
    open_folder: Any, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    one = open_folder("one")
    write(one, run="1", base="2")
    with monkeypatch.context() as patch:
        break_at(patch, "put", call)
        with pytest.raises(RunError, match="gone"):
            one.push()
    assert not open_folder("two").fetch()
    one.push()
    two = open_folder("two")
    assert two.fetch()
    assert read(two) == {RUN: "1", BASE: "2"}


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_fetch_that_was_cut_short_is_not_taken_for_a_run(
    open_folder: Any, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1", base="1", weights="1")
    one.push()
    two.fetch()
    write(one, run="2", base="2", tuned="2")
    (one.folder / WEIGHTS).unlink()
    one.push()
    with monkeypatch.context() as patch:
        break_at(patch, "get", call)
        if call < 3:
            # The tuned answers are the base's.
            with pytest.raises(RunError, match="gone"):
                two.fetch()
            with pytest.raises(RunError, match="gone on with this run"):
                two.push()
    assert two.fetch()
    assert read(two) == {RUN: "2", BASE: "2", "eval/tuned/test.jsonl": "2"}


def test_what_was_changed_here_while_another_went_on_is_put_aside(open_folder: Any) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1", base="1")
    one.push()
    two.fetch()
    write(two, run="2")
    two.push()
    token = one.token
    write(one, run="here", tuned="marked")
    assert one.fetch()
    assert read(one) == {RUN: "2", BASE: "1"}
    kept = one.folder / ASIDE / token
    assert {path.read_text() for path in kept.rglob("*") if path.is_file()} == {"here", "marked"}


def test_nobody_is_overwritten_unasked(open_folder: Any) -> None:
    one, two, three = (open_folder(name) for name in ("one", "two", "three"))
    write(one, run="1")
    one.push()
    write(two, run="another")
    with pytest.raises(RunError, match="another one at"):
        two.fetch()
    with pytest.raises(RunError, match="gone on with this run"):
        two.push()
    assert three.fetch()
    write(three, run="3")
    three.push()
    write(one, run="1b")
    with pytest.raises(RunError, match="gone on with this run"):
        one.push()
    # Asked for, by --restart.
    two.claim()
    with pytest.raises(RunError, match="gone on with this run"):
        three.push()
    two.push()
    assert three.fetch()
    assert read(three) == {RUN: "another"}


def test_a_push_in_the_middle_of_another_is_noticed(open_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1")
    one.push()
    two.fetch()
    write(one, run="one")
    write(two, run="two")
    plain, calls = Store.put, []

    def put(self: Store, file: Path, digest: str) -> None:
        plain(self, file, digest)
        calls.append(file)
        if len(calls) == 1:
            two.push()

    monkeypatch.setattr(Store, "put", put)
    with pytest.raises(RunError, match="gone on with this run"):
        one.push()
    three = open_folder("three")
    assert three.fetch()
    assert read(three) == {RUN: "two"}


def test_files_of_somebody_else_are_refused_and_stay(open_folder: Any, address: str) -> None:
    """At the store, and in the folder: `--out .` in a project."""
    store, root = fsspec.core.url_to_fs(address)
    store.makedirs(root, exist_ok=True)
    store.pipe_file(f"{root}/thesis.docx", b"years of work")
    one = open_folder("one")
    write(one, run="1")
    for ask in (one.push, one.fetch):
        with pytest.raises(RunError, match="no run was copied to"):
            ask()
    assert store.cat_file(f"{root}/thesis.docx") == b"years of work"
    store.rm_file(f"{root}/thesis.docx")
    one.push()
    project = open_folder("project")
    for name in ("thesis.docx", "data/rows.jsonl"):
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / name).write_text("mine")
    with pytest.raises(RunError, match="another one at"):
        project.fetch()
    (project.folder / "data" / "rows.jsonl").unlink()
    assert project.fetch()
    assert read(project) == {"thesis.docx": "mine", RUN: "1"}
    write(project, run="2")
    project.push()
    assert set(Store(address).look().files) == {RUN}


def test_names_that_lead_elsewhere_are_not_followed(open_folder: Any, address: str, tmp_path: Path) -> None:
    one = open_folder("deep/one")
    write(one, run="1")
    one.push()
    (digest,) = Store(address).look().files.values()
    names = ("../out", "data/../../out", "eval//x", ".hidden", "data/C:/out", "data\\..\\out", "home", RUN)
    Store(address).tell(State("hostile", dict.fromkeys(names, digest)))
    two = open_folder("deep/two")
    assert two.fetch()
    assert read(two) == {RUN: "1"}
    assert not (tmp_path / "deep" / "out").exists()


def test_a_content_that_is_not_what_it_should_be_is_refused(open_folder: Any, address: str) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1")
    one.push()
    store, root = fsspec.core.url_to_fs(address)
    (digest,) = Store(address).look().files.values()
    store.pipe_file(f"{root}/files/{digest}", b"something else")
    with pytest.raises(RunError, match=digest):
        two.fetch()
    assert not (two.folder / RUN).exists()


def test_a_file_that_grows_while_it_is_sent_is_sent_as_it_ended(
    open_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, plain = open_folder("one"), Store.put
    write(one, run="1")

    def put(self: Store, file: Path, digest: str) -> None:
        plain(self, file, digest)
        if file.read_bytes() == b"1":
            file.write_bytes(b"12")

    monkeypatch.setattr(Store, "put", put)
    one.push()
    two = open_folder("two")
    assert two.fetch()
    assert read(two) == {RUN: "12"}


def test_what_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        Mirror(tmp_path, "nosuch://bucket/run")
    for secret in ("ftp://me:sec#ret@host/run", "simplecache::s3://key:secret@b/x", "https://host/run?sig=secret"):
        with pytest.raises(UsageError, match="password") as caught:
            Mirror(tmp_path, secret)
        assert "sec" not in str(caught.value).replace("AWS_SECRET_ACCESS_KEY", "")
        assert caught.value.exit_code == 2
    full, nowhere = (
        Mirror(tmp_path / "run", address) for address in (f"memory://full-{uuid.uuid4().hex}/a", "file:///proc/no/such")
    )
    write(full, run="1")
    with pytest.raises(RunError, match="read or written") as gone:
        nowhere.push()
    assert gone.value.exit_code == 6
    monkeypatch.setattr(Store, "put", lambda *given: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(FitError):
        full.push()


def test_ranks_elsewhere_have_the_lead_s_state_or_say_so(open_folder: Any, address: str) -> None:
    one, two = open_folder("one"), open_folder("two")
    write(one, run="1")
    one.push()
    take_over(Copy(two.folder, address, one.token))
    assert read(two) == {RUN: "1"}
    take_over(None)
    with pytest.raises(RunError, match="not yet told"):
        take_over(Copy(two.folder, address, "not yet told"))


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

    again = resume_run(tmp_path / "again", Quiet(), store=config.report.store)
    assert again.load(Verdict) == there.load(Verdict)
    assert again.load(RunRecord).status == "done"
    assert load_settled(again.config).report.store == config.report.store
    # Begun anew, the store is too.
    config.train.max_steps = 2
    with pytest.raises(RunError, match=r"train\.max_steps"):
        run_all(RunRequest(config, tmp_path / "other", command="tuneproof run"), Quiet())
    request = RunRequest(config, tmp_path / "anew", command="tuneproof run", restart=True, until="replay")
    anew = run_all(request, Quiet())
    held = Store(config.report.store).look().files
    assert "verdict.json" not in held
    assert json.loads((anew.path / NOTE).read_bytes())["state"][1] == held


def test_trials_are_sent_as_they_go(tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, **QUICK)
    config.train.max_steps, config.trials.seeds = 2, 2
    config.report.store = f"memory://trials-{uuid.uuid4().hex}/run"
    told: list[set[str]] = []
    note(monkeypatch, "tell", lambda state: told.append(set(state.files)))
    run = run_all(RunRequest(config, tmp_path / "run", command="tuneproof run"), Quiet())
    (trial,) = {path.name for path in run.trials.iterdir() if path.is_dir()}
    half = [files for files in told if any(f"trials/{trial}/checkpoints" in name for name in files)]
    assert any(f"trials/{trial}/verdict.json" not in files for files in half)
    assert f"trials/{trial}/verdict.json" in told[-1]
    assert load_settled(RunDir(run.trials / trial).config).report.store is None


def test_a_store_that_is_out_of_reach_for_a_while_stops_no_run(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(write_rows(tmp_path / "rows.jsonl", 60), tiny_model_dir, **QUICK)
    config.train.max_steps, config.report.store = 2, f"memory://slow-{uuid.uuid4().hex}/run"
    with monkeypatch.context() as patch:
        plain, calls = Store.tell, []

        def fail_twice(self: Store, state: State) -> None:
            calls.append(state)
            if len(calls) < 3:
                raise TimeoutError("slow")
            plain(self, state)

        patch.setattr(Store, "tell", fail_twice)
        run = run_all(RunRequest(config, tmp_path / "run", command="tuneproof run"), Quiet())
    assert [event["key"] for event in run.load_events() if event["kind"] == "said"].count("store.behind") == 2
    copy = RunDir(tmp_path / "copy")
    assert Mirror(copy.path, config.report.store).fetch()
    assert copy.load(Verdict) == run.load(Verdict)


def test_the_note_at_the_store_is_plain(open_folder: Any, address: str) -> None:
    one = open_folder("one")
    write(one, run="1")
    one.push()
    store, root = fsspec.core.url_to_fs(address)
    note = json.loads(store.cat_file(f"{root}/{LATEST}"))
    assert note == {"token": one.token, "files": Store(address).look().files}
