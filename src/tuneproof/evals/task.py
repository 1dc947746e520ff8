"""Items to answer and how they are judged: test rows and retention probes in one shape.

In: rows of the split, or probes. Out: `Item`s, each with its prompt, its scorer and its limit of new tokens.

    items = make_row_items(test_rows, scorers=choose_scorers(train_rows), limits=limits, clusters=clusters)
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar, get_args

import numpy as np

from tuneproof.evals.custom import score_custom
from tuneproof.evals.probes import Probe, is_probe_right
from tuneproof.evals.probes.told import tell_accepted
from tuneproof.evals.scorers import (
    NEARLY_ALL,
    RIGHT,
    ScorerName,
    choose_row_scorer,
    choose_scorer,
    is_right,
    score_answer,
)
from tuneproof.records import Answer, Message, Row

PROBE = "probe"
"""The scorer's name of what a probe's own check judges."""
Spread = TypeVar("Spread", "Item", Answer)


class Item(NamedTuple):
    """One question with what is needed to judge an answer to it."""

    id: str
    task: str
    """The row's task, or the probe's family."""
    scorer: str
    """A scorer's name, ours or of the user's own, or `probe` for a probe's own check."""
    messages: list[Message]
    reference: str
    required: tuple[str, ...]
    limit: int
    """New tokens at most."""
    cluster: str | None
    language: str | None
    probe: Probe | None
    place: str = ""
    """`file:line` of a row."""

    @property
    def prompt(self) -> str:
        """The user's part as one text."""
        return "\n".join(message.content for message in self.messages if message.role != "system")


def hash_items(items: Sequence[Item]) -> str:
    """16 hex digits that stand for what is asked, how it is judged, and in which order."""
    told = [
        [item.id, item.scorer, item.reference, item.required, item.limit, *(str(one) for one in item.messages)]
        for item in items
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def choose_scorers(rows: Sequence[Row]) -> dict[str, ScorerName]:
    """Task -> scorer, chosen from all reference answers of the task."""
    by_task: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_task[row.task].append(row)
    return {
        task: choose_scorer([row.reference for row in some], required=_require(some)) for task, some in by_task.items()
    }


def _require(rows: Sequence[Row]) -> bool:
    """Whether nearly all rows name what an answer must hold; what else there is, is judged by its references."""
    return sum(bool(row.required) for row in rows) >= NEARLY_ALL * len(rows)


def choose_limits(lengths: Mapping[str, Sequence[int]], longest: int | None = None) -> dict[str, int]:
    """Task -> new tokens at most: 1.5 x the 95th percentile of the reference lengths (in tokens), and 8 at least.

    `lengths`: task -> tokens of each reference. A few runaway answers triple the time of an evaluation and never score
    (PEFT's method comparison).
    """
    limits = {task: max(8, int(1.5 * float(np.percentile(some, 95))) + 1) for task, some in lengths.items()}
    return {task: min(limit, longest) if longest else limit for task, limit in limits.items()}


def _choose_own(row: Row, scorer: ScorerName) -> ScorerName:
    """A row's scorer, given its task's; one that requires nothing, among rows that do, has its reference's."""
    if scorer == "required" and not row.required:
        scorer = choose_scorer([row.reference])
    return choose_row_scorer(scorer, row.reference)


def make_row_items(
    rows: Sequence[Row],
    *,
    scorers: Mapping[str, ScorerName],
    limits: Mapping[str, int],
    clusters: Mapping[str, str],
    named: Mapping[str, str] | None = None,
) -> list[Item]:
    """Items of held-out rows. A task that training has not seen gets the scorer of its own references.

    `named`: task -> the scorer that the user wants; of all other rows the reference may have a type of its own.
    """
    own = choose_scorers([row for row in rows if row.task not in scorers])
    longest = max(limits.values(), default=64)
    return [
        Item(
            id=row.id,
            task=row.task,
            scorer=(named or {}).get(row.task) or _choose_own(row, {**own, **scorers}[row.task]),
            messages=row.prompt,
            reference=row.reference,
            required=tuple(row.required),
            limit=limits.get(row.task, longest),
            cluster=clusters.get(row.id, row.id),
            language=None,
            probe=None,
            place=f"{row.file}:{row.line}",
        )
        for row in rows
    ]


def make_probe_items(probes: Sequence[Probe]) -> list[Item]:
    """Items of retention probes, each asked alone."""
    return [
        Item(
            id=probe.id,
            task=probe.family,
            scorer=PROBE,
            messages=[Message(role="user", content=probe.prompt)],
            reference=tell_accepted(probe.check, probe.accept),
            required=(),
            limit=probe.max_new_tokens,
            cluster=None,
            language=probe.language,
            probe=probe,
        )
        for probe in probes
    ]


def score_item(item: Item, answer: str) -> tuple[float, bool]:
    """Score (0 to 1) and whether that counts as right."""
    if item.probe is not None:
        right = is_probe_right(item.probe, answer)
        return float(right), right
    if item.scorer not in get_args(ScorerName):
        score = score_custom(item.scorer, answer, item.reference, item.prompt, place=item.place)
        return score, score >= RIGHT
    scorer: ScorerName = item.scorer  # type: ignore[assignment]
    score = score_answer(scorer, answer, item.reference, item.required)
    return score, is_right(scorer, score)


def spread_items(items: Sequence[Spread], count: int) -> list[Spread]:
    """`count` items or answers that keep the shares of the tasks: every n-th of them sorted by task, then by id."""
    if count >= len(items):
        return list(items)
    ordered = sorted(items, key=lambda item: (item.task, item.id))
    return [ordered[int(at * len(ordered) / count)] for at in range(count)]


def deal_probes(answers: Sequence[Answer], count: int) -> dict[str, list[Answer]]:
    """The base's answers to probes, dealt: `count` to the choice (`slice`), the others to the verdict (`retention`).

    Both get the same share of each family and, within it, of what the base has right. Which answers of a base are right
    by luck is the same in every run, and luck is what another model loses: where the verdict happens to have more of it
    than the choice, what is foreseen is never what is found (benchmarks/foreseen.py, when probes were dealt by their
    ids alone). Within a family the hash of the id decides, so an answer that flips, here or of another base, moves a
    probe or two and no more. The user's own probes are the verdict's.
    """
    hands = defaultdict(list)
    for answer in answers:
        if answer.scorer == PROBE and answer.language is not None:
            hands[answer.family, answer.right].append(answer.id)
    whole, before, chosen = sum(map(len, hands.values())), 0, set[str]()
    for _, ids in sorted(hands.items()):
        after = before + len(ids)
        share = after * count // whole - before * count // whole
        chosen |= set(sorted(ids, key=lambda one: hashlib.sha256(one.encode()).digest())[:share])
        before = after
    return {
        "slice": [answer for answer in answers if answer.id in chosen],
        "retention": [answer for answer in answers if answer.id not in chosen],
    }
