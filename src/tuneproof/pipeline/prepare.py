"""The verbs before weights move: data, plan.

`prepare_data` keeps the rows that rows.py has read, checked and split; `plan_memory` chooses what fits, rehearses the
heaviest step, and plans the time. Both write their records into the run folder; `preview_plan` plans without one.
"""

from __future__ import annotations

from tuneproof.config import RunConfig
from tuneproof.data.findings import make_case, note_defect
from tuneproof.errors import DataError, FitError
from tuneproof.model.encoding import measure_rows
from tuneproof.model.hardware import free_disk, inspect_hardware
from tuneproof.model.load import load_config
from tuneproof.pipeline.beside import check_beside
from tuneproof.pipeline.mixing import list_side
from tuneproof.pipeline.onward import find_trained, keep_apart
from tuneproof.pipeline.probes import prepare_probes
from tuneproof.pipeline.rows import Prepared, add_findings, prepare_rows, read_test, use_own_test
from tuneproof.pipeline.scorers import try_scorers
from tuneproof.pipeline.work import Work
from tuneproof.plan.choose import Lengths, Target, choose_plan
from tuneproof.plan.recipe import resolve_training
from tuneproof.progress import Progress
from tuneproof.records import DataReport, Plan, SplitRow
from tuneproof.statistics import detectable_effect


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
        for row in test:
            prepared.split.rows[row.id] = SplitRow(cluster=row.id, stratum=row.task, side="test")
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
    hardware = work.hardware
    limit = work.config.memory.limit or int(0.9 * hardware.memory_free)
    dtype = work.config.model.dtype or hardware.dtype
    target = Target(device=hardware.device, dtype=dtype, limit_bytes=limit, name=hardware.name)
    work.config, work.plan = make_plan(work.config, [sizes[row.id] for row in work.lessons], target)
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


def preview_plan(config: RunConfig, progress: Progress) -> Plan:
    """The plan of `tuneproof plan`: with a memory limit and no GPU in this machine it plans for a CUDA card."""
    prepared = prepare_rows(config, progress)
    train = [row for row in prepared.rows if prepared.split.rows[row.id].side == "train"]
    lengths = [prepared.measure(row) for row in train for _ in range(row.copies)]
    hardware = inspect_hardware(config.model.device)
    if config.memory.limit and config.model.device == "auto" and hardware.device == "cpu":
        target = Target(
            device="cuda", dtype=config.model.dtype or "bfloat16", limit_bytes=config.memory.limit, name="CUDA"
        )
    else:
        limit = config.memory.limit or int(0.9 * hardware.memory_free)
        target = Target(
            device=hardware.device, dtype=config.model.dtype or hardware.dtype, limit_bytes=limit, name=hardware.name
        )
    progress.begin("plan")
    _, plan = make_plan(config, lengths, target, must_fit=False)
    progress.end("plan")
    return plan


def make_plan(
    config: RunConfig, train: list[tuple[int, int]], target: Target, *, must_fit: bool = True
) -> tuple[RunConfig, Plan]:
    """The config with its training and memory values resolved, and the plan. Raises FitError when nothing fits."""
    assert config.model.name is not None
    model_config = load_config(config.model.name, config.model.revision)
    config = resolve_training(config, len(train), model_config)
    lengths = Lengths(
        tokens=[tokens for tokens, _ in train],
        trained=[trained for _, trained in train],
        prompt=max((tokens - trained for tokens, trained in train), default=1),
        answer=config.evaluate.max_new_tokens or 2 * max((trained for _, trained in train), default=1),
    )
    plan = choose_plan(model_config, lengths, config, target)
    if must_fit and not plan.fits:
        change = plan.alternatives[0].change if plan.alternatives else "?"
        needed, limit = plan.peak_bytes / 1e9, plan.limit_bytes / 1e9
        raise FitError("plan.does_not_fit", needed=f"{needed:.1f}", limit=f"{limit:.1f}", change=change)
    settings = plan.settings
    resolved = config.model_copy(deep=True)
    resolved.model.dtype = settings.dtype
    resolved.data.max_tokens = settings.max_tokens
    resolved.train.micro_batch = settings.micro_batch
    resolved.evaluate.batch_size = settings.answer_batch
    resolved.memory.limit = plan.limit_bytes
    resolved.memory.checkpointing = settings.checkpointing
    resolved.memory.quantization = settings.quantization
    return resolved, plan
