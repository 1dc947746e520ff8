"""The verbs before weights move: data, plan.

`prepare_data` keeps the rows that rows.py has read, checked and split; `plan_memory` chooses what fits, rehearses the
heaviest step, and plans the time. Both write their records into the run folder; preview.py plans without one.
"""

from __future__ import annotations

from typing import Any

import psutil

from tuneproof.config import RunConfig
from tuneproof.data.findings import make_case, note_defect
from tuneproof.data.near import cluster_rows
from tuneproof.errors import ConfigError, DataError, Fault, FitError
from tuneproof.model.crew import Crew, join_crew
from tuneproof.model.encoding import measure_rows
from tuneproof.model.hardware import Hardware, free_disk, import_bitsandbytes, is_hopper, read_resident
from tuneproof.model.load import load_config
from tuneproof.pipeline.beside import check_beside
from tuneproof.pipeline.mixing import list_side
from tuneproof.pipeline.onward import find_trained, keep_apart
from tuneproof.pipeline.probes import prepare_probes
from tuneproof.pipeline.rows import Prepared, add_findings, prepare_rows, read_test, use_own_test
from tuneproof.pipeline.scorers import try_scorers
from tuneproof.pipeline.work import Work
from tuneproof.plan.forecast import CUBLAS, CUBLAS_HOPPER
from tuneproof.plan.heap import PROCESS
from tuneproof.plan.recipe import resolve_training
from tuneproof.plan.remedies import Lengths, Target, choose_plan
from tuneproof.records import DataReport, Plan, SplitRow
from tuneproof.statistics import detectable_effect

TO_COME, STEP = 64 << 20, 64 << 20
"""Bytes that the process grows by between plan and verdict beside what is planned (measured with the demo: 60 MiB), and
of the steps in which it is told."""


def prepare_data(work: Work) -> None:
    """Write data/report.json, data/split.json and the rows of each side."""
    check_beside(work)
    prepared = prepare_rows(work.config, work.progress)
    rows = list(prepared.rows)
    if prepared.split.moved:
        work.progress.say("start.sides", n=len(prepared.split.moved))
    part_rounds(work, prepared)
    if work.config.data.test:
        test, leaked = read_test(work.config, prepared.report, rows)
        known = find_trained(test, work.run)
        test = [row for row in test if row.id not in known]
        if known:
            work.progress.say("start.dropped", n=len(known))
        # A row that is nearly a test row would be tested on what it taught.
        rows = [row for row in rows if row.id not in leaked]
        if not any(prepared.split.rows[row.id].side == "train" for row in rows):
            raise DataError("data.all_leaked", where=work.config.data.test, count=len(leaked))
        clusters = cluster_rows(test, work.config.split.near_duplicate)
        for row in test:
            prepared.split.rows[row.id] = SplitRow(cluster=clusters[row.id], stratum=row.task, side="test")
        use_own_test(prepared, rows, test)
        rows = [*rows, *test]
    for side in ("train", "select", "test"):
        work.run.save_rows(side, list_side(rows, prepared.split, side))
    prepare_probes(work, [row for row in rows if prepared.split.rows[row.id].side == "train"])
    try_scorers(work, [*rows, *work.own_rows])
    work.run.save(prepared.split)
    work.run.save(prepared.report)
    summary = prepared.report.split
    if summary is None or summary.minimum_detectable_effect is None:
        work.progress.say("data.no_test", rows=len(prepared.rows))
    else:
        effect = f"{100 * summary.minimum_detectable_effect:.1f}"
        work.progress.say("data.detectable", n=summary.test, effect=effect)


def part_rounds(work: Work, prepared: Prepared) -> None:
    """Hold out no row that an earlier round of `--from` was trained on."""
    trained = find_trained(prepared.rows, work.run)
    moved = [name for name in trained if prepared.split.rows[name].side != "train"]
    if not moved:
        return
    split = keep_apart(prepared.rows, prepared.split, trained)
    prepared.split.rows, prepared.split.sizes, prepared.split.strata = split.rows, split.sizes, split.strata
    prepared.split.largest_stratum_gap = split.largest_stratum_gap
    prepared.split.length_distance, prepared.split.likeness = split.length_distance, split.likeness
    summary = prepared.report.split
    assert summary is not None
    summary.train, summary.select, summary.test = (split.sizes[side] for side in ("train", "select", "test"))
    summary.minimum_detectable_effect, summary.likeness = detectable_effect(summary.test), split.likeness
    work.progress.say("start.moved", n=len(moved))


def plan_memory(work: Work) -> None:
    """Choose what fits and write plan.json; config.yaml then has every memory and training value resolved."""
    work.progress.begin("plan")
    lengths = measure_rows(work.tokenizer, (row.messages for row in work.train_rows))
    sizes = {row.id: size for row, size in zip(work.train_rows, lengths, strict=True)}
    # Trials of a search are a process each.
    crew = Crew(beside=join_crew().beside) if work.config.trials.search else join_crew()
    target = make_target(work.config, work.hardware, crew)
    assert work.config.model.name is not None
    model_config = load_config(work.config.model.name, work.config.model.revision)
    work.config, _, work.plan = make_plan(work.config, [sizes[row.id] for row in work.lessons], model_config, target)
    work.config.model.threads = work.hardware.threads
    refuse_unfit(work.plan)
    require_packages(work.plan)
    leave_out_long(work, {name: tokens for name, (tokens, _) in sizes.items()})
    free = free_disk(work.run.path)
    if work.plan.disk_bytes > free:
        raise FitError("disk.full", where=str(work.run.path), needed=work.plan.disk_bytes >> 20, free=free >> 20)
    work.run.save(work.plan)
    work.save_config()
    work.progress.end("plan")


def leave_out_long(work: Work, tokens: dict[str, int]) -> None:
    """Take rows above the plan's cap out of the training side, and say so in the data report."""
    cap = work.plan.settings.max_tokens
    long = [row for row in work.train_rows if tokens[row.id] > cap]
    if not long:
        return
    report = work.run.load(DataReport)
    add_findings(
        report,
        [note_defect(make_case(row), "over_length", "warning", tokens=tokens[row.id], limit=cap) for row in long],
    )
    work.run.save(report)
    work.train_rows = [row for row in work.train_rows if tokens[row.id] <= cap]
    work.run.save_rows("train", work.train_rows)
    work.progress.say("data.capped", rows=len(long), cap=cap)


def make_target(config: RunConfig, hardware: Hardware, crew: Crew) -> Target:
    """The device that is here, as the plan for each of the crew sees it."""
    return Target(
        device=hardware.device,
        dtype=config.model.dtype or hardware.dtype,
        limit_bytes=limit_memory(config, hardware, crew.beside),
        name=hardware.name,
        context=weigh_process() if hardware.device == "cpu" else None,
        host=psutil.virtual_memory().available // crew.beside if hardware.device == "cuda" else None,
        workspace=CUBLAS_HOPPER if is_hopper(hardware) else CUBLAS,
        ranks=crew.size,
    )


def weigh_process() -> int | None:
    """Bytes that this process takes before a model is there, and will take until then; None where nothing tells.

    Imports, rows, and what the plan itself leaves. In steps, so that plans on one machine are the same from call to
    call; bounded, since a process may hold another run's model.
    """
    resident = read_resident()
    return None if resident is None else min(max(PROCESS, -(-(resident + TO_COME) // STEP) * STEP), 2 * PROCESS)


def make_plan(
    config: RunConfig, train: list[tuple[int, int]], model_config: Any, target: Target
) -> tuple[RunConfig, Lengths, Plan]:
    """The config with its training and memory values resolved, the data's lengths, and the plan, even if nothing fits.

    `train`: (tokens, trained tokens) of each training row. Raises ConfigError for memory knobs that do not go together.
    """
    quantised = config.memory.quantization not in (None, "none")
    for name in ("offload", "split"):
        if quantised and getattr(config.memory, name):
            raise ConfigError([Fault("plan.offload_quantised", where=f"memory.{name}", name=name)])
    if config.memory.split and target.ranks == 1:
        raise ConfigError([Fault("plan.split_alone", where="memory.split")])
    config = resolve_training(config, len(train), model_config)
    lengths = Lengths(
        tokens=[tokens for tokens, _ in train],
        trained=[trained for _, trained in train],
        prompt=max((tokens - trained for tokens, trained in train), default=1),
        answer=config.evaluate.max_new_tokens or 2 * max((trained for _, trained in train), default=1),
    )
    plan = choose_plan(model_config, lengths, config, target)
    settings = plan.settings
    resolved = config.model_copy(deep=True)
    resolved.model.dtype = settings.dtype
    resolved.data.max_tokens = settings.max_tokens
    resolved.train.micro_batch = settings.micro_batch
    resolved.train.optimizer = settings.optimizer
    resolved.evaluate.batch_size = settings.answer_batch
    resolved.memory.limit = plan.limit_bytes
    resolved.memory.checkpointing = settings.checkpointing
    resolved.memory.quantization = settings.quantization
    resolved.memory.offload = settings.offload
    resolved.memory.split = settings.strategy == "fsdp"
    resolved.memory.loss_chunk = settings.loss_chunk
    return resolved, lengths, plan


def refuse_unfit(plan: Plan) -> None:
    """Raise FitError, with the smallest change that would help, when nothing fits."""
    if not plan.fits:
        change = plan.alternatives[0].change if plan.alternatives else "?"
        needed, limit = plan.peak_bytes / 1e9, plan.limit_bytes / 1e9
        raise FitError("plan.does_not_fit", needed=f"{needed:.1f}", limit=f"{limit:.1f}", change=change)


def require_packages(plan: Plan) -> None:
    """Raise ModelError where the settings need a package that is not installed: now, and not when it is called."""
    if plan.settings.quantization != "none":
        import_bitsandbytes("memory.quantization")
    if plan.settings.optimizer == "adamw8bit":
        import_bitsandbytes("train.optimizer")


def limit_memory(config: RunConfig, hardware: Hardware, beside: int = 1) -> int:
    """Bytes that may be used: the user's number, or nine tenths of what is free (rule 23).

    A CPU's memory is that of all the processes `beside` each other on this machine. Rounded down by less than one in a
    hundred, so that plans on one machine are the same from call to call.
    """
    if config.memory.limit:
        return config.memory.limit
    limit = int(0.9 * hardware.memory_free)
    limit //= beside if hardware.device == "cpu" else 1
    return limit - limit % (1 << max(0, limit.bit_length() - 8))
