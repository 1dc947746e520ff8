"""The time of a run, planned like its memory: what every stage takes, and what is cut so that the run ends in time.

In: speeds measured at the start, the work that is wanted, a limit. Out: a `TimePlan`. The order of the cuts is written
in `list_levers`; each gives up only as much as is needed, and none goes below what the verdict needs: 200 retention
items and 100 test rows, or what there is.

    plan = plan_time(Speeds(train=900, generate=240, prefill=2400), work, limit=420, spent=35)
    plan.epochs, plan.cut        # 1.4, ["epochs 3 -> 1.4"]
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tuneproof.records import TimePlan

FEWEST_STEPS = 60
FEWEST_RETENTION = 200
FEWEST_TEST = 100


class Speeds(NamedTuple):
    """Tokens a second, measured on this device."""

    train: float
    """All tokens of a training step."""
    generate: float
    """New tokens of batched greedy answers."""
    prefill: float
    """Prompt tokens read before the answer begins."""


class Suite(NamedTuple):
    """Items to answer: how many, and their mean tokens."""

    rows: int
    prompt: float
    answer: float


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
    candidates: int
    """Checkpoints and scales that are scored on the select rows."""
    scales: int = 1
    """Scales among them; each answers the probe slice too."""
    probe_slice: Suite = Suite(0, 0.0, 0.0)
    drift: float = 0.0
    """Tokens read by both arms for the drift."""
    load: float = 0.0
    """Seconds to load the model."""
    report: float = 0.0
    """Seconds for verdict and report."""


class Lever(NamedTuple):
    """One thing that may be cut: its name, how far, and in which steps."""

    name: str
    floor: float
    step: float = 1


def list_levers(work: Work) -> list[Lever]:
    """What is cut, in order: what the verdict misses least comes first."""
    fewest_epochs = math.ceil(10 * FEWEST_STEPS / max(work.epoch_steps, 1e-9)) / 10
    return [
        Lever("epochs", 2, 0.1),
        Lever("candidates", 3),
        Lever("select rows", 50),
        Lever("select rows", 30),
        Lever("retention items", FEWEST_RETENTION),
        Lever("test rows", FEWEST_TEST),
        Lever("few-shot rows", 50),
        Lever("epochs", min(2, fewest_epochs), 0.1),
        Lever("candidates", 1),
    ]


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
        candidates=work.candidates,
        select_rows=work.select.rows,
        test_rows=work.test.rows,
        retention_items=work.retention.rows,
        few_shot_rows=work.few_shot.rows,
        cut=written,
    )


def time_stages(speeds: Speeds, work: Work) -> dict[str, float]:
    """Seconds of each stage. The base answers select rows and probe slice too, for the paired choice."""
    test, retention = _time_suite(speeds, work.test), _time_suite(speeds, work.retention)
    select, probe_slice = _time_suite(speeds, work.select), _time_suite(speeds, work.probe_slice)
    return {
        "load": work.load,
        "base": test + retention + select + probe_slice + _time_suite(speeds, work.few_shot),
        "replay": _time_suite(speeds, work.replay),
        "train": work.epochs * work.epoch_tokens / speeds.train,
        "select": work.candidates * select + min(work.scales, work.candidates) * probe_slice,
        "tuned": test + retention,
        "drift": 2 * work.drift / speeds.prefill,
        "report": work.report,
    }


def _time_suite(speeds: Speeds, suite: Suite) -> float:
    return suite.rows * (suite.prompt / speeds.prefill + suite.answer / speeds.generate)


def _pull(speeds: Speeds, work: Work, lever: Lever, over: float) -> Work:
    """Cut by as much as saves `over` seconds, in whole steps, down to the lever's floor at most."""
    now = _read(work, lever.name)
    if now <= lever.floor:
        return work
    at_floor = _write(work, lever.name, lever.floor)
    saved = sum(time_stages(speeds, work).values()) - sum(time_stages(speeds, at_floor).values())
    if saved <= over:
        return at_floor
    # Every stage's time is linear in what a lever cuts.
    wanted = now - (now - lever.floor) * over / saved
    steps = math.floor(round(wanted / lever.step, 6))
    return _write(work, lever.name, max(lever.floor, round(steps * lever.step, 6)))


def _read(work: Work, name: str) -> float:
    values = {
        "epochs": work.epochs,
        "candidates": work.candidates,
        "select rows": work.select.rows,
        "retention items": work.retention.rows,
        "test rows": work.test.rows,
        "few-shot rows": work.few_shot.rows,
    }
    return values[name]


def _write(work: Work, name: str, value: float) -> Work:
    """The work with one value changed; the few-shot control answers no more rows than are tested."""
    rows = int(value)
    if name == "epochs":
        return work._replace(epochs=value)
    if name == "candidates":
        return work._replace(candidates=rows)
    if name == "select rows":
        return work._replace(select=work.select._replace(rows=rows))
    if name == "retention items":
        return work._replace(retention=work.retention._replace(rows=rows))
    if name == "test rows":
        few_shot = work.few_shot._replace(rows=min(rows, work.few_shot.rows))
        return work._replace(test=work.test._replace(rows=rows), few_shot=few_shot)
    return work._replace(few_shot=work.few_shot._replace(rows=rows))
