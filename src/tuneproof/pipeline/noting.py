"""What a listener elsewhere needs: where a run stands, and what it said, kept in its folder as it goes.

The terminal of a run may be closed, or never have been there. `progress.json` has the stage at work and how far it is,
written at most once a second; what is said is kept in `events.jsonl` by its key, so that it can be told in either
language. In: the listener that was given. Out: one that does the same and takes notes.

    work = Work(run, config, Noting(progress, run))
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from tuneproof.errors import FitError
from tuneproof.progress import Progress
from tuneproof.records import Standing
from tuneproof.rundir import RunDir

PAUSE = 1.0
"""Seconds between two notes of one stage."""


class Noting:
    """Passes everything on and keeps it in the run folder. A note that cannot be written is no reason to stop a run."""

    def __init__(self, listener: Progress, run: RunDir) -> None:
        self._listener = listener
        self._run = run
        self._open: list[Standing] = []
        self._noted = 0.0

    def begin(self, stage: str, total: int | None = None) -> None:
        """A stage starts."""
        now = time.time()
        self._open.append(Standing(stage=stage, total=total, begun=now, time=now))
        self._note()
        self._listener.begin(stage, total)

    def advance(self, done: int, **facts: float) -> None:
        """The innermost stage is further."""
        if self._open:
            self._open[-1].done = done
            if time.time() - self._noted >= PAUSE:
                self._note()
        self._listener.advance(done, **facts)

    def end(self, stage: str) -> None:
        """The stage and what began inside it are over; the one around it goes on."""
        while self._open and self._open.pop().stage != stage:
            pass
        if self._open:
            self._note()
        self._listener.end(stage)

    def say(self, key: str, **values: object) -> None:
        """A sentence: kept by its key."""
        plain = {name: value if isinstance(value, int | float) else str(value) for name, value in values.items()}
        with contextlib.suppress(OSError, FitError):
            self._run.log_event("said", key=key, values=plain)
        self._listener.say(key, **values)

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """The loss-mask proof; training keeps it itself."""
        self._listener.show_mask(pieces, trained, total)

    def _note(self) -> None:
        self._noted = self._open[-1].time = time.time()
        with contextlib.suppress(OSError, FitError):
            self._run.save(self._open[-1])
