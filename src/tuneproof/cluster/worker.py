"""One worker of a cluster: a rank of `pipeline/crew`, told of by a board.

Ray Train starts it in a group, with torch's process group made. What ends a run (a user's error, a bug) goes to the
board; what only ended this group (a worker that was lost) is raised, and Ray begins another group, which goes on with
the run folder from its last whole checkpoint.

In: a `Job` and a board. Out: an `Outcome` on the board, by the first rank.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneproof.cluster.board import Member, Outcome
from tuneproof.consent import trusting_code
from tuneproof.errors import Terminated, TuneproofError, UsageError
from tuneproof.messages import Language, use_language
from tuneproof.pipeline import RunRequest, Until, ask_stop, lead_or_follow, resume_run, run_all
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

PASSING = ("crew.lost", "run.locked")
"""Errors of a group that has lost a worker: one sees the other gone, or its folder still held by it."""
PATIENCE = 60.0
"""Seconds that the others of a group have to begin."""


@dataclass(frozen=True)
class Job:
    """What all workers of a run are to do."""

    out: Path
    """The run folder: on storage that all of them see, or with a copy at a store."""
    request: RunRequest | None = None
    """What to begin; None: go on with what is there."""
    until: Until = "report"
    store: str | None = None
    """Where the folder has its copy."""
    folder: Path = Path()
    """Where relative paths begin."""
    language: Language = "en"
    trusting: bool = False
    """Whether the model's own code may run."""


def do_share(given: dict[str, Any]) -> None:
    """What Ray Train calls on each worker: `given` has the `job` and the `board`."""
    job, board = given["job"], given["board"]
    use_language(job.language)
    try:
        enter_folder(job.folder)
        group = join_group(board)
        with trusting_code() if job.trusting else nullcontext():
            lead_or_follow(lambda: lead_run(job, board, group))
    except TuneproofError as error:
        if error.key not in PASSING:
            put_up(board, Outcome(error=error))
        raise
    except BaseException:
        put_up(board, Outcome(trace=traceback.format_exc()))
        raise


def enter_folder(folder: Path) -> None:
    """Raises UsageError where this machine does not see the folder that the command was typed in."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError("cluster.no_folder", where=str(folder), node=os.uname().nodename) from error


def join_group(board: Any) -> str:
    """Put this worker up. Returns the group's name: where its ranks meet, another place each time."""
    import ray

    group = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
    member = Member(int(os.environ["RANK"]), os.getpid(), ray.util.get_node_ip_address())
    ray.get(board.join.remote(group, member))
    return group


def lead_run(job: Job, board: Any, group: str) -> int:
    """What the first rank does: the chain. Returns 0, as a command would."""
    import ray

    size = ray.train.get_context().get_world_size()
    until = time.monotonic() + PATIENCE
    attempt, members = ray.get(board.list_members.remote(group))
    while len(members) < size and time.monotonic() < until:
        time.sleep(0.05)
        attempt, members = ray.get(board.list_members.remote(group))
    progress = Remote(board, RunDir(job.out), {"attempt": attempt, "ranks": [one._asdict() for one in members]})
    if job.request is None:
        run = resume_run(job.out, progress, job.until, job.store)
    else:
        # Begun anew only once: what a lost group has done is gone on with.
        first = attempt == 1
        run = run_all(job.request._replace(restart=job.request.restart and first), progress)
    put_up(board, Outcome(run=run.path))
    return 0


def put_up(board: Any, outcome: Outcome) -> None:
    """Tell how it ended, and be sure that it has arrived."""
    import ray

    ray.get(board.finish.remote(outcome))


class Remote:
    """A listener that passes everything on to the board, and stops the run when the command is stopped."""

    def __init__(self, board: Any, run: RunDir, group: dict[str, object]) -> None:
        self._board = board
        self._run = run
        self._group: dict[str, object] | None = group
        self._stage = ""

    def begin(self, stage: str, total: int | None = None) -> None:
        """A stage starts. With the first one the group is noted in the run's events: only now is its folder there."""
        if self._group is not None and self._run.has(RunRecord):
            self._run.log_event("group", **self._group)
            self._group = None
        self._stage = stage
        self._tell("begin", stage, total)

    def advance(self, done: int, **facts: float) -> None:
        """The innermost stage is further."""
        self._tell("advance", done, **facts)

    def end(self, stage: str) -> None:
        """The stage is over."""
        self._stage = ""
        self._tell("end", stage)

    def say(self, key: str, **values: object) -> None:
        """A sentence."""
        self._tell("say", key, **values)

    def show_mask(self, pieces: object, trained: int, total: int) -> None:
        """The loss-mask proof."""
        self._tell("show_mask", pieces, trained, total)

    def _tell(self, name: str, *given: object, **named: object) -> None:
        """Raises KeyboardInterrupt when the command was stopped; a training is asked to save first."""
        import ray

        number = ray.get(self._board.tell.remote((name, given, named)))
        if number is None:
            return
        if self._stage == "train":
            ask_stop(number)
        elif number == signal.SIGTERM:
            raise Terminated
        else:
            raise KeyboardInterrupt
