"""The tree of errors that a user can mend.

    TuneproofError                    exit code
    |- UsageError                     2    a file, option or name that does not exist
    |  |- ConfigError                 2    the config is wrong; every fault at once
    |  |- ModelError                  2    the base model cannot be found, read or trusted
    |  `- ScorerError                 2    a scorer of the user's own is missing or fails
    |- DataError                      3    no row of the data can be used
    |- FitError                       4    it does not fit: memory or disk
    |- TrainingError                  5    not finite, nothing to learn, diverged
    |- RunError                       6    a run folder is damaged, locked, or another experiment's
    |- ExportError                    7    an export does not answer as the run did
    `- StoppedError                   130  Ctrl-C, or 143 after SIGTERM: saved, can be resumed

    Terminated (a KeyboardInterrupt)       SIGTERM came, and nobody has saved yet

Each is raised with a key of the message catalogue, so that it can be told in English and Chinese, and with `where`: a
`file:line` or a config path. What is raised outside this tree is a bug: it keeps its traceback and exits with 1.

    raise DataError("data.no_usable_row", where="rows.jsonl:1", files="rows.jsonl")
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Mapping

from tuneproof.messages import Language, tell

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""No room on the disk, in the quota, or for so large a file."""


class TuneproofError(Exception):
    """Base of all errors that the user can mend: what went wrong, where, and what to do.

    `key` names the sentence in the message catalogue, `key + ".hint"` the way out; `values` fill both.
    """

    exit_code = 1

    def __init__(self, key: str, /, *, where: str | None = None, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.where = where
        self.values = values

    def message(self, language: Language | None = None) -> str:
        """What went wrong, in `language` (default: the language in use)."""
        return tell(self.key, language, **self.values)

    def hint(self, language: Language | None = None) -> str:
        """What to do about it, in `language` (default: the language in use)."""
        return tell(f"{self.key}.hint", language, **self.values)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message()} {self.hint()}"

    def __reduce__(self) -> tuple[object, ...]:
        """From process to process by what it holds: the classes differ in what they are made from."""
        return _restore, (type(self), self.__dict__)


def _restore(kind: type[TuneproofError], held: dict[str, object]) -> TuneproofError:
    error = kind.__new__(kind, held["key"])
    error.__dict__.update(held)
    return error


class UsageError(TuneproofError):
    """A file, option or name on the command line that does not exist or makes no sense."""

    exit_code = 2


class ConfigError(UsageError):
    """The config is wrong. `faults` lists every fault: (where, key of the message, its values)."""

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__(first.key, where=first.where)
        self.values = first.values
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class Fault(UsageError):
    """One fault of a config; collected, so that all of them are told at once."""


class ModelError(UsageError):
    """The base model cannot be found, read, or trusted."""


class ScorerError(UsageError):
    """A scorer of the user's own is not installed, raises, or returns something outside 0..1."""


class DataError(TuneproofError):
    """The data cannot be used: not one usable row."""

    exit_code = 3


class FitError(TuneproofError):
    """It does not fit into memory or onto the disk."""

    exit_code = 4


class TrainingError(TuneproofError):
    """Training failed: not finite, nothing to learn, diverged."""

    exit_code = 5


class RunError(TuneproofError):
    """A run folder is damaged, locked by another process, or belongs to another experiment."""

    exit_code = 6


class ExportError(TuneproofError):
    """An export cannot be written so, or does not answer as the run did."""

    exit_code = 7


class StoppedError(TuneproofError):
    """Stopped by a signal after saving; `resume` goes on."""

    def __init__(self, key: str, *, signal_number: int, **values: object) -> None:
        super().__init__(key)
        self.values = values
        self.exit_code = 128 + signal_number


def tell_changes(changes: Mapping[str, tuple[object, object]]) -> str:
    """Values that are others now, (before, now) by their names: `train.epochs was not set, is now 4; rows was ...`."""
    told = {name: [tell("run.not_set") if one is None else one for one in pair] for name, pair in changes.items()}
    return "; ".join(tell("run.change", name=name, before=before, now=now) for name, (before, now) in told.items())


def is_full(error: BaseException) -> bool:
    """Whether a write failed for want of room."""
    return isinstance(error, OSError) and error.errno in FULL


class Terminated(KeyboardInterrupt):
    """SIGTERM came. Raised like Ctrl-C, so that what a command holds (processes, temporary files, a lock) is let go."""


def name_signal(stop: KeyboardInterrupt) -> int:
    """Number of the signal behind an interrupt."""
    return int(signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)
