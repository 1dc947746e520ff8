"""Train the adapter: rows in, checkpoints and a `TrainingRecord` out.

record = train_adapter(model, rows, config=config, settings=plan.settings, folder=run.checkpoints, ...)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import PrinterCallback, TrainingArguments, set_seed

from tuneproof.config import RunConfig
from tuneproof.errors import StoppedError
from tuneproof.model.crew import join_crew
from tuneproof.model.hardware import read_peak, reset_peak
from tuneproof.model.load import quiet_transformers
from tuneproof.records import TrainingRecord
from tuneproof.training.checkpoint import Checkpoints
from tuneproof.training.dataset import RowSet
from tuneproof.training.guards import CheckpointCallback, LossWatch, StopCallback, WeightCallback, catch_signals
from tuneproof.training.recording import Course
from tuneproof.training.recovery import Lighter, Shape
from tuneproof.training.trackers import list_reports, open_trackers
from tuneproof.training.trainer import PackedTrainer, StepReport

STATE_BYTES = 3
"""A checkpoint beside its adapter: the weights and the optimizer's two moments, all float32."""
SMALL_FILES = 1 << 20
"""Bytes of a checkpoint's other files, amply."""


class StepLog(NamedTuple):
    """Where steps are noted."""

    history: Sequence[StepReport]
    """Steps of earlier processes of this run."""
    on_step: Callable[[StepReport], None]
    on_skip: Callable[[str], None] = lambda why: None
    """Hears of each damaged checkpoint that is passed over, before training goes on."""
    on_checkpoint: Callable[[int], None] | None = None
    """Hears of each checkpoint but the last one, and may ask the model. Its time is none of the training's."""
    on_lighter: Callable[[int, Lighter], None] = lambda step, change: None
    """Hears that memory ran out in a step, and what was changed before it was taken again."""
    on_recorded: Callable[..., None] = lambda **facts: None
    """Hears for which `lengths` of packs the passes were recorded (CUDA), or `why` they could not be."""


def count_steps(rows: int, config: RunConfig) -> int:
    """Optimizer steps of a run: epochs over the rows, or `train.max_steps`."""
    if config.train.max_steps:
        return config.train.max_steps
    assert config.train.epochs is not None
    per_epoch = -(-rows // config.train.batch_size)
    return max(1, round(config.train.epochs * per_epoch))


def set_course(rows: int, config: RunConfig) -> Course:
    """What a training of so many rows is to do."""
    return Course(config.train.batch_size, count_steps(rows, config), config.train.kernels)


def train_adapter(
    model: Any,
    rows: RowSet,
    *,
    config: RunConfig,
    shape: Shape,
    folder: Path,
    log: StepLog,
) -> TrainingRecord:
    """Train until the planned step; goes on from the newest whole checkpoint in `folder`.

    A finished run trains nothing (the Trainer alone would add a step on each resume). `history` has the steps of
    earlier processes, so that the record counts all of them. Raises TrainingError when a loss, gradient or weight is
    not finite or the loss runs away, StoppedError after a signal (saved), FitError when the disk is full, RunError
    when `folder` holds another training's checkpoints or only damaged ones. Of several ranks, all call it with the same
    rows; only the lead looks into `folder` and writes.
    """
    crew = join_crew()
    steps = count_steps(len(rows), config)
    checkpoints = _open_checkpoints(model, rows, config, steps, folder)
    checkpoint, skipped = crew.tell(checkpoints.find)
    for why in skipped:
        log.on_skip(why)
    reached = int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else 0
    set_seed(config.train.seed)
    device, started = next(model.parameters()).device.type, time.perf_counter()
    reset_peak(device)
    # The same on all ranks, so that all find at the same step that the loss runs away.
    done = crew.tell(lambda: [report for report in log.history if report.step <= reached])
    watch = LossWatch([report.loss for report in done])

    def note(report: StepReport) -> None:
        done.append(report)
        log.on_step(report)
        watch.look(report.step, report.loss)

    with quiet_transformers(), catch_signals() as stop:
        pauses = CheckpointCallback(log.on_checkpoint)
        arguments, callbacks = _arguments(config, steps, folder, device), [StopCallback(stop), pauses]
        trainer = PackedTrainer(model, arguments, rows=rows, shape=shape, on_step=note, callbacks=callbacks)
        trainer.checkpoints = checkpoints
        _equip(trainer, config, log, folder)
        if reached < steps:
            crew.tell(lambda: checkpoints.require_room_for(min(checkpoints.keep, -(-steps // checkpoints.every))))
            crew.copy_weights([weight for weight in model.parameters() if weight.requires_grad])
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if stop.number is not None:
        step = max(reached, trainer.state.global_step)
        raise StoppedError("train.stopped", signal_number=stop.number, step=step, steps=steps, run=folder.parent)
    return TrainingRecord(
        rows=len(rows),
        tokens=sum(report.tokens for report in done),
        trained_tokens=sum(report.trained_tokens for report in done),
        steps=steps,
        seconds=time.perf_counter() - started - pauses.seconds,
        peak_bytes=read_peak(device),
        final_loss=done[-1].loss if done else None,
        world_size=crew.size,
        rows_per_rank=crew.gather(trainer.computed),
    )


def _equip(trainer: PackedTrainer, config: RunConfig, log: StepLog, folder: Path) -> None:
    """Say what is to be done and who hears of it; add the trackers, which the lead alone has, and the guard that needs
    the trainer."""
    trainer.optimizer_name = config.train.optimizer or "adamw"
    trainer.course = trainer.course._replace(kernels=config.train.kernels)
    trainer.on_lighter, trainer.on_recorded = log.on_lighter, log.on_recorded
    for tracker in open_trackers(config.report.trackers if join_crew().leads else [], folder.parent):
        trainer.add_callback(tracker)
    trainer.add_callback(WeightCallback(lambda: trainer.weights.parameters(), trainer.refuse_step))
    # It prints to stdout, which belongs to --json.
    trainer.remove_callback(PrinterCallback)


def _open_checkpoints(model: Any, rows: RowSet, config: RunConfig, steps: int, folder: Path) -> Checkpoints:
    """The checkpoints of this training: what they depend on, how many are kept, how large one will be."""
    lora, every = config.lora, config.train.save_steps
    assert every is not None
    said = {"train": ("batch_size", "learning_rate", "warmup", "max_grad_norm", "seed"), "lora": ("rank", "alpha")}
    values = {f"{part}.{name}": getattr(getattr(config, part), name) for part, names in said.items() for name in names}
    if config.train.optimizer == "adamw8bit":
        # Named only where it is not the usual one: checkpoints of before it could be chosen have no such field.
        values["train.optimizer"] = config.train.optimizer
    targets = lora.targets if isinstance(lora.targets, str) else sorted(lora.targets)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    return Checkpoints(
        folder,
        training={**values, "lora.dropout": lora.dropout, "lora.targets": targets, "steps": steps, "rows": rows.digest},
        every=every,
        keep=config.evaluate.checkpoints,
        expected_bytes=STATE_BYTES * sum(weight.numel() * weight.element_size() for weight in trained) + SMALL_FILES,
    )


def _arguments(config: RunConfig, steps: int, folder: Path, device: str) -> TrainingArguments:
    """The Trainer's arguments: one loader batch is one optimizer step, everything it would do on its own is off."""
    assert config.train.learning_rate is not None
    assert config.train.save_steps is not None
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=config.train.batch_size,
        gradient_accumulation_steps=1,
        max_steps=steps,
        learning_rate=config.train.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, round(config.train.warmup * steps)),
        max_grad_norm=config.train.max_grad_norm,
        weight_decay=0.0,
        save_strategy="steps",
        save_steps=config.train.save_steps,
        logging_strategy="steps" if config.report.trackers else "no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="no",
        seed=config.train.seed,
        report_to=list_reports(config.report.trackers if join_crew().leads else []),
        run_name=folder.parent.name,
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=device == "cpu",
        dataloader_num_workers=config.train.loader_workers,
        dataloader_pin_memory=False,
    )
    # With a second card in the machine the Trainer would split each batch over both, after making it twice as large.
    arguments._n_gpu = 1
    return arguments
