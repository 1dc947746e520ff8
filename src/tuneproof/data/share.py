"""A share of the training rows, for the learning curve: whole duplicate clusters, each task in its proportion, nested.

Per task the clusters stand in the order of a keyed hash, and the first of them are taken, so that the rows of a smaller
share are among those of a larger one.

    quarter = cut_rows(rows, clusters, 0.25, seed=17)
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tuneproof.records import Row


def cut_rows(rows: Sequence[Row], clusters: Mapping[str, str], share: float, seed: int) -> list[Row]:
    """The rows of a share (0 to 1), in their order. `clusters`: row id -> cluster; a row without one is its own.

    A cluster counts to the task of its row with the smallest id. Each task comes as near to its share as whole clusters
    allow, so that a task of one row has none below a half.
    """
    members: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        members[clusters.get(row.id, row.id)].append(row)
    by_task: dict[str, list[str]] = defaultdict(list)
    for name, some in members.items():
        by_task[min(some, key=lambda row: row.id).task].append(name)
    taken: set[str] = set()
    for names in by_task.values():
        names.sort(key=lambda name: hashlib.sha256(f"share:{seed}:{name}".encode()).digest())
        wanted, passed = share * sum(len(members[name]) for name in names), 0
        for name in names:
            # Taken while more than half of the cluster fits: the nearest size, and the same order for every share.
            if passed + len(members[name]) / 2 > wanted:
                break
            taken.add(name)
            passed += len(members[name])
    return [row for row in rows if clusters.get(row.id, row.id) in taken]
