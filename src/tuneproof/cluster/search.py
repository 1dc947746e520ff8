"""A search on a cluster: Ray Tune runs the trials side by side and halves them (ASHA: Li et al. 2018, arXiv
1810.05934).

Trials are compared at as many optimizer steps each: after a rung only the better half goes on, to twice as many steps.
What a trial came to is kept in the run folder as it ends, and a trial's rungs in its own folder, so a search whose
driver was killed is gone on with by the same command: trials that ended tell what they told, others go on from their
last checkpoint. Ray Tune's own state is not read back: it is pickled, and a run folder may come from somebody else.

In: a place and a request. Out: the run folder, at the verdict of the chosen trial.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from tuneproof.cluster import Place, resume_run, run_all
from tuneproof.cluster.place import open_cluster, shape_group
from tuneproof.cluster.train import STATE
from tuneproof.cluster.worker import enter_folder
from tuneproof.consent import allows_code, trusting_code
from tuneproof.errors import RunError
from tuneproof.messages import current_language, use_language
from tuneproof.pipeline import RunRequest, adopt_best, halve_point, note_point, plan_search, try_point
from tuneproof.pipeline import resume_run as resume_here
from tuneproof.pipeline import run_all as run_here
from tuneproof.progress import Progress
from tuneproof.records import Plan, RunRecord, Search, TrialRecord, Trials
from tuneproof.rundir import RunDir

LOSSES = 3
"""Times that a trial may lose its worker."""
HALVING = 2
"""One in so many goes on after a rung."""


def search_runs(place: Place, request: RunRequest, progress: Progress) -> RunDir:
    """The base measured, the trials, the choice, and the chain to the report. Raises any TuneproofError."""
    local = place.address == "local"
    refuse_plain(RunDir(request.out), restart=request.restart)
    begun = request._replace(until="replay", fork=False)
    run = run_here(begun, progress) if local else run_all(place, begun, progress)
    noted = find_search(run)
    if noted is None or noted.chosen is None or len(noted.tried) < request.config.trials.search:
        with run.lock():
            try_points(place, run, progress)
            adopt_best(run.path)
    return resume_here(run.path, progress) if local else resume_run(place, run.path, progress)


def find_search(run: RunDir) -> Search | None:
    """What is known of the run's search; None before its first trial has ended."""
    return run.load(Trials).search if run.has(Trials) else None


def refuse_plain(run: RunDir, *, restart: bool) -> None:
    """Raise RunError where the folder has a run that was begun without a search: its plan has no room for one."""
    if run.has(RunRecord) and not restart:
        from tuneproof.config.load import load_settled

        if not load_settled(run.config).trials.search:
            raise RunError("search.plain_run", where=str(run.path))


def try_points(place: Place, run: RunDir, progress: Progress) -> None:
    """Run the trials; each is noted as it ends. The caller holds the run."""
    plan = plan_search(run.path)
    progress.begin("search", len(plan.names))
    with open_cluster(place.address) as ray:
        from ray import tune
        from ray.tune.schedulers import ASHAScheduler

        given: dict[str, object] = {"run": str(run.path.resolve()), "folder": str(Path.cwd())}
        given |= {"language": current_language(), "trusting": allows_code()}
        shape, at_once = size_trials(ray, place, run, len(plan.names))
        tuner = tune.Tuner(
            tune.with_resources(do_trial, shape),
            param_space={**given, "name": tune.grid_search(plan.names)},
            tune_config=tune.TuneConfig(
                metric="score",
                mode="max",
                scheduler=ASHAScheduler(
                    time_attr="steps", grace_period=plan.rung, max_t=plan.most + 1, reduction_factor=HALVING
                ),
                max_concurrent_trials=at_once,
            ),
            run_config=tune.RunConfig(
                storage_path=str((run.path / STATE).resolve()),
                failure_config=tune.FailureConfig(max_failures=LOSSES),
                callbacks=[make_listener(tune, run, progress)],
                verbose=0,
            ),
        )
        tuner.fit()
    progress.end("search")


def size_trials(ray: Any, place: Place, run: RunDir, count: int) -> tuple[dict[str, float], int]:
    """(what a trial takes, how many at once): on this machine no more than its memory bears, by the plan."""
    gpus = ray.cluster_resources().get("GPU", 0)
    at_once = place.workers or int(gpus or ray.cluster_resources().get("CPU", 1))
    if place.address == "local" and not place.workers:
        at_once = min(at_once, max(1, psutil.virtual_memory().available // max(1, run.load(Plan).peak_bytes)))
    at_once = min(at_once, count)
    shape = shape_group(ray.nodes(), place._replace(workers=None if gpus else at_once))
    return ({"CPU": shape.cpus, "GPU": 1} if gpus else {"CPU": shape.cpus}), at_once


def do_trial(given: dict[str, Any]) -> None:
    """What Ray Tune calls for a trial, in a process of its own. The last report says what it came to."""
    from contextlib import nullcontext

    from ray import tune

    use_language(given["language"])
    enter_folder(Path(given["folder"]))
    last = [0, 0.0]

    def hear(steps: int, score: float) -> None:
        # A trial that is gone on with tells its known rungs again; Ray wants steps that grow.
        if steps > last[0]:
            last[:] = [steps, score]
            tune.report({"steps": steps, "score": score, "record": None})

    with trusting_code() if given["trusting"] else nullcontext():
        try:
            record = try_point(Path(given["run"]), given["name"], hear)
        except Exception as bug:
            # Once more would come to the same; only a worker that is lost is worth another try.
            record = fail_trial(given["name"], f"{type(bug).__name__}: {bug}")
    score = record.select_score if record.select_score is not None else last[1]
    steps = max(last[0] + 1, record.steps or 0)
    tune.report({"steps": steps, "score": score, "record": record.model_dump_json()})


def fail_trial(name: str, why: str) -> TrialRecord:
    """The record of a trial that is no user's fault."""
    return TrialRecord(name=name, purpose="search", changes={}, seconds=0.0, failed=why[:300])


def make_listener(tune: Any, run: RunDir, progress: Progress) -> Any:
    """Ray Tune's listener that keeps what each trial came to, and tells how far the search is."""
    ended: set[str] = set()

    class Listener(tune.Callback):  # type: ignore[misc]
        def __reduce__(self) -> tuple[object, ...]:
            # Ray Tune pickles all it has; nothing reads this back, and a screen cannot be pickled.
            return object, ()

        def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **rest: Any) -> None:
            keep_trial(run, trial.config["name"], (trial.last_result or {}).get("record"))
            ended.add(trial.config["name"])
            progress.advance(len(ended))

        def on_trial_error(self, iteration: int, trials: Any, trial: Any, **rest: Any) -> None:
            why = str(trial.get_error() or "").strip().splitlines()
            note_point(run.path, fail_trial(trial.config["name"], (why or ["?"])[-1]), halved=False)
            ended.add(trial.config["name"])
            progress.advance(len(ended))

    return Listener()


def keep_trial(run: RunDir, name: str, record: str | None) -> None:
    """Note a trial that ended, or that was ended early; one that is noted already stays as it is."""
    noted = find_search(run)
    if noted is not None and any(one.name == name for one in noted.tried):
        return
    if record is None:
        halve_point(run.path, name)
    else:
        note_point(run.path, TrialRecord.model_validate_json(record), halved=False)
