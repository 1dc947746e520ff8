"""Checkpoints whole or absent.

The Trainer writes in place: a kill during a save leaves a half folder on which every later resume fails (measured in
5 of 18 kills). Here a checkpoint is written to a staging folder, hashed, its manifest written last, then renamed in
one step. Before loading, every file is held against the manifest; a damaged checkpoint is skipped, by name, for the
one before. The manifest also says of which training it is a state, so that no other training goes on from it.

    checkpoints/
      checkpoint-N/manifest.json      {"step": N, "training": {field: value}, "files": {name: {sha256, bytes}}, "seal"}
      .staging/                       what is half written; removed when the folder is next looked at

In: a folder, and what is saved. Out: a `Found`; a full disk as FitError, another training's checkpoint as RunError.

    checkpoints = Checkpoints(run.checkpoints, training={"learning_rate": 1e-4}, every=20, keep=3)
    with checkpoints.writing(40) as stage:
        save_everything(stage)
    path, skipped = checkpoints.find()
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError

from tuneproof.errors import FitError, RunError, is_full, tell_changes
from tuneproof.model.hardware import free_disk
from tuneproof.rundir import write_atomic

NAME = re.compile(r"checkpoint-(\d+)\Z")
MANIFEST = "manifest.json"
STAGING = ".staging"
FALL_BACK = 2
"""Checkpoints that are always kept: the newest may be damaged."""


class Found(NamedTuple):
    """The newest whole checkpoint, and what was wrong with newer ones."""

    path: Path | None
    skipped: list[str]


@dataclass
class Checkpoints:
    """The checkpoints of one training."""

    folder: Path
    training: Mapping[str, object] = field(default_factory=dict)
    """What a state of this training depends on; a checkpoint with other values is not gone on from."""
    every: int = 1
    """Steps between two of them; those of a stop lie between."""
    keep: int = 1
    """How many of the regular ones are kept."""
    expected_bytes: int = 0
    """Size of one, as far as it is known before the first."""

    @contextmanager
    def writing(self, step: int) -> Iterator[Path]:
        """A staging folder, in which the caller makes `checkpoint-STEP`; published whole when the block ends well.

        Raises FitError when the disk has no room for it or is full before it is whole; what was saved before stays.
        """
        stage, name = self.folder / STAGING, f"checkpoint-{step}"
        shutil.rmtree(stage, ignore_errors=True)
        require_room(self.folder, self._size())
        try:
            stage.mkdir(parents=True, exist_ok=True)
            yield stage
            publish_checkpoint(stage / name, self.folder / name, self.training)
        except (OSError, RuntimeError, SafetensorError) as error:
            free = free_disk(self.folder)
            if not _tells_full(error, free, self._size()):
                raise
            shutil.rmtree(stage, ignore_errors=True)
            raise _make_full(self.folder, self._size(), free) from error
        self._rotate()
        shutil.rmtree(stage, ignore_errors=True)

    def find(self) -> Found:
        """The newest whole checkpoint. Raises RunError when it is a state of another training, with the differences,
        and when there are checkpoints of which none is whole: to begin anew is for the user to say."""
        path, skipped = find_checkpoint(self.folder)
        if path is None:
            if skipped:
                raise RunError("train.no_checkpoint", where=str(self.folder), why="; ".join(skipped))
            return Found(None, [])
        kept = json.loads((path / MANIFEST).read_text(encoding="utf-8")).get("training") or {}
        changed = {key: (kept[key], now) for key, now in self.training.items() if kept.get(key, now) != now}
        if changed:
            raise RunError("run.other", where=str(path), differences=tell_changes(changed))
        return Found(path, skipped)

    def require_room_for(self, count: int) -> None:
        """Raise FitError unless the disk has room for so many checkpoints, and one being written beside them."""
        there = min(count, len(list_checkpoints(self.folder)))
        require_room(self.folder, (count + 1 - there) * self._size())

    def _size(self) -> int:
        """Bytes of a checkpoint: those of the newest one that is there, else as expected."""
        for step in reversed(list_checkpoints(self.folder)):
            path = self.folder / f"checkpoint-{step}"
            return sum(file.stat().st_size for file in path.iterdir())
        return self.expected_bytes

    def _rotate(self) -> None:
        """Remove what neither a choice nor a resume needs; by step, since the times of copied files mean nothing."""
        steps = list_checkpoints(self.folder)
        regular = [step for step in steps if step % self.every == 0]
        kept = {*steps[-FALL_BACK:], *regular[-max(self.keep, 1) :]}
        for step in steps:
            if step not in kept:
                remove_checkpoint(self.folder / f"checkpoint-{step}")


def publish_checkpoint(stage: Path, final: Path, training: Mapping[str, object] | None = None) -> None:
    """Make the staged folder the checkpoint `final`: hashes, fsync, manifest, one rename."""
    files = sorted(path for path in stage.iterdir() if path.is_file())
    umask = os.umask(0)
    os.umask(umask)
    for path in files:
        # safetensors writes 0600: colleagues and containers would find no adapter.
        path.chmod(0o666 & ~umask)
    listed = {path.name: {"sha256": hash_file(path), "bytes": path.stat().st_size} for path in files}
    for path in files:
        sync(path)
    manifest: dict[str, Any] = {"step": int(final.name.rpartition("-")[2]), "training": training or {}, "files": listed}
    manifest["seal"] = _seal(manifest)
    write_atomic(stage / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    if final.exists():
        remove_checkpoint(final)
    os.replace(stage, final)
    sync(final.parent)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint in one step, so that a kill leaves no half of it in its place."""
    gone = path.parent / STAGING / f"removed-{path.name}"
    shutil.rmtree(gone, ignore_errors=True)
    gone.parent.mkdir(exist_ok=True)
    os.replace(path, gone)
    shutil.rmtree(gone, ignore_errors=True)


def list_checkpoints(folder: Path) -> list[int]:
    """Steps of all published checkpoints, ascending; whole or not is `check_checkpoint`'s matter."""
    return [step for step in _list_folders(folder) if (folder / f"checkpoint-{step}" / MANIFEST).is_file()]


def choose_candidates(folder: Path, every: int, last: int, count: int) -> list[int]:
    """The newest `count` steps with a checkpoint that an undisturbed training has too: each `every`, and the `last`.

    A run that was stopped has one more, at the step of the stop. It must not change what is chosen from.
    """
    steps = list_checkpoints(folder)
    return [step for step in steps if step % every == 0 or step == last][-count:]


def check_checkpoint(path: Path) -> str | None:
    """None when every file is as the manifest says and no other is there, else what is wrong, with the file's name."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        listed = manifest["files"]
        # Without a seal it may be anything, such as a list of no files, which are all whole.
        if manifest["seal"] != _seal(manifest):
            return f"{MANIFEST}: sha256 {_seal(manifest)[:12]}, expected {str(manifest['seal'])[:12]}"
        if f"checkpoint-{manifest['step']}" != path.name:
            return f"{MANIFEST}: step {manifest['step']} in {path.name}"
        unknown = {file.name for file in path.iterdir()} - {*listed, MANIFEST}
        if unknown:
            return f"{min(unknown)} is not in {MANIFEST}"
        for name, expected in listed.items():
            file = path / name
            if not file.is_file():
                return f"{name} is missing"
            actual = hash_file(file)
            if actual != expected["sha256"]:
                return f"{name}: sha256 {actual[:12]}, expected {expected['sha256'][:12]}"
    except FileNotFoundError:
        return f"{MANIFEST} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"{MANIFEST}: {error}"
    return None


def find_checkpoint(folder: Path) -> Found:
    """The newest whole checkpoint (None without one), and what was wrong with newer ones that were skipped."""
    shutil.rmtree(folder / STAGING, ignore_errors=True)
    skipped: list[str] = []
    for step in reversed(_list_folders(folder)):
        path = folder / f"checkpoint-{step}"
        wrong = check_checkpoint(path)
        if wrong is None:
            return Found(path, skipped)
        skipped.append(f"{path.name}: {wrong}")
    return Found(None, skipped)


def require_room(folder: Path, needed: int) -> None:
    """Raise FitError unless the disk of `folder` has `needed` bytes free."""
    free = free_disk(folder)
    if free < needed:
        raise _make_full(folder, needed, free)


def _make_full(folder: Path, needed: int, free: int) -> FitError:
    return FitError("disk.full", where=str(folder), needed=max(1, needed >> 20), free=free >> 20)


def _tells_full(error: Exception, free: int, needed: int) -> bool:
    """Whether a failed save means a full disk: torch and safetensors say it in words of their own, or not at all."""
    if isinstance(error, OSError):
        return is_full(error)
    return "No space left" in str(error) or "os error 28" in str(error) or free < needed


def _list_folders(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    found = (NAME.match(path.name) for path in folder.iterdir() if path.is_dir())
    return sorted(int(match.group(1)) for match in found if match)


def _seal(manifest: Mapping[str, object]) -> str:
    """Hash of all that the manifest says."""
    said = {key: value for key, value in manifest.items() if key != "seal"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Flush a file or folder to the disk; folders cannot be opened on Windows, where the rename is flushed anyway."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
