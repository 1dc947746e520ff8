"""The next round: a run that goes on from an earlier run's adapter (`--from RUN`).

The adapter starts with the earlier one's weights. What the base knew is still measured with the adapter off, so what is
forgotten is counted against the first, untouched base. Rows that an earlier round was trained on are not held out in
this one: they would be tested on what they taught. The folder keeps the starting adapter and those rows, so that it
needs the earlier run no more.

    config = adopt_adapter(config)              # rank, strength and model as in the run that is gone on from
    copy_start(config, run)
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.config.load import load_settled
from tuneproof.data.split import check_leaks, summarize_split
from tuneproof.errors import RunError, UsageError
from tuneproof.model.load import fingerprint_model
from tuneproof.pipeline import open_run
from tuneproof.records import Row, RunRecord, Split
from tuneproof.records.data import Side
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import find_checkpoint

FILES = ("adapter_model.safetensors", "adapter_config.json")


def find_weights(run: RunDir) -> Path | None:
    """Folder of a run's adapter, or of its newest whole checkpoint where it has none yet."""
    if all((run.adapter / name).is_file() for name in FILES):
        return run.adapter
    return find_checkpoint(run.checkpoints).path


def adopt_adapter(config: RunConfig, out: Path, *, unfinished: bool = False) -> RunConfig:
    """The config with what the earlier adapter decides. Raises RunError and UsageError where it cannot be gone on from.

    `unfinished`: the weights of a checkpoint will do where there is no adapter yet.

    The base must be the same, and so must rank and targets where the user names them; a strength of one's own is taken
    up, with the weights scaled to match (`model.load.load_start`).
    """
    if config.train.start_from is None:
        return config
    earlier = open_run(Path(config.train.start_from))
    if earlier.path.resolve() == out.resolve():
        raise UsageError("start.itself", where=str(out))
    weights = find_weights(earlier)
    if weights is None or (weights != earlier.adapter and not unfinished):
        raise RunError("start.no_adapter", where=str(earlier.adapter), run=earlier.path)
    theirs = load_settled(earlier.config)
    resolved = config.model_copy(deep=True)
    if resolved.model.name is None:
        resolved.model.name, resolved.model.revision = theirs.model.name, theirs.model.revision
    assert resolved.model.name is not None
    base, known = fingerprint_model(resolved.model.name), earlier.load(RunRecord).fingerprint["base"]
    if base != known:
        raise RunError("start.other_base", where=resolved.model.name, run=earlier.path, theirs=known, ours=base)
    ours, default = resolved.lora, RunConfig().lora
    ours.alpha = ours.alpha or theirs.lora.alpha
    for key in ("rank", "targets"):
        if getattr(ours, key) == getattr(default, key):
            setattr(ours, key, getattr(theirs.lora, key))
        if getattr(ours, key) != getattr(theirs.lora, key):
            values = {"theirs": getattr(theirs.lora, key), "ours": getattr(ours, key)}
            raise UsageError("start.other_shape", where=f"lora.{key}", run=earlier.path, key=f"lora.{key}", **values)
    return resolved


def fingerprint_start(config: RunConfig) -> dict[str, str]:
    """The starting adapter's part of the run's fingerprint; nothing for a fresh adapter."""
    if config.train.start_from is None:
        return {}
    folder = find_weights(RunDir(Path(config.train.start_from)))
    if folder is None:
        raise RunError("start.no_adapter", where=config.train.start_from, run=config.train.start_from)
    return {"start": hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES)).hexdigest()[:16]}


def copy_start(config: RunConfig, run: RunDir) -> None:
    """Keep the starting adapter, and the rows of the rounds so far, in the run's own folder."""
    if config.train.start_from is None:
        return
    earlier = RunDir(Path(config.train.start_from))
    weights = find_weights(earlier)
    assert weights is not None
    run.start.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(weights / name, run.start / name)
    sides = [side for side in ("earlier", "train") if earlier.has_rows(side)]
    run.save_rows("earlier", [row for side in sides for row in earlier.load_rows(side)])


def find_trained(rows: Sequence[Row], run: RunDir) -> set[str]:
    """Ids of the rows that an earlier round was trained on, or whose question is nearly that of one that was."""
    earlier = run.load_rows("earlier") if run.has_rows("earlier") else []
    if not earlier or not rows:
        return set()
    places = {(leak.file, leak.line) for leak in check_leaks(rows, earlier)}
    return {row.id for row in rows if (row.file, row.line) in places}


def find_sides(config: RunConfig) -> dict[str, Side]:
    """Row id -> its side in the run that is gone on from; none for a first round. Kept: scores stay comparable."""
    if config.train.start_from is None:
        return {}
    earlier = RunDir(Path(config.train.start_from))
    return {name: place.side for name, place in earlier.load(Split).rows.items()} if earlier.has(Split) else {}


def keep_apart(rows: Sequence[Row], split: Split, trained: set[str]) -> Split:
    """The split with every cluster that an earlier round was trained on, in whole, on the training side."""
    clusters = {split.rows[name].cluster for name in trained}
    placed = {
        name: replace(place, side="train") if place.cluster in clusters else place for name, place in split.rows.items()
    }
    return summarize_split(rows, placed, split.seed)
