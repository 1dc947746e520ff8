"""Several machines: the pipeline's verbs on the workers of a Ray cluster, and searches there.

    cluster/
    |- place.py      a cluster that is there, or one on this machine; how many workers it bears
    |- board.py      what passes between the command and the workers: words, orders to stop, the outcome
    |- worker.py     one worker: a rank of pipeline/crew.py
    |- train.py      a run on Ray Train, begun again by itself where a worker or a node is lost
    `- search.py     trials on Ray Tune, halved by their scores on the select rows

Ray is imported where it is used, and is an extra: `pip install 'tuneproof[cluster]'`.

    run = run_all(Place("auto", workers=4), request, progress)      # as pipeline.run_all, on the cluster
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tuneproof.errors import UsageError

if TYPE_CHECKING:
    from tuneproof.pipeline import RunRequest, Until
    from tuneproof.progress import Progress
    from tuneproof.rundir import RunDir


class Place(NamedTuple):
    """Where to work, and with how many."""

    address: str
    """`local`: a Ray of its own on this machine; `auto`: the one that runs here or that RAY_ADDRESS names; else
    HOST:PORT."""
    workers: int | None = None
    """None: one for each GPU; where there is none, one for each node."""
    gpus: int | None = None
    """Workers with a GPU each."""


def run_all(place: Place, request: RunRequest, progress: Progress) -> RunDir:
    """As `pipeline.run_all`, by the workers of a cluster; a lost one costs what came after the last checkpoint."""
    from tuneproof.cluster.train import run_job
    from tuneproof.cluster.worker import Job

    return run_job(place, Job(request.out, request=request), progress)


def resume_run(
    place: Place, path: Path, progress: Progress, until: Until = "report", store: str | None = None
) -> RunDir:
    """As `pipeline.resume_run`, by the workers of a cluster."""
    from tuneproof.cluster.train import run_job
    from tuneproof.cluster.worker import Job

    return run_job(place, Job(path, until=until, store=store), progress)


def search(place: Place, request: RunRequest, progress: Progress) -> RunDir:
    """A run whose settings are the best of `trials.search` trials; the test rows meet that one alone."""
    require_ray()
    from tuneproof.cluster.search import search_runs

    return search_runs(place, request, progress)


def require_ray() -> None:
    """Raise UsageError where Ray is not installed."""
    if find_spec("ray") is None:
        raise UsageError("cluster.no_ray", where="--cluster")
