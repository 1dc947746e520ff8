"""A search: trials of learning rate, rank, passes and replay, compared on the select rows at as many steps each.

The run itself goes as far as its replay. Each trial is a run folder of its own in `RUN/trials/search-N`,
without the test rows; it may be tried in another process or on another machine, and a killed one goes on from its
checkpoint. The first has the settings that a plain run would take. The chosen trial's training becomes the run's own,
which then goes on to the verdict: the only look at the test rows.

    points = list_points(work)                          # [Trial("search-01", "search", {...}), ...]
    try_point(run, "search-02", hear)                   # hear(steps, score) at every rung
    adopt_best(run)
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuneproof.config.load import load_settled
from tuneproof.errors import RunError, StoppedError, TuneproofError
from tuneproof.evals.measure import measure_items
from tuneproof.evals.tally import score_answers
from tuneproof.evals.winner import expect_loss
from tuneproof.model.store import Serving
from tuneproof.pipeline.adoption import take_config, take_training
from tuneproof.pipeline.asking import name_candidate, size_batch
from tuneproof.pipeline.links import replace_folder
from tuneproof.pipeline.trials import Trial, describe_trial, load_trials, run_trial
from tuneproof.pipeline.work import Work
from tuneproof.plan.recipe import HIGHEST_RATE, RANKS, choose_rank
from tuneproof.progress import Quiet
from tuneproof.records import Answer, Candidate, RunRecord, Search, SearchTrial, Selection, TrialRecord
from tuneproof.records.cure import Knob
from tuneproof.rundir import RunDir, write_atomic

PASSES = (0.5, 1.0, 2.0)
"""Factors of the usual number of passes; the shortest is the first rung at which trials are compared."""
REPLAY = (0.05, 0.1, 0.3)
"""Shares of the training tokens (rule 10's range)."""
OCTAVES = 2.0
"""Learning rates from a quarter of the usual one to four times as much (rule 4 tries a third to three times)."""
HIGHEST = 3 * HIGHEST_RATE
"""The config's bound for a learning rate."""
FOLDERS = ("checkpoints", "adapter", "eval/select")
FILES = ("data/replay.jsonl", "eval/selection.json")
TAKEN = ("replay", "train", "select")
"""Stages of the chain that the chosen trial has done for the run."""


@dataclass(frozen=True)
class Points:
    """The trials of a search."""

    trials: list[Trial]
    rung: int
    """Steps after which trials are first compared; then at twice as many, and so on."""
    most: int
    """Steps of the longest trial, at most."""


def list_points(run: RunDir) -> Points:
    """The trials that the run's config asks for; a longer search begins with those of a shorter one."""
    config = load_settled(run.config)
    work = Work(run, config, Quiet())
    draw, asked = random.Random(config.train.seed), run.load(RunRecord).asked or {}
    rate, epochs, steps = config.train.learning_rate, config.train.epochs, config.train.max_steps
    assert rate is not None
    assert epochs is not None
    assert config.replay.fraction is not None
    plain: dict[str, Knob] = {
        "train.learning_rate": rate,
        "lora.rank": choose_rank(len(work.lessons)),
        "train.epochs": epochs,
        "replay.fraction": config.replay.fraction,
    }
    per_pass = -(-round(len(work.lessons) / (1 - config.replay.fraction)) // config.train.batch_size)
    rung = max(1, round(PASSES[0] * (steps / PASSES[-1] if steps else epochs * per_pass)))
    trials = []
    for number in range(config.trials.search):
        drawn: dict[str, Knob] = {
            "train.learning_rate": min(HIGHEST, float(f"{rate * 2 ** (OCTAVES * (2 * _spread(number) - 1)):.3g}")),
            "lora.rank": draw.choice(RANKS),
            "train.epochs": epochs * draw.choice(PASSES),
            "replay.fraction": draw.choice(REPLAY),
        }
        fixed = {key for key in drawn if asked.get(key) is not None} | ({"train.epochs"} if steps else set())
        free = {key: value for key, value in drawn.items() if key not in fixed and number > 0}
        changes = {**plain, **free, "train.save_steps": rung, "evaluate.checkpoints": 4, "evaluate.scales": [1.0]}
        trials.append(Trial(f"search-{number + 1:02d}", "search", changes, until="select"))
    # The replay of a trial may be more than that of the run.
    return Points(trials, rung, steps or round(PASSES[-1] * epochs * per_pass / (1 - REPLAY[-1])))


def _spread(number: int) -> float:
    """The number's bits behind the point, mirrored (van der Corput 1935): any first few lie evenly in 0 to 1."""
    value, weight = 0.0, 0.5
    while number:
        value, number, weight = value + weight * (number % 2), number // 2, weight / 2
    return value


def try_point(path: Path, name: str, hear: Callable[[int, float], None]) -> TrialRecord:
    """Train one trial, or go on with it; `hear` gets steps and score at each of its checkpoints, known ones first.

    A user's error is the trial's own and does not end the search. Raises StoppedError.
    """
    run = RunDir(path)
    work = Work(run, load_settled(run.config), Quiet())
    trial = next(one for one in list_points(run).trials if one.name == name)
    folder = RunDir(run.trials / name)
    for step, answers in sorted(load_rungs(folder).items()):
        hear(step, score_answers(answers) or 0.0)
    noted = load_trials(run).find(name)
    if noted is not None:
        return noted

    def look(inner: Work, step: int) -> None:
        items = inner.row_items("select", inner.config.evaluate.select_rows)
        answers = measure_items(inner.model, inner.tokenizer, items, serving=Serving(size_batch(inner, items)))
        inner.run.save_answers("rungs", name_candidate((step, 1.0)), answers)
        hear(step, score_answers(answers) or 0.0)

    work.on_checkpoint = look
    try:
        return describe_trial(run_trial(work, trial), trial)
    except StoppedError:
        raise
    except TuneproofError as error:
        return describe_trial(folder, trial, str(error)) if folder.has(RunRecord) else _fail(trial, str(error))


def _fail(trial: Trial, why: str) -> TrialRecord:
    return TrialRecord(name=trial.name, purpose="search", changes=dict(trial.changes), seconds=0.0, failed=why)


def load_rungs(run: RunDir) -> dict[int, list[Answer]]:
    """Step -> answers to the select rows, of each checkpoint that was compared on the way."""
    files = sorted((run.path / "eval" / "rungs").glob("checkpoint-*.jsonl"))
    return {int(file.stem.split("@")[0].rpartition("-")[2]): run.load_answers("rungs", file.stem) for file in files}


def note_point(path: Path, record: TrialRecord, *, halved: bool) -> None:
    """Keep what a trial came to in trials.json; the caller holds the run."""
    run = RunDir(path)
    noted = load_trials(run)
    noted.search = noted.search or Search(wanted=0)
    noted.search.wanted = load_settled(run.config).trials.search
    told = SearchTrial(name=record.name, changes=record.changes, halved=halved, failed=record.failed)
    folder = RunDir(run.trials / record.name)
    if halved:
        rungs = load_rungs(folder)
        told.steps = told.checkpoint = max(rungs)
        told.score = score_answers(rungs[told.checkpoint])
    elif record.failed is None:
        chosen = _find_choice(folder)
        told.steps, told.checkpoint = record.steps, chosen.checkpoint
        told.score, told.chance = chosen.score, chosen.chance
    noted.search.tried = [*(one for one in noted.search.tried if one.name != record.name), told]
    noted.search.tried.sort(key=lambda one: one.name)
    noted.note(record)
    run.save(noted)


def halve_point(path: Path, name: str) -> None:
    """Keep that a trial was ended early."""
    run = RunDir(path)
    trial = next(one for one in list_points(run).trials if one.name == name)
    note_point(path, describe_trial(RunDir(run.trials / name), trial), halved=True)


def _find_choice(run: RunDir) -> Candidate:
    chosen = run.load(Selection)
    return next(one for one in chosen.candidates if (one.checkpoint, one.scale) == (chosen.checkpoint, chosen.scale))


def adopt_best(path: Path) -> None:
    """Choose among the trials that ended, and make the best one's training the run's own; done again after a kill.

    The choice is the highest chance to ship times gain over the base; of equals, as where none gains, the best score,
    then the first. Raises RunError when no trial ended.
    """
    run = RunDir(path)
    noted = load_trials(run)
    search = noted.search
    ended = [one for one in search.tried if one.score is not None and not one.halved] if search else []
    if search is None or not ended:
        raise RunError("search.none", where=str(run.trials))
    base = run.load_answers("base", "select")
    search.base, search.n = score_answers(base), len(base)
    best = max(ended, key=lambda one: (_weigh(one, search.base or 0.0), one.score or 0.0))
    search.chosen, search.score, search.loss = best.name, best.score, weigh_choice(run, search, best, base)
    trial = RunDir(run.trials / best.name)
    for name in FOLDERS:
        replace_folder(trial.path / name, run.path / name)
    for name in FILES:
        write_atomic(run.path / name, (trial.path / name).read_bytes())
    take_config(run, trial)
    take_training(run, trial)
    record, theirs = run.load(RunRecord), trial.load(RunRecord)
    for name in TAKEN:
        record.stages[name] = theirs.stages[name]
    run.save(record)
    # Last: what is noted as chosen is whole.
    run.save(noted)


def _weigh(one: SearchTrial, base: float) -> float:
    return (1.0 if one.chance is None else one.chance) * max(0.0, (one.score or 0.0) - base)


def weigh_choice(run: RunDir, search: Search, best: SearchTrial, base: list[Answer]) -> float | None:
    """What the best trial's score is expected to lose on test; halved trials stand with their last answers."""
    told: list[list[float]] = []
    chances, chosen = [], 0
    for one in search.tried:
        folder = RunDir(run.trials / one.name)
        if one.score is None:
            continue
        if one.halved:
            said = load_rungs(folder)[one.checkpoint or 0]
        else:
            said = folder.load_answers("select", name_candidate((one.checkpoint or 0, folder.load(Selection).scale)))
        chosen = len(told) if one.name == best.name else chosen
        by_id = {answer.id: answer.score for answer in said}
        told.append([by_id[answer.id] for answer in base])
        chances.append(1.0 if one.chance is None else one.chance)
    return expect_loss(
        told,
        chosen=chosen,
        base=search.base or 0.0,
        chances=chances,
        groups=[answer.task for answer in base],
        clusters=[answer.cluster or answer.id for answer in base],
    )
