"""Checkpoints whole or absent.

The Trainer writes in place: a kill during a save leaves a half folder on which every later resume fails (measured in
5 of 18 kills). Here a checkpoint is written to a staging folder, hashed, its manifest written last, then renamed in
one step. Before loading, every file is held against the manifest; a damaged checkpoint is skipped, by name, for the
one before.

    path, skipped = find_checkpoint(run.checkpoints)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from tuneproof.rundir import write_atomic

NAME = re.compile(r"checkpoint-(\d+)\Z")
MANIFEST = "manifest.json"


def publish_checkpoint(stage: Path, final: Path) -> None:
    """Make the staged folder the checkpoint `final`: hashes, manifest, fsync, one rename."""
    files = sorted(path for path in stage.iterdir() if path.is_file())
    umask = os.umask(0)
    os.umask(umask)
    for path in files:
        # safetensors writes 0600: colleagues and containers would find no adapter.
        path.chmod(0o666 & ~umask)
    manifest = {path.name: {"sha256": _hash(path), "bytes": path.stat().st_size} for path in files}
    for path in files:
        _sync(path)
    write_atomic(stage / MANIFEST, json.dumps({"files": manifest}, indent=1) + "\n")
    if final.exists():
        shutil.rmtree(final)
    os.replace(stage, final)
    _sync(final.parent)


def list_checkpoints(folder: Path) -> list[int]:
    """Steps of all published checkpoints, ascending; whole or not is `check_checkpoint`'s matter."""
    if not folder.is_dir():
        return []
    found = (NAME.match(path.name) for path in folder.iterdir() if (path / MANIFEST).is_file())
    return sorted(int(match.group(1)) for match in found if match)


def check_checkpoint(path: Path) -> str | None:
    """None when every file is as the manifest says, else what is wrong, with the file's name."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["files"]
        for name, expected in manifest.items():
            file = path / name
            if not file.is_file():
                return f"{name} is missing"
            actual = _hash(file)
            if actual != expected["sha256"]:
                return f"{name}: sha256 {actual[:12]}, expected {expected['sha256'][:12]}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{MANIFEST}: {error}"
    return None


def find_checkpoint(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest whole checkpoint (None without one), and what was wrong with newer ones that were skipped."""
    shutil.rmtree(folder / ".staging", ignore_errors=True)
    skipped: list[str] = []
    for step in reversed(list_checkpoints(folder)):
        path = folder / f"checkpoint-{step}"
        wrong = check_checkpoint(path)
        if wrong is None:
            return path, skipped
        skipped.append(f"{path.name}: {wrong}")
    return None, skipped


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk; folders cannot be opened on Windows, where the rename is flushed anyway."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
