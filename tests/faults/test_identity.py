"""A folder belongs to one experiment; another one is refused with what differs, forked, or started over by name."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.injection import flip_byte
from tests.pipeline.test_chain import make_config, write_rows
from tuneproof.config import ModelSection, RunConfig
from tuneproof.config.load import load_config, load_settled
from tuneproof.errors import FitError, RunError, StoppedError, UsageError, tell_changes
from tuneproof.export.source import locate_base
from tuneproof.pipeline import RunRequest, resume_run, run_all
from tuneproof.pipeline.folder import clear_run, refuse_foreign
from tuneproof.pipeline.start import pin_base
from tuneproof.progress import Quiet
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir


class Begun:
    """A run that has trained, its data and its model, all in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.model = folder, folder / "rows.jsonl", folder / "model"
        self.run = RunDir(folder / "run")

    def config(self) -> RunConfig:
        return make_config(self.data, self.model)

    def start(self, config: RunConfig | None = None, **how: bool) -> RunDir:
        request = RunRequest(config or self.config(), self.run.path, command="tuneproof run", until="train", **how)
        return run_all(request, Quiet())


@pytest.fixture(scope="module")
def trained(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identity")
    begun = Begun(folder)
    shutil.copytree(tiny_model_dir, begun.model)
    write_rows(begun.data, 100)
    begun.start()
    return folder


@pytest.fixture
def begun(trained: Path, tmp_path: Path) -> Iterator[Begun]:
    """A copy of the run in the place of the first: paths count."""
    begun = Begun(trained)
    kept = tmp_path / "kept"
    shutil.copytree(trained, kept)
    yield begun
    shutil.rmtree(trained)
    shutil.copytree(kept, trained)


def swap_rows(begun: Begun) -> None:
    lines = begun.data.read_text(encoding="utf-8").splitlines()
    begun.data.write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n", encoding="utf-8")


def change_template(begun: Begun) -> None:
    template = begun.model / "chat_template.jinja"
    template.write_text(template.read_text(encoding="utf-8") + " ", encoding="utf-8")


OUTSIDE: dict[str, tuple[Callable[[Begun], None], str]] = {
    "a byte of the data": (lambda begun: flip_byte(begun.data, 40), "data"),
    "the order of the rows": (swap_rows, "data"),
    "the template": (change_template, "template"),
    "a byte of the base": (lambda begun: flip_byte(begun.model / "model.safetensors", -100), "weights"),
}
KEYS: dict[str, object] = {
    "train.learning_rate": 5e-4,
    "lora.rank": 4,
    "train.batch_size": 4,
    "train.seed": 18,
    "data.max_tokens": 64,
    "train.max_steps": 5,
}


@pytest.mark.parametrize("change", OUTSIDE)
def test_another_experiment_is_refused_by_run_and_by_resume(begun: Begun, change: str) -> None:
    spoil, field = OUTSIDE[change]
    spoil(begun)
    ways: list[Callable[[], RunDir]] = [begun.start, lambda: resume_run(begun.run.path, Quiet())]
    for go_on in ways:
        with pytest.raises(RunError) as caught:
            go_on()
        assert (caught.value.key, caught.value.exit_code) == ("run.other", 6)
        fields = [told.split()[0] for told in str(caught.value.values["differences"]).split("; ")]
        # A model this small is hashed whole with its header.
        assert set(fields) - {"base"} == {field}


def test_a_run_that_did_not_fit_takes_what_the_hint_has_asked_for(begun: Begun, tmp_path: Path) -> None:
    """Nothing was done but to plan: the same line with more memory goes on in the same folder."""
    small, enough = begun.config(), begun.config()
    small.memory.limit = 1_000_000
    folder = tmp_path / "run"
    for _ in range(2):
        with pytest.raises(FitError):
            run_all(RunRequest(small, folder, command="tuneproof run", until="train"), Quiet())
    run = run_all(RunRequest(enough, folder, command="tuneproof run", until="train"), Quiet())
    assert (run.load(RunRecord).status, load_settled(run.config).memory.limit) != ("failed", 1_000_000)
    assert [one for one in run.load_events() if one["kind"] == "step"]
    with pytest.raises(RunError):
        run_all(RunRequest(small, folder, command="tuneproof run", until="train"), Quiet())


@pytest.mark.parametrize("key", KEYS)
def test_another_config_is_refused_with_the_keys_that_differ(begun: Begun, key: str) -> None:
    config = begun.config()
    section, _, name = key.partition(".")
    before = getattr(getattr(config, section), name)
    setattr(getattr(config, section), name, KEYS[key])
    with pytest.raises(RunError) as caught:
        begun.start(config)
    assert caught.value.values["differences"] == tell_changes({key: (before, KEYS[key])})
    assert "--fork" in caught.value.hint()
    assert "--restart" in caught.value.hint()


@pytest.mark.parametrize("key", ["train.learning_rate", "train.batch_size", "train.seed", "lora.dropout"])
def test_a_config_that_was_edited_in_the_folder_trains_no_further_from_its_checkpoints(begun: Begun, key: str) -> None:
    record = begun.run.load(RunRecord)
    del record.stages["train"]
    begun.run.save(record)
    lines = begun.run.config.read_text(encoding="utf-8").splitlines()
    name = f"  {key.partition('.')[2]}: "
    value = {"train.learning_rate": "0.0001", "lora.dropout": "0.3"}.get(key, "3")
    edited = [name + value if line.startswith(name) else line for line in lines]
    begun.run.config.write_text("\n".join(edited) + "\n", encoding="utf-8")
    with pytest.raises(RunError, match=rf"{key} was \S+, is now ") as caught:
        resume_run(begun.run.path, Quiet(), until="train")
    assert caught.value.key == "run.other"


def test_a_run_of_other_versions_is_finished_with_them_or_forked(begun: Begun) -> None:
    record = begun.run.load(RunRecord)
    record.versions["torch"] = "2.0.0"
    begun.run.save(record)
    begun.start()  # All that is asked for is done: nothing would be mixed.
    with pytest.raises(RunError, match=r"torch was 2\.0\.0, is now ") as caught:
        resume_run(begun.run.path, Quiet())
    assert caught.value.key == "run.versions"


def test_a_fork_begins_beside_with_the_weights_from_there_and_is_gone_on_with(begun: Begun) -> None:
    config = begun.config()
    config.train.learning_rate = 5e-4
    assert not begun.run.adapter.exists()  # Not chosen yet: the newest checkpoint's weights are taken.
    fork = begun.start(config.model_copy(deep=True), fork=True)
    assert fork.path == begun.folder / "run-2"
    newest = begun.run.checkpoints / "checkpoint-4" / "adapter_model.safetensors"
    assert (fork.start / "adapter_model.safetensors").read_bytes() == newest.read_bytes()
    assert load_config(fork.config)[0].train.start_from == str(begun.run.path)
    events = len(fork.load_events())
    assert begun.start(config, fork=True).path == fork.path
    assert len(fork.load_events()) == events
    assert begun.start(begun.config(), fork=True).path == begun.run.path
    with pytest.raises(UsageError):
        begun.start(config, fork=True, restart=True)


def test_where_the_weights_do_not_fit_a_fork_begins_fresh(begun: Begun) -> None:
    config = begun.config()
    config.lora.rank = 4
    fork = begun.start(config, fork=True)
    assert fork.path == begun.folder / "run-2"
    assert not fork.start.exists()


def test_what_is_younger_than_a_run_had_its_default_then(begun: Begun) -> None:
    record = begun.run.load(RunRecord)
    assert record.asked is not None
    del record.asked["train.warmup"]
    record.fingerprint["config"] = "hashed before the key was there"
    del record.fingerprint["weights"]
    begun.run.save(record)
    begun.start()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("stage", ["check", "base", "train"])
def test_a_stop_in_any_stage_is_noted_and_gone_on_from(
    begun: Begun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, number: signal.Signals, code: int
) -> None:
    from tuneproof.cli import raise_terminated

    class Stopping(Quiet):
        def begin(self, name: str, total: int | None = None) -> None:
            if name == stage:
                os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, raise_terminated)
    request = RunRequest(begun.config(), tmp_path / "run", command="tuneproof run", until="train")
    try:
        with pytest.raises(StoppedError) as caught:
            run_all(request, Stopping())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.exit_code == code
    assert f"tuneproof resume {tmp_path / 'run'}" in caught.value.hint()
    record = RunDir(tmp_path / "run").load(RunRecord)
    assert record.status == "stopped"
    run = run_all(request, Quiet())
    assert run.load(RunRecord).status == "done"
    same = "checkpoints/checkpoint-4/adapter_model.safetensors"
    assert (run.path / same).read_bytes() == (begun.run.path / same).read_bytes()


def test_a_hub_s_base_is_pinned_to_the_commit_that_it_had(
    tiny_model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--Some--Tiny"
    commits = ["1" * 40, "2" * 40]
    for commit in commits:
        shutil.copytree(tiny_model_dir, kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    for commit in commits:
        (kept / "refs" / "main").write_text(commit, encoding="utf-8")
        assert pin_base(ModelSection(name="Some/Tiny")) == commit
    # What was begun with the first goes on with it, whatever the hub has by now.
    assert pin_base(ModelSection(name="Some/Tiny", revision=commits[0])) == commits[0]
    assert locate_base("Some/Tiny", commits[0]).name == commits[0]
    assert pin_base(ModelSection(name=str(tiny_model_dir))) is None


def test_several_processes_are_refused_before_anything_is_written(
    begun: Begun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A launcher's other processes would each see a part of every batch, and one would find the folder locked."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    request = RunRequest(begun.config(), tmp_path / "new", command="tuneproof run", until="train")
    ways: list[Callable[[], RunDir]] = [lambda: run_all(request, Quiet()), lambda: resume_run(begun.run.path, Quiet())]
    for start in ways:
        with pytest.raises(UsageError) as caught:
            start()
        assert (caught.value.key, caught.value.exit_code) == ("train.several_processes", 2)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "name", ["data/train.jsonl", "data/deep/er.txt", "adapter/mine.bin", "report.html", "plan.json"]
)
def test_files_that_no_run_wrote_are_neither_overwritten_nor_removed(
    begun: Begun, tmp_path: Path, name: str, restart: bool
) -> None:
    """`--out .` in a project whose rows lie in data/, for one."""
    place = tmp_path / "project" / name
    place.parent.mkdir(parents=True)
    shutil.copyfile(begun.data, place)
    config = make_config(place, begun.model)
    with pytest.raises(RunError) as caught:
        run_all(RunRequest(config, tmp_path / "project", "tuneproof run", restart, until="train"), Quiet())
    assert (caught.value.key, caught.value.exit_code) == ("run.foreign", 6)
    assert str(place) in str(caught.value)
    assert place.read_bytes() == begun.data.read_bytes()


def test_a_restart_that_is_killed_can_be_done_again(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == "config.yaml":
            raise KeyboardInterrupt
        remove(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            clear_run(begun.run)
    assert not begun.run.has_rows("train")
    refuse_foreign(begun.run, begun.config(), restart=True)


def test_a_run_is_not_begun_again_on_rows_that_are_removed_for_it(begun: Begun) -> None:
    rows = begun.run.path / "data" / "train.jsonl"
    before = rows.read_bytes()
    with pytest.raises(RunError) as caught:
        begun.start(make_config(rows, begun.model), restart=True)
    assert caught.value.key == "run.foreign"
    assert rows.read_bytes() == before


def test_a_second_writer_is_refused_and_a_finished_run_stays_finished(begun: Begun) -> None:
    before = {path: path.stat().st_mtime_ns for path in begun.run.checkpoints.rglob("*")}
    for _ in range(3):
        begun.start()
    assert {path: path.stat().st_mtime_ns for path in begun.run.checkpoints.rglob("*")} == before
    with begun.run.lock(), pytest.raises(RunError) as caught:
        begun.start()
    assert caught.value.key == "run.locked"
    assert json.loads((begun.run.path / "run.json").read_text(encoding="utf-8"))["status"] == "done"
