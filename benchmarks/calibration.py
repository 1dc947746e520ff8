"""Do the verdict's statistics hold what they promise? Simulated experiments whose truth is known.

    python -m benchmarks.calibration --experiments 2000

A cell is what a user can see: kind of score, the base's rate, rows, clusters or none, tasks. Effect, correlation of the
models and correlation within clusters are what the user cannot see, so a method is valid in a cell where it covers at
least 94 % whatever they are, and the median width is held against the narrowest valid method. `width_known` holds it
against methods that need cover only where effect and correlations are these, as if they were known. A setting below
94 %, or a false SHIP above 2.5 %, is drawn again 20 times as often from other seeds, since of hundreds of settings some
miss by chance; so are other methods within two standard errors of 94 %. Prints the worst and writes everything to
benchmarks/calibration.json.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.calibration_cells import Draw, Floats, Setting, draw_scores, list_settings
from benchmarks.calibration_methods import FOR_RATES, METHODS, Ends, estimate
from tuneproof.config import EvaluateSection
from tuneproof.evals.verdict import decide
from tuneproof.records import Control, Retention, TaskResult
from tuneproof.statistics import mcnemar_p

COVERS, WIDER, FALSE_SHIP = 0.94, 1.15, 0.025
AGAIN = 20
"""Times as many experiments for what missed."""
PROBES, BASE_RIGHT, FLIPS = 200, 0.75, 0.02
"""Retention probes, the share that the base answers right, and the share that flips, either way alike. So few flips
leave the decision to the test rows."""
PERMUTATIONS = 10
OWN = "estimate_paired"
Row = dict[str, Any]


class Measured(NamedTuple):
    """How one method does in one setting."""

    coverage: float
    width: float
    """Median."""
    above_zero: float
    """Share of intervals that lie above zero."""


def measure(
    setting: Setting, experiments: int, seed: int, names: tuple[str, ...] = tuple(METHODS)
) -> dict[str, Measured]:
    """Coverage and width of every method that fits the setting."""
    draw = draw_scores(setting, experiments, seed)
    for_rates = setting.kind == "right" and setting.clusters is None and setting.tasks == 1
    fitting = [name for name in names if for_rates or name not in FOR_RATES]
    return {name: _hold(METHODS[name](draw), draw.truth) for name in fitting}


def _hold(ends: Ends, truth: float) -> Measured:
    low, high = ends
    covered = (low - 1e-9 <= truth) & (truth <= high + 1e-9)
    return Measured(float(covered.mean()), float(np.median(high - low)), float((low > 1e-9).mean()))


def measure_cells(experiments: int) -> list[Row]:
    """Every cell: the lowest coverage, and the largest width against the narrowest valid method, over its settings."""
    cells: dict[tuple[object, ...], Settings] = defaultdict(dict)
    for seed, setting in enumerate(list_settings()):
        key = (setting.kind, setting.p, setting.n, setting.clusters is not None, setting.tasks)
        cells[key][setting] = measure(setting, experiments, seed)
    return [_sum_up(key, settings, experiments) for key, settings in cells.items()]


def _sum_up(key: tuple[object, ...], settings: Settings, experiments: int) -> Row:
    known = [ratio for found in settings.values() if (ratio := _compare_widths(found, _cover(found))) is not None]
    names = next(iter(settings.values()))
    lowest = {name: _settle(name, settings, experiments) for name in names}
    valid = [name for name, coverage in lowest.items() if coverage >= COVERS and name != OWN]
    widths = [
        (ratio, _hidden(setting))
        for setting, found in settings.items()
        if (ratio := _compare_widths(found, valid)) is not None
    ]
    worst = min(settings, key=lambda setting: settings[setting][OWN].coverage)
    row: Row = dict(zip(("kind", "p", "n", "clustered", "tasks"), key, strict=True))
    row |= {"settings": len(settings), "coverage": lowest[OWN], "coverage_at": _hidden(worst)}
    row |= {"width": max(widths)[0] if widths else None, "width_at": max(widths)[1] if widths else None}
    row |= {"width_known": max(known, default=None), "valid_others": valid}
    return row | {"coverage_of_others": {name: coverage for name, coverage in lowest.items() if name != OWN}}


def _settle(name: str, settings: Settings, experiments: int) -> float:
    """The lowest coverage; where the method may yet be valid, settings below 94 % are drawn again first."""
    doubt = 2 * math.sqrt(COVERS * (1 - COVERS) / experiments)
    if name != OWN and min(found[name].coverage for found in settings.values()) < COVERS - doubt:
        return min(found[name].coverage for found in settings.values())
    missed = [setting for setting, found in settings.items() if found[name].coverage < COVERS]
    for at, setting in enumerate(sorted(missed, key=lambda setting: settings[setting][name].coverage)):
        seeds = range(100_000 + 1_000 * at, 100_000 + 1_000 * at + AGAIN)
        again = sum(measure(setting, experiments, seed, (name,))[name].coverage for seed in seeds) / AGAIN
        settings[setting][name] = settings[setting][name]._replace(coverage=again)
        if again < COVERS and name != OWN:
            break  # not valid: how often the others miss no longer matters
    return min(found[name].coverage for found in settings.values())


def _cover(found: dict[str, Measured]) -> list[str]:
    return [name for name, one in found.items() if name != OWN and one.coverage >= COVERS]


def _compare_widths(found: dict[str, Measured], valid: list[str]) -> float | None:
    """Width against the narrowest valid method; intervals without width, of equal differences, say nothing."""
    widths = [found[name].width for name in valid if found[name].width > 0]
    return found[OWN].width / min(widths) if widths else None


def _hidden(setting: Setting) -> str:
    within = "" if setting.clusters is None else f", within clusters {setting.clusters:g}"
    return f"effect {setting.effect:+g}, correlation {setting.correlation:g}{within}"


Settings = dict[Setting, dict[str, Measured]]
"""The settings of a cell, and how every method does in each."""


class Null(NamedTuple):
    """A run that deserves no SHIP. `form`: the tuned model learnt the form of the answers and guesses the content."""

    setting: Setting
    few_shot: bool = False
    """The base with solved examples, as good as base and tuned, is a control; else the controls score zero."""
    form: bool = False


def list_nulls() -> list[Null]:
    """Tuned equals base in distribution, or has learnt only the form."""
    sizes, graded = (50, 100, 200), ("fields", "overlap", "mostly_same")
    same = [
        Null(Setting("right", p, n, 0.0, together, within, tasks), few_shot)
        for p in (0.02, 0.1, 0.3, 0.5, 0.9)
        for n in sizes
        for together in (0.0, 0.9)
        for within, tasks in ((None, 1), (0.5, 1), (1.0, 1), (None, 3), (0.5, 3))
        for few_shot in (False, True)
    ]
    same += [
        Null(Setting(kind, p, n, 0.0, 0.9, within))
        for kind in graded
        for p in (0.1, 0.5, 0.9)
        for n in sizes
        for within in (None, 0.5)
    ]
    form = [
        Null(Setting("right", p, n, clusters=c), form=True)
        for p in (0.02, 0.1, 0.5)
        for n in sizes
        for c in (None, 1.0)
    ]
    return same + form


def count_false_ships(null: Null, experiments: int, seed: int) -> float:
    """Share of runs that the rule of the verdict ships."""
    chance = np.random.default_rng(seed + 1)
    draw, controls = (
        _draw_guesses(null.setting, experiments, chance) if null.form else _draw_equals(null, experiments, seed)
    )
    gain = np.stack(estimate(draw), 1)
    flips = [BASE_RIGHT - FLIPS / 2, FLIPS / 2, FLIPS / 2, 1 - BASE_RIGHT - FLIPS / 2]
    probes = chance.multinomial(PROBES, flips, size=experiments)
    shipped = 0
    for at in np.flatnonzero(gain[:, 0] > 0):  # the rule ships nothing else
        shown = Draw([scores[at : at + 1] for scores in [draw.scores[1], *controls]], 0.0, draw.task, draw.cluster)
        best = max(range(1, len(shown.scores)), key=lambda arm: _macro(shown.scores[arm][0], draw))
        low, high = estimate(shown, 0, best)
        control = Control(kind="permuted", score=0.0, delta=0.0, ci95=(float(low[0]), float(high[0])))
        shipped += _decide((float(gain[at, 0]), float(gain[at, 1])), control, null.setting.n, probes[at]) == "ship"
    return shipped / experiments


def _draw_equals(null: Null, experiments: int, seed: int) -> tuple[Draw, list[Floats]]:
    draw = draw_scores(null.setting, experiments, seed, models=3 if null.few_shot else 2)
    return draw, [draw.scores[2] if null.few_shot else np.zeros_like(draw.scores[0])]


def _draw_guesses(setting: Setting, experiments: int, chance: np.random.Generator) -> tuple[Draw, list[Floats]]:
    """A base at zero, a tuned model that guesses among 1 / p answers, and its controls: one answer always, permuted."""
    answers = round(1 / setting.p)
    like = draw_scores(setting, 1, 0)
    shape = (experiments, int(like.cluster[-1]) + 1)
    wanted, given = (chance.integers(0, answers, size=shape)[:, like.cluster] for _ in range(2))
    permuted = np.zeros(wanted.shape)
    for row in range(setting.n):
        others = chance.choice(np.flatnonzero(like.cluster != like.cluster[row]), PERMUTATIONS, replace=False)
        permuted[:, row] = (wanted[:, others] == given[:, row : row + 1]).mean(1)
    right = (wanted == given).astype(float)
    draw = Draw([np.zeros_like(right), right], 0.0, like.task, like.cluster)
    return draw, [(wanted == 0).astype(float), permuted]


def _macro(scores: Floats, draw: Draw) -> float:
    return float((np.bincount(draw.task, scores) / np.bincount(draw.task)).mean())


def _decide(gain: tuple[float, float], control: Control, n: int, probes: Any) -> str:
    kept, lost, gained = (int(count) for count in probes[:3])
    task = TaskResult(
        metric="", n=n, base=None, tuned=None, delta=None, ci95=gain, p_value=None, better=0, worse=0, same=0
    )
    net, p_value = (lost - gained) / PROBES, _flip_p(lost, gained)
    retention = Retention(
        n=PROBES, base_right=kept + lost, lost=lost, gained=gained, p_value=p_value, loss_upper95=None, net_loss=net
    )
    return decide(task, control, retention, [], EvaluateSection())[0]


@cache
def _flip_p(lost: int, gained: int) -> float | None:
    return mcnemar_p(lost, gained)


def measure_nulls(experiments: int) -> list[Row]:
    """False SHIP rate of every null."""
    rows = []
    for seed, null in enumerate(list_nulls()):
        rate = count_false_ships(null, experiments, 200_000 + 2 * seed)
        if rate > FALSE_SHIP:
            seeds = range(300_000 + 1_000 * seed, 300_000 + 1_000 * seed + 2 * AGAIN, 2)
            rate = sum(count_false_ships(null, experiments, again) for again in seeds) / AGAIN
        row: Row = null.setting._asdict() | {"few_shot": null.few_shot, "form": null.form, "false_ship": rate}
        rows.append(row)
    return rows


def summarise(cells: list[Row], nulls: list[Row]) -> Row:
    """How many miss, and the three worst of each promise."""
    measured = [cell for cell in cells if cell["width"] is not None]
    return {
        "cells": len(cells),
        "settings": sum(cell["settings"] for cell in cells),
        # The mean of several shares may lie a rounding error below.
        "coverage_missed": sum(cell["coverage"] < COVERS - 1e-9 for cell in cells),
        "coverage_worst": [_name(cell, "coverage") for cell in sorted(cells, key=lambda cell: cell["coverage"])[:3]],
        "no_other_valid": len(cells) - len(measured),
        "width_known_worst": max(cell["width_known"] or 0 for cell in cells),
        "width_missed": sum(cell["width"] > WIDER for cell in measured),
        "width_worst": [_name(cell, "width") for cell in sorted(measured, key=lambda cell: -cell["width"])[:3]],
        "false_ship_cells": len(nulls),
        "false_ship_missed": sum(null["false_ship"] > FALSE_SHIP for null in nulls),
        "false_ship_worst": sorted(nulls, key=lambda null: -null["false_ship"])[:3],
    }


def _name(cell: Row, of: str) -> str:
    seen = (
        f"{cell['kind']} p={cell['p']:g} n={cell['n']} tasks={cell['tasks']}{' clustered' if cell['clustered'] else ''}"
    )
    return f"{cell[of]:.3f} {seen}: {cell[of + '_at']}"


def main() -> None:
    """Measure everything, print the summary, write the table."""
    parser = argparse.ArgumentParser(description="Simulate what the verdict's statistics promise.")
    parser.add_argument("--experiments", type=int, default=2_000, help="experiments a setting")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    began = time.perf_counter()
    cells, nulls = measure_cells(options.experiments), measure_nulls(options.experiments)
    summary = summarise(cells, nulls) | {"seconds": round(time.perf_counter() - began)}
    table = {"experiments": options.experiments, "summary": summary, "cells": cells, "verdicts": nulls}
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
