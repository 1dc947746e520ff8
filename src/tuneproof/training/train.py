"""Train the adapter: rows in, checkpoints and a `TrainingRecord` out.

record = train_adapter(model, rows, config=config, settings=plan.settings, folder=run.checkpoints, ...)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import PrinterCallback, TrainerCallback, TrainingArguments, set_seed

from tuneproof.config import RunConfig
from tuneproof.errors import StoppedError
from tuneproof.model.hardware import read_peak, reset_peak
from tuneproof.model.load import quiet_transformers
from tuneproof.records import TrainingRecord
from tuneproof.training.checkpoint import find_checkpoint
from tuneproof.training.dataset import RowSet
from tuneproof.training.guards import StopCallback, catch_signals
from tuneproof.training.trainer import PackedTrainer, Shape, StepReport


class Trained(NamedTuple):
    """The record, and what was wrong with checkpoints that were skipped on resuming."""

    record: TrainingRecord
    skipped: list[str]


class StepLog(NamedTuple):
    """Where steps are noted."""

    history: Sequence[StepReport]
    """Steps of earlier processes of this run."""
    on_step: Callable[[StepReport], None]


def count_steps(rows: int, config: RunConfig) -> int:
    """Optimizer steps of a run: epochs over the rows, or `train.max_steps`."""
    if config.train.max_steps:
        return config.train.max_steps
    assert config.train.epochs is not None
    per_epoch = -(-rows // config.train.batch_size)
    return max(1, round(config.train.epochs * per_epoch))


def train_adapter(
    model: Any,
    rows: RowSet,
    *,
    config: RunConfig,
    shape: Shape,
    folder: Path,
    log: StepLog,
) -> Trained:
    """Train until the planned step; goes on from the newest whole checkpoint in `folder`.

    A finished run trains nothing (the Trainer alone would add a step on each resume). `history` has the steps of
    earlier processes, so that the record counts all of them. Raises TrainingError when a loss or gradient is not
    finite, StoppedError after a signal (saved).
    """
    steps = count_steps(len(rows), config)
    checkpoint, skipped = find_checkpoint(folder)
    reached = int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else 0
    set_seed(config.train.seed)
    device = next(model.parameters()).device.type
    reset_peak(device)
    started = time.perf_counter()
    done = [report for report in log.history if report.step <= reached]

    def note(report: StepReport) -> None:
        done.append(report)
        log.on_step(report)

    with quiet_transformers(), catch_signals() as stop:
        callbacks: list[TrainerCallback] = [StopCallback(stop)]
        arguments = _arguments(config, steps, folder, device)
        trainer = PackedTrainer(model, arguments, rows=rows, shape=shape, on_step=note, callbacks=callbacks)
        # It prints to stdout, which belongs to --json.
        trainer.remove_callback(PrinterCallback)
        if reached < steps:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if stop.number is not None and trainer.state.global_step < steps:
        step, run = trainer.state.global_step, folder.parent
        raise StoppedError("train.stopped", signal_number=stop.number, step=step, steps=steps, run=run)
    record = TrainingRecord(
        rows=len(rows),
        tokens=sum(report.tokens for report in done),
        trained_tokens=sum(report.trained_tokens for report in done),
        steps=steps,
        seconds=time.perf_counter() - started,
        peak_bytes=read_peak(device),
        final_loss=done[-1].loss,
        rows_per_rank=[len(rows)],
    )
    return Trained(record, skipped)


def _arguments(config: RunConfig, steps: int, folder: Path, device: str) -> TrainingArguments:
    """The Trainer's arguments: one loader batch is one optimizer step, everything it would do on its own is off."""
    assert config.train.learning_rate is not None
    assert config.train.save_steps is not None
    return TrainingArguments(
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
        logging_strategy="no",
        logging_nan_inf_filter=False,
        eval_strategy="no",
        seed=config.train.seed,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=device == "cpu",
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
    )
