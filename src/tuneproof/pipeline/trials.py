"""Trials: runs inside a run, on its rows, its answers of the base, and its loaded base model.

A trial is a run folder of its own in `RUN/trials/NAME/`, so that `report`, `compare` and `resume` work on it. What its
changes leave valid is copied: data, plan, the base's answers, replay (to its share, where the trial has fewer rows);
where only another checkpoint or scale is tried, the training and what candidates have said too.
The folder appears whole or not at all; then the chain's own stages do the rest, with a fresh adapter on the base that
is in memory already. What each trial came to stands in `RUN/trials.json`.

    trial = Trial("seed-18", "seed", {"train.seed": 18})
    run = run_trial(work, trial)            # RUN/trials/seed-18, with its own verdict and report
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tuneproof.config import RunConfig, TrialsSection
from tuneproof.config.load import dump_config, load_settled, validate_tree
from tuneproof.data.share import cut_rows
from tuneproof.errors import FitError, StoppedError, TrainingError
from tuneproof.model.encoding import measure_rows
from tuneproof.model.hardware import free_disk
from tuneproof.pipeline.chain import CHAIN, fingerprint_run, is_done, list_versions, refuse_other, walk_chain
from tuneproof.pipeline.links import copy_folder, copy_steps
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import (
    DataReport,
    Plan,
    Row,
    RunRecord,
    Selection,
    Split,
    StageRecord,
    TrialRecord,
    Trials,
    Verdict,
)
from tuneproof.records.cure import Knob
from tuneproof.records.trials import Purpose
from tuneproof.rundir import RunDir
from tuneproof.training.adapter import save_adapter

MAY_CHANGE = ("train.", "replay.", "lora.rank", "evaluate.checkpoints", "evaluate.scales")
"""Keys that a trial may change: another one would need rows split, memory planned (but for a rank below the plan's) or
the base measured again."""
SIDES = ("train", "select", "test", "replay")
STAGES = [stage.name for stage in CHAIN]


class Trial(NamedTuple):
    """What a trial does otherwise than the run that it belongs to."""

    name: str
    """Its folder's name."""
    purpose: Purpose
    changes: Mapping[str, Knob]
    """Config key -> value."""
    share: float = 1.0
    """Share of the training rows, 0 to 1."""
    until: str = "report"
    """Last stage of the chain; a trial that ends before `report` never gets the test rows."""
    candidate: tuple[int, float] | None = None
    """Checkpoint and scale of the run's own training, which is not done again; None: the trial trains and chooses."""


def run_trials(work: Work, trials: Sequence[Trial], seconds: float | None) -> Trials:
    """Run those that trials.json has not, and note each; says first how many there are and about how long they take.

    `seconds`: of all trials, None where it is not known. A training that fails is noted and does not stop the others.
    Raises FitError when the disk has no room for their checkpoints, StoppedError, RunError.
    """
    noted = load_trials(work.run)
    missing = [trial for trial in trials if noted.find(trial.name) is None]
    check_disk(work, len(missing))
    if missing:
        left = None if seconds is None else seconds * len(missing) / len(trials)
        work.progress.say("trials.ahead", n=len(missing), time=left)
    for at, trial in enumerate(missing, start=1):
        work.progress.say("trials.begin", at=at, n=len(missing), name=trial.name)
        noted.note(_try(work, trial))
        work.run.save(noted)
        work.progress.advance(at)
    return noted


def check_disk(work: Work, trials: int) -> None:
    """Raise FitError when the disk has no room for as many runs as this one, by the plan's reckoning."""
    needed, free = trials * work.plan.disk_bytes, free_disk(work.run.path)
    if needed > free:
        raise FitError("disk.full", where=str(work.run.trials), needed=needed >> 20, free=free >> 20)


def _try(work: Work, trial: Trial) -> TrialRecord:
    """Run a trial and say what it came to."""
    failed = None
    try:
        run = run_trial(work, trial)
    except TrainingError as error:
        run, failed = RunDir(work.run.trials / trial.name), str(error)
        work.progress.say("trials.failed", name=trial.name, why=error.message())
    return describe_trial(run, trial, failed)


def run_trial(work: Work, trial: Trial, until: str | None = None) -> RunDir:
    """Run a trial, or go on with it; nothing is done again. Raises any TuneproofError.

    `until`: a stage to pause after, for a trial that may be gone on with later. `work`'s adapter is taken off for it
    and made anew when it is next asked for.
    """
    run = begin_trial(work, trial)
    last = until or trial.until
    if all(is_done(run, stage) for stage in CHAIN[: STAGES.index(last) + 1]):
        return run
    config = load_settled(run.config)
    with run.lock(), work.lend_base(run, config) as inner:
        inner.progress = _Inner(work.progress)
        try:
            walk_chain(inner, CHAIN, last)
        except StoppedError as stop:
            # What goes on is the whole run: by itself the trial would end without its parent knowing.
            values = {**stop.values, "run": work.run.path}
            raise StoppedError(stop.key, signal_number=stop.exit_code - 128, **values) from stop
    return run


def begin_trial(work: Work, trial: Trial) -> RunDir:
    """The trial's folder with all that is not made again. Raises RunError when another trial's records lie there."""
    run = RunDir(work.run.trials / trial.name)
    config = change_config(work.config, trial)
    wanted = {**fingerprint_run(config), "rows": hash_rows(work.run, trial)}
    if run.path.exists():
        refuse_other(run, wanted)
        return run
    stage = RunDir(run.path.with_name(f".{trial.name}.staging"))
    shutil.rmtree(stage.path, ignore_errors=True)
    stage.path.mkdir(parents=True)
    stage.config.write_text(dump_config(config), encoding="utf-8")
    copy_records(work, trial, stage)
    if trial.candidate is not None:
        take_training(work, trial.candidate, stage)
    parent = work.run.load(RunRecord)
    kept = STAGES[: STAGES.index("replay" if trial.candidate is None else "select") + 1]
    if config.replay != work.config.replay:
        kept.remove("replay")
    stage.save(
        RunRecord(
            status="running",
            command=parent.command,
            fingerprint=wanted,
            versions=list_versions(),
            device=parent.device,
            seed=config.train.seed,
            language=parent.language,
            created=time.time(),
            stages={name: StageRecord(status="done", seconds=0.0) for name in kept},
            training=parent.training if trial.candidate is not None else None,
        )
    )
    os.replace(stage.path, run.path)
    return run


def change_config(config: RunConfig, trial: Trial) -> RunConfig:
    """The run's resolved config with the trial's changes; a trial has no trials of its own."""
    tree = config.model_dump()
    tree["trials"] = TrialsSection().model_dump()
    # Neither has a say in the verdict, and both cost time or money each time.
    tree["evaluate"] |= {"judge": {}, "harness": []}
    # Its folder lies in the run's, and is sent with that.
    tree["report"]["store"] = None
    for key, value in trial.changes.items():
        wider = key == "lora.rank" and value > config.lora.rank  # type: ignore[operator]
        if wider or not key.startswith(MAY_CHANGE):
            raise ValueError(f"a trial cannot change {key}")
        section, _, name = key.partition(".")
        tree[section][name] = value
    return validate_tree(tree, {})


def copy_records(work: Work, trial: Trial, run: RunDir) -> None:
    """Rows, plan and the base's answers, as far as the trial needs them."""
    parent = work.run
    shutil.copytree(parent.path / "data", run.path / "data")
    shutil.copytree(parent.path / "eval" / "base", run.path / "eval" / "base")
    if parent.start.is_dir():
        shutil.copytree(parent.start, run.start)
    if trial.share < 1:
        cut_side(work, trial, run)
    if trial.until != "report":
        run.save_rows("test", [])
        run.save_answers("base", "test", [])
        run.save_answers("base", "few_shot", [])
    plan = parent.load(Plan)
    plan.time = plan.seconds = None
    if trial.candidate is None:
        plan.measured_peak_bytes = None
    run.save(plan)


def take_training(work: Work, candidate: tuple[int, float], run: RunDir) -> None:
    """The run's own training, with another checkpoint or scale for its choice."""
    parent = work.run
    copy_folder(parent.checkpoints, run.checkpoints)
    if (parent.path / "eval" / "select").is_dir():
        shutil.copytree(parent.path / "eval" / "select", run.path / "eval" / "select")
    chosen = parent.load(Selection)
    chosen.checkpoint, chosen.scale = candidate
    chosen.reason = "select.remedy"
    run.save(chosen)
    copy_steps(parent, run)
    path = run.checkpoints / f"checkpoint-{chosen.checkpoint}"
    save_adapter(path, run.adapter, chosen.scale, base=work.config.model.name)


def cut_side(work: Work, trial: Trial, run: RunDir) -> None:
    """Fewer training rows, and as much less replay: its share of all tokens stays."""
    every = work.run.load_rows("train")
    kept = cut_rows(every, work.clusters, trial.share, work.config.train.seed)
    run.save_rows("scoring", every)
    run.save_rows("train", kept)
    replay, share = work.run.load_rows("replay"), _count_tokens(work, kept) / max(1, _count_tokens(work, every))
    wanted, held, taken = share * _count_tokens(work, replay), 0, []
    for row in replay:
        if held < wanted:
            taken.append(row)
            held += _count_tokens(work, [row])
    run.save_rows("replay", taken)
    ids, split, report = {row.id for row in kept}, work.run.load(Split), work.run.load(DataReport)
    split.rows = {name: place for name, place in split.rows.items() if place.side != "train" or name in ids}
    split.sizes["train"] = len(kept)
    if report.split is not None:
        report.split.train = len(kept)
    run.save(split)
    run.save(report)


def _count_tokens(work: Work, rows: Sequence[Row]) -> int:
    return sum(tokens for tokens, _ in measure_rows(work.tokenizer, (row.messages for row in rows)))


def hash_rows(run: RunDir, trial: Trial) -> str:
    """Hash of the parent's rows and of the share that is trained on: what a trial stands on beside its config."""
    digest = hashlib.sha256(f"{trial.share:g} {trial.until}".encode())
    if trial.candidate is not None:
        digest.update(f" {trial.candidate[0]}@{trial.candidate[1]:g}".encode())
    for side in SIDES:
        digest.update((run.path / "data" / f"{side}.jsonl").read_bytes())
    return digest.hexdigest()[:16]


def load_trials(run: RunDir) -> Trials:
    """The run's trials so far."""
    return run.load(Trials) if run.has(Trials) else Trials()


def describe_trial(run: RunDir, trial: Trial, failed: str | None = None) -> TrialRecord:
    """What a trial came to, read off its folder."""
    record, training = run.load(RunRecord), run.load(RunRecord).training
    told = TrialRecord(
        name=trial.name,
        purpose=trial.purpose,
        changes=dict(trial.changes),
        share=trial.share,
        rows=len(run.load_rows("train")),
        steps=training.steps if training else None,
        seconds=sum(stage.seconds for stage in record.stages.values()),
        failed=failed,
    )
    if run.has(Selection):
        chosen = run.load(Selection)
        key = (chosen.checkpoint, chosen.scale)
        scores = [one.score for one in chosen.candidates if (one.checkpoint, one.scale) == key]
        told.select_score = scores[0] if scores else None
    if run.has(Verdict):
        verdict = run.load(Verdict)
        told.delta, told.ci95, told.score = verdict.task.delta, verdict.task.ci95, verdict.task.tuned
        told.lost, told.gained = verdict.retention.lost, verdict.retention.gained
        told.net_loss, told.decision = verdict.retention.net_loss, verdict.decision
    return told


class _Inner:
    """A trial's stages, told to the run's own listener; the mask was proven once and is not shown again."""

    def __init__(self, outer: Progress) -> None:
        self.begin, self.advance, self.end, self.say = outer.begin, outer.advance, outer.end, outer.say

    def show_mask(self, pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> None:
        """Nothing."""
