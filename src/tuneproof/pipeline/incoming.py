"""Data that does not lie in a file of the user's: standard input, and data sets of a hub.

What is piped in can be read only once, so it is held as a file: in a temporary folder while it is looked at, in the
run's own (`data/stdin.jsonl`, its ending by what it is) for a run, which reads it again when it is resumed. A data
set's name is pinned to the commit that was found, so that a resumed run reads the same rows.

    with hold_stdin(pin_names(config)) as held:
        config = keep_stdin(held, run)
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tuneproof.config import RunConfig
from tuneproof.config.data import STDIN, names_hub
from tuneproof.data.decode import SAMPLE_BYTES, check_encoding
from tuneproof.data.detect import detect_ending
from tuneproof.data.hub import fetch_dataset
from tuneproof.data.read import READERS
from tuneproof.errors import RunError, TuneproofError, UsageError
from tuneproof.records import DataReport, RunRecord
from tuneproof.rundir import RunDir


class Held(NamedTuple):
    """A config whose standard input is a file."""

    config: RunConfig
    file: Path | None
    """What was piped in; None where nothing was asked for."""


def pin_names(config: RunConfig) -> RunConfig:
    """The config with the commit in each name of a data set. Raises UsageError when one cannot be had."""
    pinned = config.model_copy(deep=True)
    data, probes = pinned.data, pinned.evaluate.probes
    data.files, pinned.evaluate.probes = list(map(pin_name, data.files)), list(map(pin_name, probes))
    data.test = pin_name(data.test) if data.test else None
    return pinned


def pin_name(name: str) -> str:
    """The name with the commit that it stands for, where it is that of a data set. Raises UsageError."""
    if Path(name).exists() or not names_hub(name):
        return name
    return fetch_dataset(name, list(READERS)).pinned


@contextmanager
def hold_stdin(config: RunConfig, stream: BinaryIO | None = None) -> Iterator[Held]:
    """The config with standard input (or `stream`) in a file that is there until the end.

    Raises UsageError when nothing is piped in.
    """
    if STDIN not in config.data.files:
        yield Held(config, None)
        return
    check_encoding(config.data.encoding)
    # A process without a console has no standard input at all.
    stream = stream or (sys.stdin.buffer if sys.stdin else None)
    if stream is None or stream.isatty():
        raise UsageError("data.no_stdin", where=STDIN)
    with tempfile.TemporaryDirectory(prefix="tuneproof-") as folder:
        spool = Path(folder, "stdin")
        with spool.open("wb") as file:
            shutil.copyfileobj(stream, file)
        with spool.open("rb") as start:
            ending = detect_ending(start.read(SAMPLE_BYTES), config.data.encoding)
        held = spool.rename(spool.with_name(f"stdin{ending}"))
        try:
            yield Held(replace_name(config, STDIN, str(held)), held)
        except TuneproofError as error:
            # The file is gone when the error is read.
            error.where = error.where.replace(str(held), STDIN) if error.where else None
            told = {key: value for key, value in error.values.items() if isinstance(value, str)}
            error.values |= {key: value.replace(str(held), STDIN) for key, value in told.items()}
            raise


def keep_stdin(held: Held, run: RunDir) -> RunConfig:
    """The config with what was piped in kept in the run's folder.

    Raises RunError when the run was begun with something else.
    """
    if held.file is None:
        return held.config
    folder = run.path / "data"
    kept = folder / held.file.name
    earlier = list(folder.glob("stdin.*"))
    if not run.has(RunRecord):
        folder.mkdir(parents=True, exist_ok=True)
        for left in earlier:
            left.unlink()
        os.replace(shutil.copyfile(held.file, folder / ".incoming"), kept)
    elif earlier != [kept] or not cmp(kept, held.file, shallow=False):
        raise RunError("data.other_stdin", where=str(run.path), kept=", ".join(map(str, earlier)), run=run.path)
    return replace_name(held.config, str(held.file), str(kept))


def name_again(report: DataReport, held: Held) -> DataReport:
    """The report with `-` for the file that is gone when it is read."""
    if held.file is None:
        return report
    file = str(held.file)
    named = report.model_copy(deep=True)
    named.files = [STDIN if name == file else name for name in report.files]
    for found in named.findings:
        found.file = STDIN if found.file == file else found.file
    for weight in named.weights:
        weight.file = STDIN if weight.file == file else weight.file
    return named


def replace_name(config: RunConfig, old: str, new: str) -> RunConfig:
    """The config with another name for one of its data files."""
    named = config.model_copy(deep=True)
    named.data.files = [new if name == old else name for name in named.data.files]
    weights = named.data.weights or {}
    named.data.weights = {new if name == old else name: weight for name, weight in weights.items()} or None
    return named
