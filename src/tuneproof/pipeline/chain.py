"""The chain: every verb in order, each skipped when its records are there.

A run folder belongs to one experiment: data, base, template and config as given. The same command in the same folder
goes on where it stopped; another experiment in it is refused, with the fields that differ.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tuneproof import __version__
from tuneproof.config import RunConfig, TrialsSection
from tuneproof.config.load import dump_config
from tuneproof.errors import FitError, RunError, StoppedError, TuneproofError, is_full, name_signal, tell_changes
from tuneproof.model.load import fingerprint_model, fingerprint_template, load_tokenizer, sample_weights
from tuneproof.pipeline import beside, verbs
from tuneproof.pipeline.mirror import push_run
from tuneproof.pipeline.prepare import plan_memory, prepare_data
from tuneproof.pipeline.rehearsal import rehearse
from tuneproof.pipeline.work import Work
from tuneproof.records import (
    DataReport,
    DriftRecord,
    HarnessRecord,
    JudgeRecord,
    Plan,
    RunRecord,
    Selection,
    Split,
    StageRecord,
    Verdict,
)
from tuneproof.rundir import RunDir

PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "tokenizers")
DECIDING = ("torch", "transformers", "peft", "accelerate", "tokenizers")
"""Packages whose versions decide numbers: half a run by one and half by another is no experiment."""


class Stage(NamedTuple):
    """One verb of the chain, and the records that show it is done."""

    name: str
    verb: Callable[[Work], None]
    records: tuple[type[BaseModel], ...] = ()
    files: tuple[str, ...] = ()
    retried: type[JudgeRecord] | type[HarnessRecord] | None = None
    """A record that may hold an error: the stage is then done again."""


CHAIN = (
    Stage("check", prepare_data, (DataReport, Split), ("data/train.jsonl", "data/test.jsonl")),
    Stage("plan", plan_memory, (Plan,)),
    Stage("rehearse", rehearse),
    Stage("base", verbs.measure_base, (), ("eval/base/test.jsonl", "eval/base/retention.jsonl")),
    Stage("replay", verbs.make_replay, (), ("data/replay.jsonl",)),
    Stage("train", verbs.train),
    Stage("select", verbs.select_checkpoint, (Selection,), ("adapter/adapter_model.safetensors",)),
    Stage("tuned", verbs.measure_tuned, (), ("eval/tuned/test.jsonl", "eval/tuned/retention.jsonl")),
    Stage("drift", verbs.measure_drift, (DriftRecord,)),
    Stage("verdict", verbs.judge, (Verdict,)),
    Stage("opinion", beside.ask_judge, retried=JudgeRecord),
    Stage("harness", beside.run_harness, retried=HarnessRecord),
    Stage("report", verbs.report, (), ("report.html",)),
)


def walk_chain(work: Work, stages: Sequence[Stage], until: str = "report") -> None:
    """Do the stages that are not done, up to `until`. What fails or is stopped is written into run.json."""
    try:
        for stage in stages:
            if not is_done(work.run, stage):
                do_stage(work, stage)
                push_run(work)
            if stage.name == until:
                break
    except BaseException as error:
        told = explain_end(work.run, error)
        with suppress(OSError, TuneproofError):
            # A full disk has no room for this either; what went wrong is told in any case.
            note_status(work.run, "stopped" if isinstance(told, StoppedError) else "failed", told)
            push_run(work)
        if told is error:
            raise
        raise told from error
    note_status(work.run, "done")
    push_run(work)


def explain_end(run: RunDir, error: BaseException) -> BaseException:
    """A user's error for Ctrl-C and SIGTERM, a full disk, and a run folder that cannot be written; else `error`."""
    if isinstance(error, KeyboardInterrupt):
        return StoppedError("run.stopped", signal_number=name_signal(error), run=run.path)
    if is_full(error):
        # What fails in the middle of a file does not know its name.
        name = getattr(error, "filename", None)
        return FitError("disk.filled", where=name if isinstance(name, str) else str(run.path))
    if not isinstance(error, OSError) or isinstance(error.filename, int | None):
        return error
    if Path(os.fsdecode(error.filename)).resolve().is_relative_to(run.path.resolve()):
        return RunError("run.unwritable", where=os.fsdecode(error.filename), why=error.strerror)
    return error


def do_stage(work: Work, stage: Stage) -> None:
    """Run one verb and note its time."""
    work.run.log_event("stage_start", stage=stage.name)
    started = time.perf_counter()
    stage.verb(work)
    seconds = time.perf_counter() - started
    record = work.run.load(RunRecord)
    record.stages[stage.name] = StageRecord(status="done", seconds=seconds)
    record.status = "running"
    if stage.name == "plan":
        record.device = work.plan.device
    work.run.save(record)
    work.run.log_event("stage_end", stage=stage.name, seconds=round(seconds, 3))


def is_done(run: RunDir, stage: Stage) -> bool:
    """Whether the stage ended well and all its records are still there."""
    noted = run.load(RunRecord).stages.get(stage.name)
    there = all(run.has(kind) for kind in stage.records) and all((run.path / name).is_file() for name in stage.files)
    failed = stage.retried is not None and run.has(stage.retried) and run.load(stage.retried).error is not None
    return noted is not None and noted.status == "done" and there and not failed


def note_status(run: RunDir, status: str, error: BaseException | None = None) -> None:
    """Write how the run stands into run.json."""
    record = run.load(RunRecord)
    record.status = status  # type: ignore[assignment]
    record.error = None
    if error is not None:
        record.error = str(error) if isinstance(error, TuneproofError) else type(error).__name__
        run.log_event("end", status=status, error=record.error)
    run.save(record)


def fingerprint_run(config: RunConfig) -> dict[str, str]:
    """What makes this experiment this one: hashes of data, base, template and config. Raises for what is not there."""
    assert config.model.name is not None
    return {
        "data": _hash_files(
            [*config.data.files, *([config.data.test] if config.data.test else []), *config.evaluate.probes]
        ),
        "base": fingerprint_model(config.model.name),
        "weights": sample_weights(config.model.name),
        "template": fingerprint_template(load_tokenizer(config.model.name, config.model.revision)),
        "config": hashlib.sha256(dump_config(_without_cosmetics(config)).encode()).hexdigest()[:16],
    }


def list_asked(config: RunConfig) -> dict[str, object]:
    """Config key -> value, as far as it can change a result: what a run was asked to be."""
    tree = _without_cosmetics(config).model_dump(mode="json")
    return {f"{section}.{name}": value for section, knobs in tree.items() for name, value in knobs.items()}


def refuse_other(run: RunDir, wanted: Mapping[str, str], asked: Mapping[str, object] | None = None) -> None:
    """Raise RunError when the folder's fingerprint is another one, naming the fields that differ.

    `asked`: the config as it is asked for now, so that its keys are named and not its hash alone.
    """
    record = run.load(RunRecord)
    kept = record.fingerprint
    # Weights are told apart since 0.2 by more than their header; a run of before has no such field.
    fields = {field: value for field, value in wanted.items() if field in kept or field != "weights"}
    changed: dict[str, tuple[object, object]] = {
        field: (kept.get(field), value) for field, value in fields.items() if kept.get(field) != value
    }
    if asked is not None and record.asked is not None:
        # A key that is younger than the run had its default then.
        before = list_asked(RunConfig()) | record.asked
        changed.pop("config", None)
        changed |= {key: (before.get(key), value) for key, value in asked.items() if before.get(key) != value}
    if changed:
        raise RunError("run.other", where=str(run.path), differences=tell_changes(changed))


def refuse_versions(run: RunDir, stages: Sequence[Stage], until: str) -> None:
    """Raise RunError when a run that is not done up to `until` was begun with other versions of `DECIDING`."""
    record, now = run.load(RunRecord), list_versions()
    last = next(at for at, stage in enumerate(stages) if stage.name == until)
    left = [stage for stage in stages[: last + 1] if stage.name != "report" and not is_done(run, stage)]
    before = {name: record.versions.get(name, now[name]) for name in DECIDING}
    changed = {name: (version, now[name]) for name, version in before.items() if version != now[name]}
    if record.stages and left and changed:
        raise RunError("run.versions", where=str(run.path), differences=tell_changes(changed))


def list_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide the numbers."""
    return {"tuneproof": __version__, "python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _hash_files(paths: list[str]) -> str:
    """Hash of names and bytes of the data files; a folder counts with all its files. `read` tells of missing ones."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        if not path.exists():
            # A data set of a hub: its name has the commit in it.
            digest.update(path.as_posix().encode())
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.name.encode() + b"\0")
                with file.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
    return digest.hexdigest()[:16]


def _without_cosmetics(config: RunConfig) -> RunConfig:
    """The config without what does not change a result."""
    plain = config.model_copy(deep=True)
    plain.report.language, plain.report.trackers, plain.report.store = None, [], None
    plain.train.loader_workers = 0
    # Other seeds and fewer rows are runs beside this one; a probed learning rate is this run's own.
    plain.trials = TrialsSection(probe_rate=plain.trials.probe_rate)
    return plain
