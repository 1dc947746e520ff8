"""The time of a run before it: what `tuneproof plan` says of it, without weights and without a run folder.

The work is described as the rehearsal of a run describes it, from the same rows, in a folder that is thrown away. What
differs are the speeds: remembered from earlier runs on this device, or probed in two seconds, and marked as estimates.

    foresee_time(plan, config, prepared, blueprint)     # fills plan.time and plan.seconds
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tuneproof.config import RunConfig
from tuneproof.evals.probes import load_probes
from tuneproof.evals.task import make_probe_items, spread_items
from tuneproof.model.hardware import Hardware
from tuneproof.pipeline.blueprint import Blueprint
from tuneproof.pipeline.mixing import list_side
from tuneproof.pipeline.probes import prepare_probes
from tuneproof.pipeline.rehearsal import (
    MARGIN,
    PILOT,
    count_spent,
    describe_items,
    describe_setting,
    describe_work,
    keep_time,
)
from tuneproof.pipeline.rows import Prepared, read_test
from tuneproof.pipeline.work import PROBE_LANGUAGES, Work
from tuneproof.plan import budget
from tuneproof.plan.lengths import LetterTokenizer
from tuneproof.plan.pace import find_speeds, probe_speeds
from tuneproof.progress import Quiet
from tuneproof.records import Plan
from tuneproof.rundir import RunDir
from tuneproof.training.dataset import encode_rows

READ = 500 << 20
"""Bytes of weights that are read a second; an assumption, below what a disk gives."""
REHEARSED = 3
"""Batches that a rehearsal runs through: the heaviest once, a typical one twice."""


def foresee_time(plan: Plan, config: RunConfig, prepared: Prepared, blueprint: Blueprint, hardware: Hardware) -> None:
    """Write how long the run will take into the plan, for the device that is here; `config` as it is resolved."""
    setting = describe_setting(blueprint.config, hardware, plan.settings)
    pace = find_speeds(setting) or probe_speeds(setting)
    with TemporaryDirectory(prefix="tuneproof-plan-") as folder:
        work = _lay_out(RunDir(Path(folder)), config, prepared, blueprint)
        work.plan = plan
        rows = encode_rows(work.tokenizer, work.lessons)
        wanted = describe_work(work, rows)
        pilots = [item for name in PROBE_LANGUAGES for item in make_probe_items(load_probes(name))]
        asked = describe_items(work, spread_items(pilots, 2 * PILOT))
    batch = REHEARSED * config.train.batch_size * rows.tokens / max(1, len(rows)) / pace.speeds.train
    wanted = wanted._replace(load=plan.parts.weights / READ + batch + budget.time_suite(pace.speeds, asked))
    limit = config.train.time_limit
    time = budget.plan_time(pace.speeds, wanted, limit=MARGIN * limit if limit else None, spent=count_spent())
    time.limit, time.estimated, time.speeds = limit, True, pace.source
    keep_time(plan, time, wanted)


def _lay_out(run: RunDir, config: RunConfig, prepared: Prepared, blueprint: Blueprint) -> Work:
    """A run as it stands before its rehearsal, but for its model."""
    work = Work(run, config.model_copy(deep=True), Quiet())
    work.tokenizer = blueprint.tokenizer or LetterTokenizer()
    work.context = getattr(blueprint.config, "max_position_embeddings", None)
    sides = {side: list_side(prepared.rows, prepared.split, side) for side in ("train", "select", "test")}
    if config.data.test:
        sides["test"], _ = read_test(config, prepared.report.model_copy(deep=True), prepared.rows)
    for side, rows in sides.items():
        run.save_rows(side, rows)
    run.save(prepared.split)
    prepare_probes(work, sides["train"])
    return work
