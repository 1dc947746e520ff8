"""The plan of `tuneproof plan`: what fits, without a run folder, without weights, and for a card that is not there.

In: a config with data files and a model's name. Out: a Plan. A model that is not here is planned from the built-in
table and estimated lengths, and the plan says so.

    plan = preview_plan(config, Quiet())
"""

from __future__ import annotations

from functools import partial

from tuneproof.config import RunConfig
from tuneproof.model.crew import Crew
from tuneproof.model.encoding import measure_rows
from tuneproof.model.hardware import Hardware, take_hardware
from tuneproof.pipeline.ahead import foresee_time
from tuneproof.pipeline.blueprint import Blueprint, find_blueprint, match_known, read_known
from tuneproof.pipeline.prepare import make_plan, make_target
from tuneproof.pipeline.rows import Measure, prepare_rows
from tuneproof.plan.lengths import estimate_rows
from tuneproof.plan.recipe import resolve_training
from tuneproof.plan.remedies import Target, find_smaller, plan_cards
from tuneproof.progress import Progress
from tuneproof.records import Plan


def preview_plan(config: RunConfig, progress: Progress, *, cards: bool = False, ranks: int = 1) -> Plan:
    """The plan for each of so many devices, whether it fits or not; `cards`: what common cards would do, too. Raises
    ModelError, DataError."""
    assert config.model.name is not None
    blueprint = find_blueprint(config.model.name, config.model.revision)
    prepared = prepare_rows(config, progress, choose_measure(blueprint))
    train = [row for row in prepared.rows if prepared.split.rows[row.id].side == "train"]
    sizes = [prepared.measure(row) for row in train for _ in range(row.copies)]
    hardware = take_hardware(config.model)
    target = choose_target(config, hardware, ranks)
    progress.begin("plan")
    chosen, lengths, plan = make_plan(config, sizes, blueprint.config, target)
    plan.dimensions = blueprint.source
    plan.lengths = "counted" if blueprint.tokenizer is not None else "estimated"
    resolved = resolve_training(config, len(sizes), blueprint.config)
    if not plan.fits:
        known = match_known(blueprint.config)
        plan.smaller_models = find_smaller(known, read_known, lengths, resolved, target)
    if cards:
        plan.cards = plan_cards(blueprint.config, lengths, resolved, target)
    if plan.fits and target.device == hardware.device:
        foresee_time(plan, chosen, prepared, blueprint, hardware)
    elif plan.fits and config.train.time_limit:
        progress.say("time.no_device")
    progress.end("plan")
    return plan


def choose_measure(blueprint: Blueprint) -> Measure:
    """How rows are counted: by the tokenizer where it is here, else by their letters."""
    return estimate_rows if blueprint.tokenizer is None else partial(measure_rows, blueprint.tokenizer)


def choose_target(config: RunConfig, hardware: Hardware, ranks: int = 1) -> Target:
    """The device to plan for: with a memory limit and no GPU in this machine, a CUDA card."""
    if config.memory.limit and config.model.device == "auto" and hardware.device == "cpu":
        return Target("cuda", config.model.dtype or "bfloat16", config.memory.limit, "CUDA", ranks=ranks)
    return make_target(config, hardware, Crew(size=ranks))
