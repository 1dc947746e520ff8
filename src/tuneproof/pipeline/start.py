"""Begin a run or go on with one: its folder, its fingerprint, the stages that are asked for.

The chain comes first. A probe of the learning rate stands before training where it is asked for; further runs come
after the report, which is then written again: first the cure, since all others describe the adapter that stands.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tuneproof.config import ModelSection, RunConfig
from tuneproof.config.load import dump_config, load_settled
from tuneproof.errors import ConfigError, Fault, RunError, UsageError
from tuneproof.export.source import find_commit
from tuneproof.messages import current_language
from tuneproof.model.find import find_model
from tuneproof.pipeline import RunRequest, Until
from tuneproof.pipeline.adoption import finish_adoption
from tuneproof.pipeline.chain import (
    CHAIN,
    Stage,
    fingerprint_run,
    list_asked,
    list_versions,
    refuse_other,
    refuse_versions,
    walk_chain,
)
from tuneproof.pipeline.cure import cure_run, is_asked
from tuneproof.pipeline.folder import clear_run, refuse_foreign
from tuneproof.pipeline.fork import Fork, fork_run
from tuneproof.pipeline.incoming import hold_stdin, keep_stdin, pin_names
from tuneproof.pipeline.mirror import Mirror, fetch_run
from tuneproof.pipeline.noting import Noting
from tuneproof.pipeline.onward import adopt_adapter, copy_start, fingerprint_start
from tuneproof.pipeline.rounds import is_missing, probe_rate, run_asked
from tuneproof.pipeline.trials import load_trials
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.training.trackers import require_trackers

PROBE = Stage("probe", probe_rate)
CURE = (Stage("cure", cure_run), *CHAIN)
"""The cure, and what of the chain is to be done again for a remedy that was adopted: the report in any case."""
TRIALS = (Stage("trials", run_asked), CHAIN[-1])
"""The further runs, and the report with what they show."""


def start_run(request: RunRequest, progress: Progress) -> RunDir:
    """Begin a run in its folder, or go on with it. Raises RunError when the folder is another experiment's."""
    refuse_ranks()
    if request.fork and request.restart:
        raise UsageError("fork.or_restart", where="--fork --restart")
    if request.fork and request.config.report.store:
        raise UsageError("store.fork", where="--fork --store")
    config = adopt_adapter(request.config, request.out)
    if config.model.name is None:
        raise ConfigError([Fault("config.no_model", where="model.name")])
    # What is missing is told before anything is made or cleared.
    require_trackers(config.report.trackers)
    config.model.revision = pin_base(config.model)
    with hold_stdin(pin_names(config)) as held:
        fork = Fork(RunDir(request.out), held.config, is_new=False)
        if request.fork:
            fork = fork_run(request, held.config, progress)
        run, held = fork.run, held._replace(config=fork.config)
        wanted = fingerprint(held.config)
        with run.lock():
            store = held.config.report.store
            if not request.restart:
                fetch_run(run, store)
            refuse_foreign(run, held.config, restart=request.restart)
            if request.restart:
                clear_run(run)
                if store is not None:
                    Mirror(run.path, store).claim()
            config = keep_stdin(held, run)
            wanted = wanted if held.file is None else fingerprint(config)
            if fork.is_new and run.has(RunRecord):
                # The weights that it began with lie in its folder; those that they were taken from go on changing.
                wanted.pop("start", None)
            note_run(run, config, request, wanted)
    return continue_run(run, progress, request.until)


def refuse_ranks() -> None:
    """Raise UsageError where several processes were started and this one has not joined them (`pipeline/crew`): the
    Trainer would cut each batch among them in its own way."""
    processes = os.environ.get("WORLD_SIZE", "1")
    if processes.isdecimal() and int(processes) > 1:
        raise UsageError("train.several_processes", where="WORLD_SIZE", processes=processes)


def pin_base(model: ModelSection) -> str | None:
    """The commit that a base of the Hugging Face hub has now, unless a revision is named: a run that is resumed next
    week loads the weights that it began with. None for a base that lies elsewhere."""
    if model.revision is not None or model.name is None or Path(find_model(model.name)).is_dir():
        return model.revision
    return find_commit(model.name)


def fingerprint(config: RunConfig) -> dict[str, str]:
    """What makes the experiment, its starting adapter included. Raises for what is not there."""
    return {**fingerprint_run(config), **fingerprint_start(config)}


def note_run(run: RunDir, config: RunConfig, request: RunRequest, wanted: dict[str, str]) -> None:
    """Write the record of a run that begins; of one that is there, see that it is the same and take up its trials."""
    if run.has(RunRecord):
        try:
            refuse_other(run, wanted, list_asked(config))
        except RunError:
            if is_begun(run):
                raise
            # Nothing is lost: the plan has said what does not fit, and this is what it was given instead.
            clear_run(run)
        else:
            ask_trials(run, request)
            return
    copy_start(config, run)
    record = RunRecord(
        status="running",
        command=request.command,
        fingerprint=wanted,
        asked=list_asked(config),
        versions=list_versions(),
        device=config.model.device,
        seed=config.train.seed,
        language=current_language(),
        created=time.time(),
    )
    run.save(record)
    # The file exists from the first moment on, so that `resume` needs nothing but the folder.
    write_atomic(run.config, dump_config(config))


def is_begun(run: RunDir) -> bool:
    """Whether more was done than to read the data and to plan."""
    return not set(run.load(RunRecord).stages) <= {"check", "plan"}


def ask_trials(run: RunDir, request: RunRequest) -> None:
    """Take up what is asked of trials now, and where the folder is copied to: these change nothing in a run."""
    config = load_settled(run.config)
    config.report.store = request.config.report.store or config.report.store
    searched, config.trials = config.trials.search, request.config.trials
    config.trials.search = max(searched, config.trials.search)
    write_atomic(run.config, dump_config(config))


def continue_run(run: RunDir, progress: Progress, until: Until, store: str | None = None) -> RunDir:
    """Do the stages that are not done, up to `until`, and after the last the trials that are asked for.

    `store`: where the folder has its copy, if its config does not say so or is not here.
    """
    refuse_ranks()
    with run.lock():
        if run.has(RunRecord):
            store = store or load_settled(run.config).report.store
        fetch_run(run, store)
        finish_adoption(run)
        config = load_settled(run.config)
        if config.report.store != store:
            config.report.store = store
            write_atomic(run.config, dump_config(config))
        refuse_other(run, {**fingerprint_run(config), "config": run.load(RunRecord).fingerprint["config"]})
        refuse_unchosen(run, config, until)
        work = Work(run, config, Noting(progress, run))
        stages = list_stages(work)
        refuse_versions(run, stages, until)
        walk_chain(work, stages, until)
        if until == "report" and is_asked(work):
            forget_stages(run, "cure", "report")
            walk_chain(work, CURE)
        if until == "report" and is_missing(work):
            forget_stages(run, "trials", "report")
            walk_chain(work, TRIALS)
    return run


def refuse_unchosen(run: RunDir, config: RunConfig, until: Until) -> None:
    """Raise RunError where a search has not chosen yet: to train now would be to pass it over."""
    if config.trials.search and until != "replay":
        search = load_trials(run).search
        if search is None or search.chosen is None:
            raise RunError("search.unfinished", where=str(run.path))


def list_stages(work: Work) -> list[Stage]:
    """The chain, with the probe of the learning rate before training where it is asked for."""
    asked = work.config.trials.probe_rate
    return [stage for one in CHAIN for stage in ([PROBE, one] if asked and one.name == "train" else [one])]


def forget_stages(run: RunDir, *names: str) -> None:
    """Let these stages be done again: more is asked for than was."""
    record = run.load(RunRecord)
    for name in names:
        record.stages.pop(name, None)
    run.save(record)
