"""A remedy takes the place of a run's adapter, and the first attempt stays whole beside it, in `RUN/trials/first`.

    trials/first/       the run as it was: config, records, answers, checkpoints (linked), further runs and report
    trials.json         `cure.adopting` while pieces are replaced, then `cure.adopted`

First the old run is put aside, then it is noted what is being adopted, then piece by piece is replaced, each so that it
can be done again. A kill at any moment loses nothing: `finish_adoption`, which every start of the run begins with, does
the pieces anew. The run's fingerprint stays that of the user's command. What described the first attempt alone goes
with it: the judge's opinion, benchmarks, blame, other seeds, the learning curve.

    adopt_trial(run, "cure-scale")
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from tuneproof.config import TrialsSection
from tuneproof.config.load import dump_config, load_settled
from tuneproof.messages import current_language
from tuneproof.pipeline.links import copy_folder, copy_steps, replace_folder
from tuneproof.pipeline.trials import MAY_CHANGE, load_trials
from tuneproof.records import Plan, RunRecord, Trials
from tuneproof.records.cure import RemedyName
from tuneproof.report import write_report
from tuneproof.rundir import RunDir, write_atomic

FIRST = "first"
"""Folder of the first attempt below `trials/`."""
FOLDERS = ("checkpoints", "adapter", "eval/tuned", "eval/select")
FILES = ("data/replay.jsonl", "eval/selection.json", "eval/drift.json", "verdict.json")
"""What is taken from the remedy as it is."""
GONE = ("eval/judge.json", "eval/judge.jsonl", "eval/harness.json", "eval/harness", "eval/blame")
AFTER = ("opinion", "harness", "report")
"""Stages that are done again for the adapter that stands."""
OWN = ("seed", "rows")
"""Purposes of trials that describe one adapter, and go with it."""


def adopt_trial(run: RunDir, name: RemedyName) -> None:
    """Make the remedy's trial the run's own adapter. Raises RunError for a record that is missing or damaged."""
    put_aside(run)
    noted = load_trials(run)
    assert noted.cure is not None
    noted.cure.adopting = name
    run.save(noted)
    finish_adoption(run)


def finish_adoption(run: RunDir) -> None:
    """Replace what a remedy that is being adopted replaces; nothing where none is."""
    noted = load_trials(run)
    if noted.cure is None or noted.cure.adopting is None:
        return
    for replace in PIECES:
        replace(run, RunDir(run.trials / noted.cure.adopting))
    noted = load_trials(run)
    assert noted.cure is not None
    noted.cure.adopting, noted.cure.adopted = None, noted.cure.adopting
    noted.cure.reason = "cure.ships"
    run.save(noted)


def put_aside(run: RunDir) -> None:
    """Keep the run as it is in `trials/first`, whole or not at all."""
    first = RunDir(run.trials / FIRST)
    if first.path.exists():
        return
    stage = RunDir(first.path.with_name(f".{FIRST}.staging"))
    shutil.rmtree(stage.path, ignore_errors=True)
    noted = load_trials(run)

    def ignore(folder: str, names: list[str]) -> list[str]:
        # Locks, and what is half written, belong to the folder that they lie in.
        inside = Path(folder) == run.trials
        return [name for name in names if name.startswith(".") or (inside and name in get_args(RemedyName))]

    copy_folder(run.path, stage.path, ignore)
    record = run.load(RunRecord)
    record.status, record.error = "done", None
    stage.save(record)
    config = load_settled(run.config)
    config.trials, config.report.store = TrialsSection(probe_rate=config.trials.probe_rate), None
    stage.config.write_text(dump_config(config), encoding="utf-8")
    noted.trials = [trial for trial in noted.trials if trial.purpose != "cure"]
    noted.cure = None
    if noted == Trials():
        (stage.path / "trials.json").unlink(missing_ok=True)
    else:
        stage.save(noted)
    os.replace(stage.path, first.path)


def take_folders(run: RunDir, trial: RunDir) -> None:
    """Checkpoints, adapter and answers."""
    for name in FOLDERS:
        if (trial.path / name).is_dir():
            replace_folder(trial.path / name, run.path / name)


def take_files(run: RunDir, trial: RunDir) -> None:
    """Replay, choice, drift and verdict."""
    for name in FILES:
        write_atomic(run.path / name, (trial.path / name).read_bytes())


def take_config(run: RunDir, trial: RunDir) -> None:
    """The values that a trial may change; the others are the run's own already."""
    ours, theirs = load_settled(run.config), load_settled(trial.config)
    for key in MAY_CHANGE:
        section, _, name = key.partition(".")
        for knob in [name] if name else type(getattr(ours, section)).model_fields:
            setattr(getattr(ours, section), knob, getattr(getattr(theirs, section), knob))
    write_atomic(run.config, dump_config(ours))


def take_training(run: RunDir, trial: RunDir) -> None:
    """What the training did: numbers, measured peak, steps."""
    record, plan = run.load(RunRecord), run.load(Plan)
    record.training = trial.load(RunRecord).training
    plan.measured_peak_bytes = trial.load(Plan).measured_peak_bytes
    run.save(plan)
    run.save(record)
    copy_steps(trial, run)


def drop_opinions(run: RunDir, trial: RunDir) -> None:
    """Take away what described the first attempt; what is asked for is done again."""
    for name in GONE:
        path = run.path / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
    record = run.load(RunRecord)
    for name in AFTER:
        record.stages.pop(name, None)
    run.save(record)


def drop_trials(run: RunDir, trial: RunDir) -> None:
    """Take away further runs of the first attempt: other seeds, fewer rows."""
    noted = load_trials(run)
    for one in noted.trials:
        if one.purpose in OWN:
            shutil.rmtree(run.trials / one.name, ignore_errors=True)
    noted.trials = [one for one in noted.trials if one.purpose not in OWN]
    noted.seeds = noted.curve = None
    run.save(noted)


def tell_first(run: RunDir, trial: RunDir) -> None:
    """Write the first attempt's report again, for the folder in which it lies."""
    config = load_settled(run.config)
    write_report(RunDir(run.trials / FIRST), config.report.language or current_language())


PIECES: tuple[Callable[[RunDir, RunDir], None], ...] = (
    take_folders,
    take_files,
    take_config,
    take_training,
    drop_opinions,
    drop_trials,
    tell_first,
)
"""Each takes the run and the remedy's trial, and can be done again."""
