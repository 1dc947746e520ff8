"""What the checks of the whole set have to know of each row: a few numbers a row, however long its text is.

In: rows. Out: `Cases`, a sequence of `Case` with one record of numbers (`TRAIT`) beside each. A check of the set finds
the rows that matter by the numbers, and reads only those.

    cases = gather_cases(rows)
    long = [cases[at] for at in np.flatnonzero(cases.traits["answer"] > 1000)]
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from tuneproof.data.answers import judge_placeholder
from tuneproof.data.findings import Case, make_case
from tuneproof.data.language import OUTER_MARKS, fold_text, guess_language, plain_form, width
from tuneproof.data.parse import read_value
from tuneproof.data.store import Picked
from tuneproof.records import Row

Numbers = npt.NDArray[np.void]
Indices = npt.NDArray[np.intp]
DIGESTS, SIZES = ("whole", "asked", "said", "near", "opening"), ("answer", "size", "label", "class", "stand_in")
TRAIT = np.dtype([*((name, "u8") for name in DIGESTS), *((name, "i4") for name in SIZES)])
"""Digests: of the conversation, the turns before the answer, the answer, the question as it is compared, and the first
words of a long answer (0: a short one, or JSON). Sizes: characters of the answer, of all turns, of the answer's plain
form; the number of the row's class in `Cases.classes`; how far the answer only stands in for one (`judge_placeholder`).
"""
SHORT_ANSWER = 60
MOULD_ANSWER, MOULD_OPENING = 80, 24
"""Characters; answers below the first share their openings because they are labels and values."""
NUMBER = re.compile(r"[-+]?[$€£¥]?\s?\d[\d,]*(?:\.\d+)?\s?%?")


class RowClass(NamedTuple):
    """What kind of row it is: its task, its script, and the type of its answer (json, number, phrase or text)."""

    task: str
    language: str
    answer: str


class Cases(Sequence[Case]):
    """Rows as the checks see them. `every`: traits of all `rows`; `places`: which of them are meant."""

    def __init__(
        self, rows: Sequence[Row], every: Numbers, classes: Sequence[RowClass], places: Indices | None = None
    ) -> None:
        self.rows = rows
        self.every = every
        self.classes = classes
        self.places = np.arange(len(rows)) if places is None else places
        self.traits = every[self.places]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, at: int) -> Case: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Case]: ...
    def __getitem__(self, at: int | slice) -> Case | Sequence[Case]:
        if isinstance(at, slice):
            return self.pick(np.arange(len(self))[at])
        return make_case(self.rows[int(self.places[at])])

    def pick(self, places: Indices) -> Cases:
        """Some of the cases."""
        return Cases(self.rows, self.every, self.classes, self.places[places])

    def take_rows(self) -> Sequence[Row]:
        """The rows."""
        return Picked(self.rows, self.places.tolist())

    def group_tasks(self) -> Iterator[tuple[str, Indices]]:
        """Each task and the places of its cases, in the order in which the tasks come first."""
        tasks = list(dict.fromkeys(one.task for one in self.classes))
        numbers = {task: number for number, task in enumerate(tasks)}
        codes = np.array([numbers[one.task] for one in self.classes], dtype=np.intp)[self.traits["class"]]
        for number, task in enumerate(tasks):
            found = np.flatnonzero(codes == number)
            if len(found):
                yield task, found


def gather_cases(rows: Sequence[Row]) -> Cases:
    """The cases of some rows."""
    table = ClassTable()
    numbers = table.describe(make_case(row) for row in rows)
    return Cases(rows, numbers, table.classes)


class ClassTable:
    """Gives each class of rows a number, in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[RowClass, int] = {}

    @property
    def classes(self) -> list[RowClass]:
        """The classes by their numbers."""
        return list(self.numbers)

    def describe(self, cases: Iterable[Case]) -> Numbers:
        """The traits of some cases."""
        return np.array([self._describe(case) for case in cases], dtype=TRAIT)

    def renumber(self, numbers: Numbers, classes: Iterable[RowClass]) -> Numbers:
        """Traits that were made with another table, with the numbers of this one."""
        places = np.array([self.numbers.setdefault(one, len(self.numbers)) for one in classes], dtype=np.int32)
        if len(numbers):
            numbers["class"] = places[numbers["class"]]
        return numbers

    def _describe(self, case: Case) -> tuple[int, ...]:
        row, answer = case.row, case.answer
        turns = "\x1f".join(part for turn in row.messages for part in (turn.role, " ".join(turn.content.split())))
        folded = [(turn.role, fold_text(turn.content)) for turn in row.prompt]
        asked = [part for role, text in folded for part in (role, text.strip(OUTER_MARKS))]
        said = plain_form(answer)
        one = RowClass(row.task, guess_language(case.prompt + answer), name_answer(answer))
        opening = answer.lstrip()[:MOULD_OPENING] if len(answer) >= MOULD_ANSWER else ""
        return (
            digest_text(turns if turns.isascii() else unicodedata.normalize("NFC", turns)),
            digest_text("\x1f".join(asked)),
            digest_text(said),
            digest_text(" ".join(text for role, text in folded if text and role == "user")),
            digest_text(opening) if opening and opening[0] not in "{[" else 0,
            len(answer),
            sum(len(turn.content) for turn in row.messages),
            len(said),
            self.numbers.setdefault(one, len(self.numbers)),
            judge_placeholder(case),
        )


def digest_text(text: str) -> int:
    """A number of 64 bits that stands for a text: two of a million texts share one 3 times in 100 million."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def name_answer(answer: str) -> str:
    """The type of an answer: json, number, phrase or text."""
    if read_value(answer) is not None:
        return "json"
    if NUMBER.fullmatch(answer.strip()):
        return "number"
    return "phrase" if width(answer) <= SHORT_ANSWER else "text"


def find_repeats(digests: npt.NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """(place, place of the first) of each digest that came before, in order."""
    _, firsts, places = np.unique(digests, return_index=True, return_inverse=True)
    first_of = firsts[places]
    for at in np.flatnonzero(first_of != np.arange(len(digests))):
        yield int(at), int(first_of[at])
