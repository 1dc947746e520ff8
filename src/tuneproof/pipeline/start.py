"""Begin a run or go on with one: its folder, its fingerprint, the stages that are asked for.

The chain comes first. A probe of the learning rate stands before training where it is asked for; further runs come
after the report, which is then written again.
"""

from __future__ import annotations

import shutil
import time

from tuneproof.config.load import dump_config, load_config
from tuneproof.errors import ConfigError, Fault
from tuneproof.messages import current_language
from tuneproof.pipeline import RunRequest, Until
from tuneproof.pipeline.chain import CHAIN, Stage, fingerprint_run, list_versions, refuse_other, walk_chain
from tuneproof.pipeline.onward import adopt_adapter, copy_start, fingerprint_start
from tuneproof.pipeline.rounds import is_missing, probe_rate, run_asked
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

PROBE = Stage("probe", probe_rate)
TRIALS = (Stage("trials", run_asked), CHAIN[-1])
"""The further runs, and the report with what they show."""


def start_run(request: RunRequest, progress: Progress) -> RunDir:
    """Begin a run in its folder, or go on with it. Raises RunError when the folder is another experiment's."""
    config = adopt_adapter(request.config, request.out)
    if config.model.name is None:
        raise ConfigError([Fault("config.no_model", where="model.name")])
    run = RunDir(request.out)
    wanted = {**fingerprint_run(config), **fingerprint_start(config)}
    with run.lock():
        if request.restart:
            clear_run(run)
        if run.has(RunRecord):
            refuse_other(run, wanted)
            ask_trials(run, request)
        else:
            copy_start(config, run)
            record = RunRecord(
                status="running",
                command=request.command,
                fingerprint=wanted,
                versions=list_versions(),
                device=config.model.device,
                seed=config.train.seed,
                language=current_language(),
                created=time.time(),
            )
            run.save(record)
            # The file exists from the first moment on, so that `resume` needs nothing but the folder.
            run.config.write_text(dump_config(config), encoding="utf-8")
    return continue_run(run, progress, request.until)


def ask_trials(run: RunDir, request: RunRequest) -> None:
    """Take up what is asked of trials now: they add to a run and change nothing in it."""
    config, _ = load_config(run.config)
    config.trials = request.config.trials
    run.config.write_text(dump_config(config), encoding="utf-8")


def continue_run(run: RunDir, progress: Progress, until: Until) -> RunDir:
    """Do the stages that are not done, up to `until`, and after the last the trials that are asked for."""
    with run.lock():
        config, _ = load_config(run.config)
        refuse_other(run, {**fingerprint_run(config), "config": run.load(RunRecord).fingerprint["config"]})
        work = Work(run, config, progress)
        walk_chain(work, list_stages(work), until)
        if until == "report" and is_missing(work):
            forget_stages(run)
            walk_chain(work, TRIALS)
    return run


def list_stages(work: Work) -> list[Stage]:
    """The chain, with the probe of the learning rate before training where it is asked for."""
    asked = work.config.trials.probe_rate
    return [stage for one in CHAIN for stage in ([PROBE, one] if asked and one.name == "train" else [one])]


def forget_stages(run: RunDir) -> None:
    """Let the stages of the trials be done again: more of them are asked for than were."""
    record = run.load(RunRecord)
    for stage in TRIALS:
        record.stages.pop(stage.name, None)
    run.save(record)


def clear_run(run: RunDir) -> None:
    """Remove the records of a run, and nothing that it did not write."""
    for name in ("data", "start", "checkpoints", "adapter", "eval", "trials"):
        shutil.rmtree(run.path / name, ignore_errors=True)
    for name in ("config.yaml", "run.json", "events.jsonl", "plan.json", "verdict.json", "trials.json", "report.html"):
        (run.path / name).unlink(missing_ok=True)
