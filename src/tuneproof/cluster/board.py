"""What passes between the command line and the workers: an actor beside the command, which all of them can reach.

Workers put up what is told and how it ended, and look whether they are to stop; the command takes down what is new. It
goes when the command goes, and Ray ends the workers then.

    board = ray.remote(num_cpus=0)(Board).remote()
    ray.get(board.take.remote())        # ([("begin", ("train", 180), {})], None)
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tuneproof.errors import TuneproofError

Word = tuple[str, tuple[object, ...], dict[str, object]]
"""A call of `progress.Progress`: its name, and what it was given."""


class Member(NamedTuple):
    """One worker of a group."""

    rank: int
    pid: int
    node: str
    """Its machine's address."""


class Outcome(NamedTuple):
    """How it ended: with a run folder, with a user's error, or with a bug's traceback."""

    run: Path | None = None
    error: TuneproofError | None = None
    trace: str | None = None


class Board:
    """See the module's docstring. Every method is called from afar, one at a time."""

    def __init__(self) -> None:
        self._words: list[Word] = []
        self._outcome: Outcome | None = None
        self._groups: dict[str, list[Member]] = {}
        self._signal: int | None = None

    def tell(self, word: Word) -> int | None:
        """Put up a word. Returns the signal by which to stop, if there is one."""
        self._words.append(word)
        return self._signal

    def take(self) -> tuple[list[Word], Outcome | None]:
        """What is new since the last call, and how it ended if it has."""
        words, self._words = self._words, []
        return words, self._outcome

    def join(self, group: str, member: Member) -> None:
        """A worker of a new group has begun."""
        self._groups.setdefault(group, []).append(member)

    def list_members(self, group: str) -> tuple[int, list[Member]]:
        """The number of this group, from 1 on, and those of it that have begun, by rank."""
        return list(self._groups).index(group) + 1, sorted(self._groups[group])

    def stop(self, number: int) -> None:
        """Let the workers stop as by this signal."""
        self._signal = number

    def finish(self, outcome: Outcome) -> None:
        """The first outcome counts: what others fail by comes of it."""
        self._outcome = self._outcome or outcome
