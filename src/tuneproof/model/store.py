"""Answers of a base that were made before, kept in the user's cache: a next run asks only what is new.

A greedy answer depends on the model, the prompt and the end tokens, and on nothing else but the last bits of batched
arithmetic. All of these are in the key, with the versions of the libraries and our own code that computes; a shorter
limit cuts the same answer. One SQLite file a base; answers are written as they end, so that a stopped run has them.
Answers with an adapter are never kept here.

    store = open_store(base.model, base.path, how="cpu float32 none")
    measure_items(base.model, base.tokenizer, items, serving=Serving(batch_size=32, store=store))
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path
from torch import nn

from tuneproof.model.generate import Generated
from tuneproof.model.recovery import Listeners, answer_within_memory

LAST_USE = 60 * 24 * 3600
"""Seconds after which a file that no run has used is removed."""
PACKAGES = ("torch", "transformers")
TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, ids TEXT NOT NULL, finish TEXT NOT NULL)"
WRITE = """INSERT INTO answers VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
    SET ids = excluded.ids, finish = excluded.finish WHERE length(excluded.ids) > length(ids)"""
"""One with a longer limit takes the place of one that was cut."""


class AnswerStore:
    """Answers by key; without a path it holds none. One that cannot be read or written holds none either: what is not
    kept is made again."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.recalled = 0
        """Answers that were taken over so far."""

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Generated]:
        """Those of the keys that have an answer."""
        found: dict[bytes, Generated] = {}
        if self.path is None or not self.path.is_file():
            return found
        try:
            with closing(sqlite3.connect(self.path)) as base:
                for key in keys:
                    row = base.execute("SELECT ids, finish FROM answers WHERE key = ?", (key,)).fetchone()
                    if row is not None:
                        found[key] = Generated(json.loads(row[0]), row[1])
        except (sqlite3.Error, ValueError):
            return {}
        return found

    def recall(self, keys: Sequence[bytes], limits: Sequence[int]) -> dict[int, Generated]:
        """Answers by the places of their keys; one that was cut before its limit is none."""
        found = self.find(keys)
        whole = {place: cut_answer(found[key], limits[place]) for place, key in enumerate(keys) if key in found}
        return {place: answer for place, answer in whole.items() if answer is not None}

    def keep(self, made: Mapping[bytes, Generated]) -> None:
        """Write answers down."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path)) as base, base:
                base.execute(TABLE)
                rows = [(key, json.dumps(answer.ids), answer.finish) for key, answer in made.items()]
                base.executemany(WRITE, rows)
        except (sqlite3.OperationalError, OSError):
            # Another process is writing, or the disk is full or read-only: these answers are not kept.
            return
        except sqlite3.DatabaseError:
            # A damaged file would stay so for ever.
            _remove(self.path)


class Serving(NamedTuple):
    """How answers are made."""

    batch_size: int = 32
    store: AnswerStore | None = None
    """Where answers of this very model are looked up and kept; never while an adapter is on."""
    on_fewer: Callable[[int, int], None] | None = None
    """Hears that memory ran out and fewer are made side by side: (before, now)."""


def open_store(model: Any, path: str, *, how: str) -> AnswerStore | None:
    """The store of a loaded base; None where nothing tells one state of its weights from another.

    `path`: the base's folder, or its name on a hub; `how`: device, dtype and quantisation.
    """
    weights = describe_weights(path) or getattr(model.config, "_commit_hash", None)
    if not weights:
        return None
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    told = json.dumps([path, weights, how, digest_code("model"), *versions])
    folder = user_cache_path("tuneproof") / "answers"
    for old in folder.glob("*.sqlite"):
        if time.time() - old.stat().st_mtime > LAST_USE:
            _remove(old)
    return AnswerStore(folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.sqlite")


def describe_weights(path: str) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each file of a folder that an answer depends on; none for a name on a hub."""
    folder = Path(path)
    kinds = ("*.safetensors", "*.json", "*.py")
    files = [file for kind in kinds for file in folder.glob(kind)] if folder.is_dir() else []
    return sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)


@lru_cache(maxsize=4)
def digest_code(*rooms: str) -> str:
    """SHA-256 of the code in these folders of this package: what it computes may change where no version does."""
    digest = hashlib.sha256()
    for room in rooms:
        for file in sorted((files("tuneproof") / room).iterdir(), key=lambda one: one.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def make_key(prompt: Sequence[int], ends: Sequence[int]) -> bytes:
    """What an answer depends on beside the model."""
    return hashlib.blake2b(json.dumps([list(prompt), sorted(ends)]).encode(), digest_size=16).digest()


def cut_answer(answer: Generated, limit: int) -> Generated | None:
    """The answer with at most `limit` new tokens; None where it was cut earlier than that."""
    if len(answer.ids) >= limit:
        return Generated(answer.ids[:limit], "length")
    return None if answer.finish == "length" else answer


def recall_answers(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    serving: Serving,
    on_answers: Callable[[Mapping[int, Generated]], None] | None = None,
) -> list[Generated]:
    """`generate_answers`, but for those that the store has."""
    store, listen = serving.store or AnswerStore(None), on_answers or (lambda ended: None)
    keys = [make_key(prompt, ends) for prompt in prompts]
    known = store.recall(keys, limits)
    if known:
        store.recalled += len(known)
        listen(known)
    missing = [index for index in range(len(prompts)) if index not in known]

    def keep(ended: Mapping[int, Generated]) -> None:
        made = {missing[place]: answer for place, answer in ended.items()}
        store.keep({keys[index]: answer for index, answer in made.items()})
        listen(made)

    made = answer_within_memory(
        model,
        [prompts[index] for index in missing],
        limits=[limits[index] for index in missing],
        ends=ends,
        batch_size=serving.batch_size,
        listeners=Listeners(keep, serving.on_fewer),
    )
    known |= dict(zip(missing, made, strict=True))
    return [known[index] for index in range(len(prompts))]


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
