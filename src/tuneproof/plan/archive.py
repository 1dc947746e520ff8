"""Traces that were made before, kept in the user's cache: a next plan of the same model traces only what is new.

A trace depends on the model's config, the shape of the step, the kernels, the versions of the libraries, and on this
package's own step and tracer; a hash of all of them is the file's name. A file that cannot be read or written is as if
it were not there.

    traced = recall_trace(("step", subject, step, "flash"), lambda: make_it())
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Hashable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from platformdirs import user_cache_path

from tuneproof.model.store import digest_code
from tuneproof.records import Parts

LAST_USE = 60 * 24 * 3600
"""Seconds after which a trace that no plan has used is removed."""
PACKAGES = ("torch", "transformers", "peft")
DECIDING = ("model", "plan")
"""Rooms of this package whose code decides what a trace finds."""

Event = tuple[int, int]
"""(number of the storage, its bytes), or (its number, 0) when it is given back."""


class Traced(NamedTuple):
    """What a trace found. Bytes."""

    peak: int
    parts: Parts
    """What was live at the peak; the device's own part is not in it."""
    static: tuple[Event, ...]
    """Allocations that last: weights, adapter, optimizer."""
    events: tuple[Event, ...]
    """Allocations and frees of the step, in order; all that is allocated in it is freed in it."""


def recall_trace(question: Hashable, make: Callable[[], Traced]) -> Traced:
    """The trace that answers `question`: the kept one, else `make`'s, which is then kept. Raises what `make` raises."""
    path = user_cache_path("tuneproof") / "traces" / f"{_hash(question)}.npz"
    traced = _read(path)
    if traced is None:
        traced = make()
        _write(path, traced)
    return traced


def _hash(question: Hashable) -> str:
    return hashlib.sha256(json.dumps([question, *_name_versions()], default=str).encode()).hexdigest()[:24]


def _name_versions() -> list[str]:
    """What else a trace depends on: the libraries, and this package's own code."""
    return [*(f"{name} {version(name)}" for name in PACKAGES), digest_code(*DECIDING)]


def _read(path: Path) -> Traced | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            parts = Parts.model_validate_json(kept["parts"].tobytes())
            static, events = (tuple(map(tuple, kept[name].tolist())) for name in ("static", "events"))
        # The time of the last use decides what is cleared away.
        path.touch()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return Traced(parts.total(), parts, static, events)


def _write(path: Path, traced: Traced) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = path.with_name(f"{path.stem}.{time.time_ns()}.tmp")
        with stage.open("wb") as file:
            np.savez_compressed(
                file,
                parts=np.frombuffer(traced.parts.model_dump_json().encode(), dtype=np.uint8),
                static=np.array(traced.static, dtype=np.int64).reshape(-1, 2),
                events=np.array(traced.events, dtype=np.int64).reshape(-1, 2),
            )
        stage.replace(path)
        for old in path.parent.iterdir():
            if time.time() - old.stat().st_mtime > LAST_USE:
                old.unlink(missing_ok=True)
    except OSError:
        return
