"""A folder that belongs to another experiment, and `--fork`: a new run beside it, which goes on from its weights.

    runs/first      begun with a rate of 1e-3, stopped at step 60
    runs/first-2    `--fork --set train.learning_rate=1e-4`: begins with the weights of step 60

The weights are those of the run's adapter, or of its newest whole checkpoint where it has none yet; optimizer, schedule
and steps begin anew. Where they do not fit (another base, rank or targets, nothing trained yet) the new run begins with
a fresh adapter. The same command goes on with the fork that it made.

In: what is asked for. Out: the folder and the config to work with.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import NamedTuple

from tuneproof.config import RunConfig
from tuneproof.errors import RunError, UsageError
from tuneproof.pipeline import RunRequest, Until
from tuneproof.pipeline.chain import CHAIN, fingerprint_run, list_asked, refuse_other, refuse_versions
from tuneproof.pipeline.onward import adopt_adapter
from tuneproof.progress import Progress
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir


class Fork(NamedTuple):
    """Where to work, and with what."""

    run: RunDir
    config: RunConfig
    is_new: bool


def fork_run(request: RunRequest, config: RunConfig, progress: Progress) -> Fork:
    """The request's own folder where it is free or belongs to this experiment, else the first fork that does."""
    origin = RunDir(request.out)
    if not origin.has(RunRecord) or belongs(origin, config, request.until):
        return Fork(origin, config, is_new=False)
    forked = start_from(origin, config)
    for number in count(2):
        run = RunDir(request.out.with_name(f"{request.out.name}-{number}"))
        if run.has(RunRecord) and not belongs(run, forked, request.until):
            continue
        key = "fork.fresh" if forked.train.start_from is None else "fork.begun"
        progress.say(key, run=str(run.path), origin=str(origin.path))
        return Fork(run, forked, is_new=True)
    raise AssertionError("a count has no end")


def belongs(run: RunDir, config: RunConfig, until: Until) -> bool:
    """Whether a folder's run is this experiment, and its versions are those that are installed.

    A starting adapter counts by the run that it is from: an unfinished one has other weights by now.
    """
    try:
        refuse_other(run, fingerprint_run(config), list_asked(config))
        refuse_versions(run, CHAIN, until)
    except RunError:
        return False
    return True


def start_from(origin: RunDir, config: RunConfig) -> RunConfig:
    """The config that goes on from a run's weights; unchanged where they do not fit."""
    forked = config.model_copy(deep=True)
    forked.train.start_from = str(origin.path)
    try:
        return adopt_adapter(forked, Path(), unfinished=True)
    except (RunError, UsageError):
        return config
