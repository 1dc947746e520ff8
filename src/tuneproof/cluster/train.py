"""A run on a cluster: Ray Train keeps a group of workers going until the run is done.

A group that loses a worker or a node is begun again, with as many workers as are left (one is enough), by Ray Train's
own fault tolerance; the run itself does what it does after any kill, and goes on from its last whole checkpoint. How
many work on it changes no row and no sum (pipeline/crew.py), so the adapter is that of an undisturbed run.

In: a place and a job. Out: the run folder, or the error that ended it.
"""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tuneproof.cluster import Place
from tuneproof.cluster.board import Board, Outcome, Word
from tuneproof.cluster.place import open_cluster, shape_group
from tuneproof.cluster.worker import Job, do_share
from tuneproof.config.data import STDIN
from tuneproof.config.load import load_settled
from tuneproof.consent import allows_code
from tuneproof.errors import RunError, StoppedError, UsageError
from tuneproof.messages import current_language
from tuneproof.pipeline import fetch_copy
from tuneproof.progress import Progress
from tuneproof.rundir import RunDir

LOSSES = 20
"""Groups that may be lost before the run is given up: a machine that kills each one would never end."""
PATIENCE = timedelta(days=7)
"""How long a rank waits for another, as in model/crew.py."""
GLANCE = 0.2
FAREWELL = 10.0
"""Seconds for the workers to end by themselves once the run has."""
STATE = ".ray"
"""Folder in the run's for what Ray Train keeps of its own."""


def run_job(place: Place, job: Job, progress: Progress) -> RunDir:
    """Do the job on the cluster and tell `progress` of it. Raises any TuneproofError that ended it there, RunError
    when the cluster gave it up, StoppedError after Ctrl-C or SIGTERM."""
    if job.request is not None and STDIN in job.request.config.data.files:
        raise UsageError("cluster.stdin", where="DATA")
    job = dataclasses.replace(
        job,
        store=find_store(job),
        folder=Path.cwd(),
        out=job.out.absolute(),
        language=current_language(),
        trusting=allows_code(),
    )
    with open_cluster(place.address) as ray:
        board = ray.remote(num_cpus=0)(Board).remote()
        trainer = build_trainer(place, ray.nodes(), job, board)
        ended: list[BaseException | None] = []
        thread = threading.Thread(target=_fit, args=(trainer, ended), daemon=True)
        thread.start()
        with _pass_on(ray, board):
            outcome = follow_board(ray, board, ended, progress)
        thread.join(FAREWELL)
    return open_outcome(outcome, job)


def build_trainer(place: Place, nodes: Sequence[Any], job: Job, board: Any) -> Any:
    """Ray Train's trainer for a job; its workers share the ranks' work as under torchrun."""
    from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    shape = shape_group(nodes, place)
    return TorchTrainer(
        do_share,
        train_loop_config={"job": job, "board": board},
        scaling_config=ScalingConfig(
            num_workers=(1, shape.workers) if shape.workers > 1 else 1,
            use_gpu=shape.use_gpu,
            resources_per_worker={"CPU": shape.cpus, "GPU": 1} if shape.use_gpu else {"CPU": shape.cpus},
        ),
        # Objects and numbers go over gloo, gradients of a GPU over NCCL.
        torch_config=TorchConfig(
            backend="cpu:gloo,cuda:nccl" if shape.use_gpu else "gloo", timeout_s=int(PATIENCE.total_seconds())
        ),
        run_config=RunConfig(
            name="group",
            storage_path=str(job.out / STATE),
            failure_config=FailureConfig(max_failures=LOSSES),
            logging_config=LoggingConfig(log_level="ERROR"),
        ),
    )


def _fit(trainer: Any, ended: list[BaseException | None]) -> None:
    """Ray Train's loop, in a thread: in the main one it would take Ctrl-C for itself."""
    try:
        trainer.fit()
    except BaseException as error:
        ended.append(error)
    else:
        ended.append(None)


@contextmanager
def _pass_on(ray: Any, board: Any) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the workers, who save; the second one ends the command at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(number: int, frame: object) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        board.stop.remote(number)

    main = threading.current_thread() is threading.main_thread()
    for number in numbers if main else ():
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items() if main else ():
            signal.signal(number, handler)


def follow_board(ray: Any, board: Any, ended: Sequence[BaseException | None], progress: Progress) -> Outcome:
    """Tell what the workers tell until there is an outcome. Raises RunError where the cluster has none to give."""
    while True:
        over = bool(ended)
        words, outcome = ray.get(board.take.remote())
        for word in words:
            repeat_word(word, progress)
        if outcome is not None:
            return Outcome(*outcome)
        if over:
            told = str(ended[0] or "").strip().splitlines()
            raise RunError("cluster.given_up", why=told[-1][:300] if told else "?")
        time.sleep(GLANCE)


def repeat_word(word: Word, progress: Progress) -> None:
    """One call of a worker's listener, on ours."""
    name, given, named = word
    getattr(progress, name)(*given, **named)


def open_outcome(outcome: Outcome, job: Job) -> RunDir:
    """The run folder; raises what ended it otherwise, a bug as RuntimeError with the worker's traceback."""
    if isinstance(outcome.error, StoppedError):
        outcome.error.values = {"run": job.out, **outcome.error.values}
    if outcome.error is not None:
        raise outcome.error
    if outcome.trace is not None:
        raise RuntimeError(outcome.trace)
    assert outcome.run is not None
    return RunDir(outcome.run) if job.store is None else fetch_copy(outcome.run, job.store)


def find_store(job: Job) -> str | None:
    """Where the run folder has its copy: as it is asked for, or as its config says."""
    if job.request is not None:
        return job.request.config.report.store
    known = RunDir(job.out).config
    return job.store or (load_settled(known).report.store if known.is_file() else None)
