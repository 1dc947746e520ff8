"""Weights of files: how often training sees a file's rows, against 1 for all others.

The weight 0.2 keeps a fifth of a file's rows, chosen once by a keyed hash of their ids; 2 shows each row twice in a
pass over the data, 2.5 half of them a third time. A file with a weight below 1 is material beside the task: its rows
are for training only. Nothing depends on the order of rows, and rows that are appended change next to nothing.

    weights = match_weights({"public.jsonl": 0.2}, read.origins)
    heavy, light = weigh_rows(rows, weights, seed=0)
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tuneproof.config.data import HUB_NAME
from tuneproof.errors import UsageError
from tuneproof.records import Row


def match_weights(weights: Mapping[str, float], origins: Mapping[str, str]) -> dict[str, float]:
    """File -> weight, for the files that have one. `origins`: file -> the name that it was asked for by.

    A weight's name is a file, a file's own name, a folder, or a data set; the narrowest counts. Raises UsageError for a
    name that none of the files goes by.
    """
    found, used = {}, set()
    for file, origin in origins.items():
        name = next((name for name in list_names(file, origin) if name in weights), None)
        if name is not None:
            found[file] = weights[name]
        used |= weights.keys() & set(list_names(file, origin))
    for name in weights:
        if name not in used:
            raise UsageError("data.unknown_weight", where="data.weights", name=name, files=", ".join(origins))
    return found


def list_names(file: str, origin: str) -> Iterator[str]:
    """What a file may be called, the narrowest name first."""
    path = Path(file)
    yield from (file, path.as_posix(), path.name, origin)
    dataset = HUB_NAME.fullmatch(Path(origin).as_posix())
    if dataset:
        yield from ([f"{dataset['repo']}:{dataset['part']}"] if dataset["part"] else []) + [dataset["repo"]]
    for folder in path.parents:
        yield from (str(folder), f"{folder}/")


def weigh_rows(rows: Sequence[Row], weights: Mapping[str, float], seed: int) -> tuple[list[Row], list[Row]]:
    """The rows that may be trained, chosen and tested by, and those that are for training only, in their order.

    `weights`: file -> weight. Rows that a weight below 1 leaves out are in neither; `Row.copies` is set for training.
    """
    by_file: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.file in weights:
            by_file[row.file].append(row)
    copies = {row.id: 1 for row in rows}
    for file, own in by_file.items():
        whole = math.floor(weights[file])
        more = max(round((weights[file] - whole) * len(own)), 0 if whole else 1)
        ranked = sorted(own, key=lambda row: hashlib.sha256(f"{seed}:{row.id}".encode()).digest())
        copies |= {row.id: whole + (at < more) for at, row in enumerate(ranked)}
    kept = [row.model_copy(update={"copies": copies[row.id]}) for row in rows if copies[row.id]]
    heavy = [row for row in kept if weights.get(row.file, 1.0) >= 1]
    return heavy, [row for row in kept if weights.get(row.file, 1.0) < 1]
