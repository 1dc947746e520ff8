"""A checkpoint is whole or invisible; a damaged one is named and passed over; a full disk loses nothing."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuneproof.errors import FitError, RunError
from tuneproof.training.checkpoint import (
    Checkpoints,
    Found,
    check_checkpoint,
    choose_candidates,
    find_checkpoint,
    list_checkpoints,
    publish_checkpoint,
)


def fill(stage: Path, text: str = "weights") -> Path:
    stage.mkdir(parents=True)
    (stage / "adapter_model.safetensors").write_text(text, encoding="utf-8")
    (stage / "adapter_model.safetensors").chmod(0o600)
    (stage / "optimizer.pt").write_text("moments", encoding="utf-8")
    return stage


def publish(folder: Path, step: int, text: str = "weights") -> Path:
    publish_checkpoint(fill(folder / ".staging" / f"checkpoint-{step}", text), folder / f"checkpoint-{step}")
    return folder / f"checkpoint-{step}"


def write(checkpoints: Checkpoints, *steps: int) -> None:
    for step in steps:
        with checkpoints.writing(step) as stage:
            fill(stage / f"checkpoint-{step}")


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_published_checkpoint_is_whole_and_readable(tmp_path: Path) -> None:
    path = publish(tmp_path, 3)
    assert list_checkpoints(tmp_path) == [3]
    assert check_checkpoint(path) is None
    assert stat.S_IMODE((path / "adapter_model.safetensors").stat().st_mode) & 0o044 == 0o044


def test_half_a_checkpoint_is_never_loaded_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "checkpoint-9" / "adapter_model.safetensors").write_text("half", encoding="utf-8")
    (tmp_path / ".staging" / "checkpoint-10").mkdir(parents=True)
    assert list_checkpoints(tmp_path) == []
    assert find_checkpoint(tmp_path) == (None, ["checkpoint-9: manifest.json is missing"])
    assert not (tmp_path / ".staging").exists()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "flip": (lambda path: flip(path / "adapter_model.safetensors", 2), "adapter_model.safetensors: sha256"),
    "truncate": (lambda path: os.truncate(path / "optimizer.pt", 3), "optimizer.pt: sha256"),
    "delete": (lambda path: (path / "optimizer.pt").unlink(), "optimizer.pt is missing"),
    "manifest gone": (lambda path: (path / "manifest.json").unlink(), "manifest.json is missing"),
    "manifest cut": (lambda path: os.truncate(path / "manifest.json", 9), "manifest.json: "),
    "stranger": (lambda path: (path / "scheduler.pt").write_bytes(b"x"), "scheduler.pt is not in"),
    "other step": (
        lambda path: path.rename(path.with_name("checkpoint-11")),
        "manifest.json: step 10 in checkpoint-11",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path: Path, damage: str) -> None:
    good, bad = publish(tmp_path, 2), publish(tmp_path, 10)
    spoil, told = DAMAGES[damage]
    spoil(bad)
    found, skipped = find_checkpoint(tmp_path)
    assert found == good
    assert len(skipped) == 1
    assert skipped[0].startswith("checkpoint-1")
    assert told in skipped[0]


def test_no_byte_of_a_checkpoint_can_change_unseen(tmp_path: Path) -> None:
    path = publish(tmp_path, 10)
    for file in sorted(path.iterdir()):
        for at in range(file.stat().st_size):
            flip(file, at)
            wrong = check_checkpoint(path)
            # A space in the manifest that became another kind of space changes nothing that it says.
            assert wrong is not None or json.loads((path / "manifest.json").read_text(encoding="utf-8")), (file, at)
            if wrong is None:
                assert file.name == "manifest.json"
            flip(file, at)
    assert check_checkpoint(path) is None


def test_when_none_is_whole_training_does_not_begin_anew(tmp_path: Path) -> None:
    for step in (2, 10):
        (publish(tmp_path, step) / "optimizer.pt").unlink()
    with pytest.raises(RunError, match=r"checkpoint-10: optimizer\.pt is missing; checkpoint-2") as caught:
        Checkpoints(tmp_path).find()
    assert (caught.value.key, caught.value.exit_code) == ("train.no_checkpoint", 6)
    assert "--restart" in caught.value.hint()
    assert Checkpoints(tmp_path / "none").find() == Found(None, [])


def test_a_state_of_another_training_is_refused_with_the_fields_that_differ(tmp_path: Path) -> None:
    write(Checkpoints(tmp_path, training={"train.learning_rate": 1e-3, "rows": "ab", "steps": 9}), 3)
    assert Checkpoints(tmp_path, training={"train.learning_rate": 1e-3, "rows": "ab"}).find().path is not None
    with pytest.raises(RunError) as caught:
        Checkpoints(tmp_path, training={"train.learning_rate": 5e-3, "rows": "cd", "steps": 9}).find()
    assert caught.value.values["differences"] == "train.learning_rate was 0.001, is now 0.005; rows was ab, is now cd"
    assert caught.value.exit_code == 6


def test_publishing_again_replaces(tmp_path: Path) -> None:
    publish(tmp_path, 4, "old")
    path = publish(tmp_path, 4, "new")
    assert (path / "adapter_model.safetensors").read_text(encoding="utf-8") == "new"
    assert check_checkpoint(path) is None


def test_old_ones_are_removed_by_step_and_two_always_stay(tmp_path: Path) -> None:
    write(Checkpoints(tmp_path, every=5, keep=1), 5, 10, 15)
    assert list_checkpoints(tmp_path) == [10, 15]
    # Copying gives files new times: the newest file is not the newest step.
    os.utime(tmp_path / "checkpoint-10")
    write(Checkpoints(tmp_path, every=5, keep=3), 20, 25)
    assert list_checkpoints(tmp_path) == [15, 20, 25]
    assert not (tmp_path / ".staging").exists()


def test_the_checkpoint_of_a_stop_is_no_candidate_and_goes_when_it_is_not_needed(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, every=5, keep=3)
    write(checkpoints, 5, 7)
    assert list_checkpoints(tmp_path) == [5, 7]
    write(checkpoints, 10, 15, 18)
    assert list_checkpoints(tmp_path) == [5, 10, 15, 18]
    assert choose_candidates(tmp_path, every=5, last=18, count=3) == [10, 15, 18]
    assert choose_candidates(tmp_path, every=5, last=20, count=3) == [5, 10, 15]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("I/O error: No space left on device")]
)
def test_a_save_that_finds_the_disk_full_leaves_what_was_saved_and_no_rubbish(tmp_path: Path, error: Exception) -> None:
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 3)

    def fail() -> None:
        with checkpoints.writing(6) as stage:
            fill(stage / "checkpoint-6")
            raise error

    with pytest.raises(FitError) as caught:
        fail()
    assert (caught.value.key, caught.value.exit_code) == ("disk.full", 4)
    assert not (tmp_path / ".staging").exists()
    assert checkpoints.find() == Found(tmp_path / "checkpoint-3", [])


def test_an_error_that_has_nothing_to_do_with_the_disk_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shape"), Checkpoints(tmp_path).writing(6):
        raise RuntimeError("shape mismatch")


def test_room_is_asked_for_before_training_and_before_each_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(tmp_path, expected_bytes=10 << 20)
    monkeypatch.setattr("tuneproof.training.checkpoint.free_disk", lambda path: 35 << 20)
    checkpoints.require_room_for(2)
    with pytest.raises(FitError, match="40 MB are needed, 35 MB are free"):
        checkpoints.require_room_for(3)
    monkeypatch.setattr("tuneproof.training.checkpoint.free_disk", lambda path: 9 << 20)
    with pytest.raises(FitError, match="10 MB are needed, 9 MB are free"), checkpoints.writing(3):
        pytest.fail("it began to write")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB; skipped where this user may mount none."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("this user may mount no small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows mounts otherwise")
def test_on_a_disk_that_really_is_full_the_last_one_stays_and_the_next_works_after_freeing(small_disk: Path) -> None:
    checkpoints, ballast = Checkpoints(small_disk / "checkpoints"), small_disk / "ballast"
    write(checkpoints, 3)
    ballast.write_bytes(b"x" * 900_000)
    with pytest.raises(FitError), checkpoints.writing(6) as stage:
        fill(stage / "checkpoint-6", "y" * 500_000)
    assert checkpoints.find() == Found(small_disk / "checkpoints" / "checkpoint-3", [])
    ballast.unlink()
    write(checkpoints, 6)
    assert checkpoints.find() == Found(small_disk / "checkpoints" / "checkpoint-6", [])


@pytest.mark.parametrize("content", ['{"files": {}}', '{"files": []}', '{"step": 3, "training": {}, "files": {}}'])
def test_a_manifest_without_its_seal_is_no_checkpoint_s(tmp_path: Path, content: str) -> None:
    """Found by fuzzing: one that lists no files had all of them."""
    folder = tmp_path / "checkpoint-3"
    folder.mkdir()
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    assert check_checkpoint(folder) is not None
