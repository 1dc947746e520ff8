"""The time of a run, planned like its memory: what every stage takes, and what is cut so that the run ends in time.

In: speeds measured at the start, the work that is wanted, a limit. Out: a `TimePlan`. The order of the cuts is written
in `list_levers`; each gives up only as much as is needed, and none goes below what the verdict needs: 300 retention
items and 100 test rows, or what there is.

    plan = plan_time(Speeds(train=900, generate=240, prefill=2400), work, limit=420, spent=35)
    plan.epochs, plan.cut        # 1.4, ["epochs 3 -> 1.4"]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from tuneproof.plan.recipe import count_turns
from tuneproof.records import TimePlan

FEWEST_STEPS = 60
FEWEST_RETENTION = 300
"""The verdict wants 100 that the base has right: a third of these. Where a fifth of the answers change and nothing is
forgotten, its limit holds back 15 % of runs with 200 probes, 11 % with 300 (simulated)."""
FEWEST_TEST = 100
FEWEST_DRIFT = 10
"""Of each suite. The verdict does not count the drift, which is told beside it."""
ENOUGH_SLICE, ENOUGH_SELECT = 160, 50
"""Items below which the training is cut first: answers cost little beside steps."""


class Speeds(NamedTuple):
    """Tokens a second, measured on this device."""

    train: float
    """All tokens of a training step."""
    generate: float
    """New tokens of batched greedy answers."""
    prefill: float
    """Prompt tokens read before the answer begins."""
    attend: float = 0.0
    """Seconds (not tokens a second) that a new token takes longer for each token before it: the cache is read."""
    together: int = 1
    """Answers side by side, as measured, on a device that takes as long for fewer (a card); 1 where it does not."""


class Suite(NamedTuple):
    """Items to answer: how many, and their mean tokens."""

    rows: int
    prompt: float
    """To read: what is common to several prompts is read once."""
    answer: float
    context: float = 0.0
    """Tokens before a new one, the common ones among them, on average over the answer."""
    known: Callable[[int], float] = lambda rows: 0.0
    """Share of so many of them to which the base's answer is there from an earlier run."""


class Halving(NamedTuple):
    """How candidates are compared: all on a first look, the finalists on everything."""

    look: int = 0
    """Select rows that every candidate answers; 0: all of them."""
    finalists: int = 0
    """Candidates that answer all select rows and the probe slice; 0: all of them."""


class Work(NamedTuple):
    """What the run wants to do."""

    epochs: float
    epoch_tokens: float
    """Tokens of one pass over the training rows, replay included."""
    epoch_steps: float
    replay: Suite
    """Replay answers to generate before training."""
    test: Suite
    retention: Suite
    select: Suite
    few_shot: Suite
    """The control: test rows with examples in their prompt."""
    checkpoints: int = 1
    scales: int = 1
    """Adapter scales; each of each checkpoint is a candidate."""
    halving: Halving = Halving()
    tries: int = 0
    """Numbers of examples tried for the control; each answers `tried`."""
    tried: Suite = Suite(0, 0.0, 0.0)
    beside: Suite = Suite(0, 0.0, 0.0)
    """What the tuned model answers beside test rows and probes."""
    probe_slice: Suite = Suite(0, 0.0, 0.0)
    drift: Suite = Suite(0, 0.0, 0.0)
    """Read by both arms for the drift: items of a suite, and the tokens of one of each suite and of a neutral text."""
    load: float = 0.0
    """Seconds to load the model."""
    report: float = 0.0
    """Seconds for verdict and report."""
    fixed: bool = False
    """Whether the number of steps is the user's, and so not to be cut."""
    curable: bool = False
    """Whether remedies are tried where too much is forgotten (`--cure`)."""


class Lever(NamedTuple):
    """One thing that may be cut: its name, how far, and in which steps."""

    name: str
    floor: float
    step: float = 1


def list_levers(work: Work) -> list[Lever]:
    """What is cut, in order: what the verdict misses least comes first."""
    fewest_epochs = math.ceil(10 * FEWEST_STEPS / max(work.epoch_steps, 1e-9)) / 10
    levers = [
        Lever("epochs", 2, 0.1),
        Lever("checkpoints", 1),
        Lever("few-shot tries", 1),
        Lever("scales", 3),
        Lever("select rows", ENOUGH_SELECT),
        Lever("slice probes", ENOUGH_SLICE),
        Lever("drift items", FEWEST_DRIFT),
        Lever("retention items", FEWEST_RETENTION),
        Lever("test rows", FEWEST_TEST),
        Lever("few-shot rows", 50),
        Lever("epochs", min(2, fewest_epochs), 0.1),
        Lever("slice probes", 120),
        Lever("select rows", 30),
        Lever("slice probes", 60),
        Lever("scales", 1),
        # There is one candidate left, and nothing to choose by them; but remedies are foreseen from them.
        Lever("slice probes", 60 if work.curable else 0),
    ]
    return [lever for lever in levers if lever.name != "epochs" or not work.fixed]


def plan_time(speeds: Speeds, work: Work, limit: float | None, spent: float) -> TimePlan:
    """Seconds a stage, and the cuts (as `epochs 3 -> 1.4`) that make the run end within `limit` seconds.

    `spent`: seconds gone already, which count against the limit. When everything is cut to its floor and it is still
    too long, the floors are kept and the last cut reads `limit 420 s -> 463 s`. Without a limit nothing is cut.
    """
    wanted, cut = work, dict[str, None]()
    for lever in list_levers(work):
        over = spent + sum(time_stages(speeds, work).values()) - limit if limit is not None else 0.0
        if over <= 0:
            break
        before = _read(work, lever.name)
        work = _pull(speeds, work, lever, over)
        if _read(work, lever.name) < before:
            cut[lever.name] = None
    parts = time_stages(speeds, work)
    written = [f"{name} {_read(wanted, name):g} -> {_read(work, name):g}" for name in cut]
    total = spent + sum(parts.values())
    if limit is not None and total > limit:
        written.append(f"limit {limit:.0f} s -> {total:.0f} s")
    return TimePlan(
        limit=limit,
        spent=spent,
        train_speed=speeds.train,
        generate_speed=speeds.generate,
        parts=parts,
        epochs=work.epochs,
        candidates=work.checkpoints * work.scales,
        checkpoints=work.checkpoints,
        scales=work.scales,
        select_rows=work.select.rows,
        slice_probes=work.probe_slice.rows,
        test_rows=work.test.rows,
        retention_items=work.retention.rows,
        few_shot_tries=work.tries,
        few_shot_rows=work.few_shot.rows,
        drift_items=work.drift.rows,
        cut=written,
    )


def time_stages(speeds: Speeds, work: Work) -> dict[str, float]:
    """Seconds of each stage. The base answers select rows and probe slice too, for the paired choice."""
    test, retention = time_suite(speeds, work.test), time_suite(speeds, work.retention)
    tries = [work.tried] * work.tries
    # The control answers the select rows that were not tried, too.
    more = max(0, work.select.rows - work.tried.rows) if work.tries else 0
    control = work.few_shot._replace(rows=work.few_shot.rows + more)
    rounds, slices = list_rounds(work.checkpoints, work.scales, work.select.rows, work.halving)
    chosen = sum(each * time_suite(speeds, work.select._replace(rows=rows)) for each, rows in rounds)
    by_base = [work.test, work.retention, work.select, work.probe_slice, control, *tries]
    return {
        "load": work.load,
        "base": sum(ask_base(speeds, suite) for suite in by_base),
        "replay": ask_base(speeds, work.replay) / count_turns(None if work.fixed else work.epochs),
        "train": work.epochs * work.epoch_tokens / speeds.train,
        "select": chosen + slices * time_suite(speeds, work.probe_slice),
        "tuned": test + retention + time_suite(speeds, work.beside),
        "drift": 2 * time_suite(speeds, work.drift),
        "report": work.report,
    }


def list_rounds(checkpoints: int, scales: int, rows: int, halving: Halving) -> tuple[list[tuple[int, int]], int]:
    """(candidates, select rows that each answers) of each round of the choice, and how many answer the probe slice.

    Where a finalist passes; else weaker scales are tried as well.
    """
    candidates, finalists = checkpoints * scales, halving.finalists
    if candidates <= finalists or rows <= halving.look or not finalists:
        return [(candidates, rows)], candidates
    # The chosen checkpoint's other scales answer the slice as well, for the curve.
    rounds = [(candidates, halving.look), (finalists, rows - halving.look)]
    return rounds, min(candidates, finalists + scales - 1)


def count_asked(checkpoints: int, scales: int, rows: int, halving: Halving) -> tuple[int, int]:
    """(answers to select rows, answers to whole probe slices) that the choice takes."""
    rounds, slices = list_rounds(checkpoints, scales, rows, halving)
    return sum(candidates * each for candidates, each in rounds), slices


def time_suite(speeds: Speeds, suite: Suite) -> float:
    """Seconds to answer a suite."""
    new = 1 / speeds.generate + suite.context * speeds.attend
    batches = math.ceil(suite.rows / speeds.together)
    return suite.rows * suite.prompt / speeds.prefill + batches * speeds.together * suite.answer * new


def ask_base(speeds: Speeds, suite: Suite) -> float:
    """Seconds in which the base answers what it was not asked before."""
    return (1 - suite.known(suite.rows)) * time_suite(speeds, suite)


def _pull(speeds: Speeds, work: Work, lever: Lever, over: float) -> Work:
    """Cut by as much as saves `over` seconds, in whole steps, down to the lever's floor at most."""
    now = _read(work, lever.name)
    if now <= lever.floor:
        return work
    before = sum(time_stages(speeds, work).values())
    while now > lever.floor and before - sum(time_stages(speeds, work).values()) < over:
        now = max(lever.floor, round(now - lever.step, 6))
        work = _write(work, lever.name, now)
    return work


def _read(work: Work, name: str) -> float:
    values = {
        "epochs": work.epochs,
        "checkpoints": work.checkpoints,
        "scales": work.scales,
        "select rows": work.select.rows,
        "slice probes": work.probe_slice.rows,
        "retention items": work.retention.rows,
        "test rows": work.test.rows,
        "few-shot rows": work.few_shot.rows,
        "few-shot tries": work.tries,
        "drift items": work.drift.rows,
    }
    return values[name]


def _write(work: Work, name: str, value: float) -> Work:
    """The work with one value changed; the few-shot control answers no more rows than are tested."""
    rows = int(value)
    if name == "epochs":
        return work._replace(epochs=value)
    if name == "checkpoints":
        return work._replace(checkpoints=rows)
    if name == "scales":
        return work._replace(scales=rows)
    if name == "select rows":
        return work._replace(select=work.select._replace(rows=rows))
    if name == "few-shot tries":
        return work._replace(tries=rows)
    if name == "slice probes":
        return work._replace(probe_slice=work.probe_slice._replace(rows=rows))
    if name == "drift items":
        return work._replace(drift=work.drift._replace(rows=rows))
    if name == "retention items":
        return work._replace(retention=work.retention._replace(rows=rows))
    if name == "test rows":
        few_shot = work.few_shot._replace(rows=min(rows, work.few_shot.rows))
        return work._replace(test=work.test._replace(rows=rows), few_shot=few_shot)
    return work._replace(few_shot=work.few_shot._replace(rows=rows))
