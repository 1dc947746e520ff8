"""What is asked of trials, and what they show together: other seeds, fewer rows, other learning rates.

`probe_rate` is a verb between replay and training; `run_asked` comes after the report, which is then written again.
The run's own verdict stays the verdict whatever the trials say, and no trial is ever taken in its place.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tuneproof.evals.curve import forecast_doubling
from tuneproof.evals.rate import Answered, choose_rate
from tuneproof.figures import format_decimal, to_plain
from tuneproof.pipeline.trials import Trial, load_trials, run_trials
from tuneproof.pipeline.work import Work
from tuneproof.records import (
    CurveSpot,
    LearningCurve,
    RateProbe,
    RunRecord,
    SeedRun,
    SeedSpread,
    Selection,
    Spread,
    TrialRecord,
    Trials,
    Verdict,
)
from tuneproof.records.cure import Knob
from tuneproof.rundir import RunDir
from tuneproof.training.train import count_steps

SHARES = (0.25, 0.5)
"""Shares of the rows beside all of them: two doublings (issue 6's learning curve)."""
FACTORS = {"rate-third": 1 / 3, "rate-1x": 1.0, "rate-3x": 3.0}
"""Rule 4."""
PROBE_STEPS = 60
"""Optimizer steps of a trial of the rate, at most (rule 4)."""
HIGHEST = 3e-3
"""The config's bound for a learning rate."""
AGAIN = ("train", "select", "tuned", "drift", "verdict", "report")
"""Stages that a trial does itself."""


def list_asked(work: Work) -> list[Trial]:
    """The trials that the config asks for after the run."""
    asked, own = work.config.trials, work.config.train.seed
    seeds = [Trial(f"seed-{seed}", "seed", {"train.seed": seed}) for seed in range(own + 1, own + asked.seeds)]
    return [*seeds, *(make_share(work, share) for share in SHARES if asked.learning_curve)]


def make_share(work: Work, share: float) -> Trial:
    """A trial on a share of the rows: as many passes over them, and as many checkpoints, as the run itself."""
    steps = work.config.train.max_steps
    changes = {"train.save_steps": None, "train.max_steps": max(1, round(share * steps)) if steps else None}
    return Trial(f"rows-{100 * share:.0f}", "rows", changes, share)


def is_missing(work: Work) -> bool:
    """Whether a trial that is asked for has not been run yet."""
    noted = load_trials(work.run)
    return any(noted.find(trial.name) is None for trial in list_asked(work))


def run_asked(work: Work) -> None:
    """Run the trials that are asked for, and write down what they show."""
    trials = list_asked(work)
    work.progress.begin("trials", len(trials))
    noted = run_trials(work, trials, sum(_guess_seconds(work, trial) for trial in trials))
    noted.seeds = compare_seeds(work, noted)
    noted.curve = draw_curve(work, noted)
    work.run.save(noted)
    work.progress.end("trials")


def _guess_seconds(work: Work, trial: Trial) -> float:
    """Seconds of a trial, from what the run's own stages took."""
    spent = {name: stage.seconds for name, stage in work.run.load(RunRecord).stages.items() if name in AGAIN}
    return sum(seconds * (trial.share if name == "train" else 1) for name, seconds in spent.items())


def compare_seeds(work: Work, noted: Trials) -> SeedSpread | None:
    """The run beside its trials with other seeds; None where there is none."""
    trials = [trial for trial in noted.trials if trial.purpose == "seed"]
    if not trials:
        return None
    verdict = work.run.load(Verdict)
    lost = verdict.retention
    own = SeedRun(
        seed=work.config.train.seed,
        trial=None,
        delta=verdict.task.delta,
        ci95=verdict.task.ci95,
        lost=lost.lost,
        gained=lost.gained,
        net_loss=lost.net_loss,
        decision=verdict.decision,
    )
    runs = [own, *sorted(map(_describe_seed, trials), key=lambda run: run.seed)]
    return SeedSpread(
        runs=runs,
        delta=_spread([run.delta for run in runs]),
        net_loss=_spread([run.net_loss for run in runs]),
        agree=all(run.decision == own.decision for run in runs),
    )


def _describe_seed(trial: TrialRecord) -> SeedRun:
    shared = trial.model_dump(include={"delta", "ci95", "lost", "gained", "net_loss", "decision"})
    return SeedRun.model_validate({"seed": trial.changes["train.seed"], "trial": trial.name, **shared})


def _spread(values: Sequence[float | None]) -> Spread | None:
    """Mean and range; None without a number."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    deviation = statistics.stdev(known) if len(known) > 1 else None
    return Spread(n=len(known), mean=statistics.fmean(known), low=min(known), high=max(known), deviation=deviation)


def draw_curve(work: Work, noted: Trials) -> LearningCurve | None:
    """Gain by number of rows, the run itself as its last point; None where no trial has fewer rows."""
    trials = sorted((trial for trial in noted.trials if trial.purpose == "rows"), key=lambda trial: trial.share)
    if not trials:
        return None
    verdict, training = work.run.load(Verdict), work.run.load(RunRecord).training
    own = CurveSpot(
        share=1.0,
        rows=len(work.train_rows),
        steps=training.steps if training else 0,
        trial=None,
        delta=verdict.task.delta,
        ci95=verdict.task.ci95,
        lost=verdict.retention.lost,
        gained=verdict.retention.gained,
    )
    curve = LearningCurve(points=[*map(_describe_spot, trials), own])
    rows = [spot.rows for spot in curve.points]
    if any(trial.failed for trial in trials) or 0 in rows or len(set(rows)) < len(rows):
        return curve
    runs = [*(RunDir(work.run.trials / trial.name) for trial in trials), work.run]
    arms, base = [run.load_answers("tuned", "test") for run in runs], work.run.load_answers("base", "test")
    forecast = forecast_doubling(
        [[answer.score for answer in arm] for arm in arms],
        rows,
        groups=[answer.task for answer in base],
        clusters=[answer.cluster or answer.id for answer in base],
        level=1 - work.config.evaluate.significance,
    )
    if forecast is not None:
        curve.last, curve.last_ci95, curve.tells = forecast.last, forecast.last_interval, forecast.tells
        curve.next, curve.next_ci95 = forecast.next, forecast.next_interval
    return curve


def _describe_spot(trial: TrialRecord) -> CurveSpot:
    return CurveSpot(
        share=trial.share,
        rows=trial.rows or 0,
        steps=trial.steps or 0,
        trial=trial.name,
        delta=trial.delta,
        ci95=trial.ci95,
        lost=trial.lost,
        gained=trial.gained,
    )


def probe_rate(work: Work) -> None:
    """Try the learning rates, and write the one that is chosen into the config."""
    trials, before = list_rates(work), work.config.train.learning_rate
    assert before is not None
    work.progress.begin("probe", len(trials))
    noted = run_trials(work, trials, _guess_probe(work, trials))
    base = Answered(work.run.load_answers("base", "select"), work.run.load_answers("base", "slice"))
    tried = {_read_rate(trial): trial for trial in noted.trials if trial.purpose == "rate"}
    answers = {rate: None if trial.failed else _load_answers(work, trial, base) for rate, trial in tried.items()}
    choice = choose_rate(answers, base=base, net_loss=work.config.evaluate.net_loss)
    for one in choice.tried:
        one.trial, one.steps = tried[one.rate].name, tried[one.rate].steps
    chosen = choice.rate if choice.rate is not None else before
    noted.rate = RateProbe(before=before, chosen=chosen, reason=choice.reason, tried=choice.tried)
    work.run.save(noted)
    work.config.train.learning_rate = chosen
    work.save_config()
    work.progress.end("probe")
    words = {name: to_plain(format_decimal(rate)) for name, rate in (("before", before), ("chosen", chosen))}
    work.progress.say("rate.chosen", **words)


def list_rates(work: Work) -> list[Trial]:
    """Short trainings at a third, one and three times the rate; the schedule is that of the run, shortened."""
    rate = work.config.train.learning_rate
    assert rate is not None
    shortened: dict[str, Knob] = {
        "train.max_steps": min(PROBE_STEPS, _count_steps(work)),
        "train.save_steps": None,
        "evaluate.checkpoints": 1,
        "evaluate.scales": [1.0],
    }
    rates = {min(HIGHEST, float(f"{factor * rate:.3g}")): name for name, factor in reversed(FACTORS.items())}
    return [
        Trial(name, "rate", {**shortened, "train.learning_rate": value}, until="select")
        for value, name in sorted(rates.items())
    ]


def _count_steps(work: Work) -> int:
    """Steps of the run's own training."""
    return count_steps(len(work.lessons) + len(work.rehearsals), work.config)


def _guess_probe(work: Work, trials: Sequence[Trial]) -> float | None:
    """Seconds of the trials of the rate, from what the rehearsal planned for the run itself."""
    plan = work.plan.time
    if plan is None:
        return None
    share = min(1.0, PROBE_STEPS / _count_steps(work))
    one = share * plan.parts.get("train", 0.0) + plan.parts.get("select", 0.0) / max(1, plan.candidates)
    return len(trials) * one


def _read_rate(trial: TrialRecord) -> float:
    rate = trial.changes["train.learning_rate"]
    assert isinstance(rate, float)
    return rate


def _load_answers(work: Work, trial: TrialRecord, base: Answered) -> Answered:
    """What a trial of the rate said to the items of the base's answers."""
    run = RunDir(work.run.trials / trial.name)
    chosen = run.load(Selection)
    files = sorted((run.path / "eval" / "select").glob(f"checkpoint-{chosen.checkpoint}@{chosen.scale:g}*.jsonl"))
    said = {answer.id: answer for file in files for answer in run.load_answers("select", file.stem)}
    return Answered([said[answer.id] for answer in base.rows], [said[answer.id] for answer in base.probes])
