"""The run folder: the only thing that passes between commands, web app, server and tests.

    RUN/
      config.yaml               exactly what ran, every value resolved
      run.json                  RunRecord: status, fingerprint, versions, device, seed, stages, training
      events.jsonl              one JSON object a line with `time` and `kind`
      progress.json             Standing: how far the stage at work is
      data/report.json          DataReport
      data/split.json           Split
      data/{train,select,test}.jsonl   a Row a line
      data/stdin.*              what was piped in, where rows came from standard input
      data/replay.jsonl         a Row a line: the base model's own answers, mixed into training
      data/probes.jsonl         a Row a line: the user's own probes
      data/earlier.jsonl        a Row a line: what the rounds before this one were trained on (`--from`)
      data/scoring.jsonl        a Row a line, in a trial with fewer rows: those by which its scorers are chosen
      plan.json                 Plan
      checkpoints/checkpoint-N/ Trainer checkpoints; whole when manifest.json is there
      start/                    the adapter that training goes on from (`--from`)
      adapter/                  the chosen adapter in PEFT's layout, tokenizer, chat template, model card
      eval/base/SUITE.jsonl     an Answer a line; suites: test, retention, few_shot; of the tuned model train
      eval/tuned/SUITE.jsonl
      eval/selection.json       Selection
      eval/drift.json           DriftRecord: KL to the base, loss on neutral text
      eval/judge.json           JudgeRecord, where a judge is named; its votes lie in judge.jsonl
      eval/harness.json         HarnessRecord, where benchmarks are named; their output lies in harness/
      eval/unscored.jsonl       answers that a scorer of the user's own failed on
      eval/blame/ITEM.json      Blame: the rows that pushed an answer; beside it sketches of all rows' gradients
      verdict.json              Verdict
      trials/NAME/              a trial: a run folder of its own, on this run's rows and base answers
      trials/first/             the run as it was before a remedy was adopted (`--cure`)
      trials.json               Trials: what they show
      marks.json                Marks: references that a reader holds to be wrong
      export/TARGET/            what `export` wrote, with a model card and parity.json (Parity)
      report.html

In: a path. Out: records. Every file is written beside its place and renamed, so a reader sees the old or the new one.

    plan = RunDir(Path("runs/first")).load(Plan)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from tuneproof.errors import FitError, RunError, is_full
from tuneproof.records import (
    Answer,
    Blame,
    DataReport,
    DriftRecord,
    HarnessRecord,
    JudgeRecord,
    Marks,
    Plan,
    Row,
    RunRecord,
    Selection,
    Split,
    Standing,
    Trials,
    Verdict,
)

Record = TypeVar("Record", bound=BaseModel)
PLACES: dict[type[BaseModel], str] = {
    RunRecord: "run.json",
    DataReport: "data/report.json",
    Split: "data/split.json",
    Plan: "plan.json",
    Selection: "eval/selection.json",
    DriftRecord: "eval/drift.json",
    JudgeRecord: "eval/judge.json",
    HarnessRecord: "eval/harness.json",
    Verdict: "verdict.json",
    Trials: "trials.json",
    Marks: "marks.json",
    Standing: "progress.json",
}
PLAIN_NAME = re.compile("[a-z0-9][a-z0-9-]{0,63}")
"""Names that are the same on every file system."""


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write text (as UTF-8) or bytes so that `path` is the old or the new file, never half of one, at any crash.

    Raises FitError when the disk is full.
    """
    packed = content.encode("utf-8") if isinstance(content, str) else content
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        if is_full(error):
            raise FitError("disk.filled", where=str(path)) from error
        raise


def _umask() -> int:
    """The process' umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


class RunDir:
    """One run's folder. Reading raises RunError, naming the file, when a record is missing or damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.resolve().name

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.path / "config.yaml"

    @property
    def checkpoints(self) -> Path:
        """Folder of the Trainer's checkpoints."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The chosen adapter."""
        return self.path / "adapter"

    @property
    def trials(self) -> Path:
        """Folder of the trials."""
        return self.path / "trials"

    @property
    def start(self) -> Path:
        """The adapter that training goes on from, copied from the run that it belongs to."""
        return self.path / "start"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.path / "report.html"

    def has(self, kind: type[BaseModel]) -> bool:
        """Whether the record lies in the folder."""
        return (self.path / PLACES[kind]).is_file()

    def load(self, kind: type[Record]) -> Record:
        """The record of this kind."""
        return self._load_record(self.path / PLACES[kind], kind)

    def save(self, record: BaseModel) -> None:
        """Write the record to its place."""
        write_atomic(self.path / PLACES[type(record)], record.model_dump_json(indent=1) + "\n")

    def load_rows(self, name: str) -> list[Row]:
        """Rows of `data/NAME.jsonl`."""
        return list(self._load_lines(self.path / "data" / f"{name}.jsonl", Row))

    def save_rows(self, name: str, rows: Iterable[Row]) -> None:
        """Write `data/NAME.jsonl`."""
        self._save_lines(self.path / "data" / f"{name}.jsonl", rows)

    def has_rows(self, name: str) -> bool:
        """Whether `data/NAME.jsonl` is there."""
        return (self.path / "data" / f"{name}.jsonl").is_file()

    def answers_path(self, arm: str, suite: str) -> Path:
        """Where the answers of an arm (`base`, `tuned`) to a suite lie."""
        return self.path / "eval" / arm / f"{suite}.jsonl"

    def load_answers(self, arm: str, suite: str) -> list[Answer]:
        """Answers of an arm to a suite."""
        return list(self._load_lines(self.answers_path(arm, suite), Answer))

    def find_answers(self, arm: str, suite: str) -> list[Answer]:
        """Answers of an arm to a suite; none where it was not asked."""
        return self.load_answers(arm, suite) if self.answers_path(arm, suite).is_file() else []

    def save_answers(self, arm: str, suite: str, answers: Iterable[Answer]) -> None:
        """Write the answers of an arm to a suite."""
        self._save_lines(self.answers_path(arm, suite), answers)

    @property
    def blame(self) -> Path:
        """Folder of what `tuneproof blame` found."""
        return self.path / "eval" / "blame"

    def save_blame(self, blame: Blame) -> None:
        """Write what is known of one item; an id that is no plain file name is cut and told apart by its hash."""
        name = blame.id
        if not PLAIN_NAME.fullmatch(name):
            name = f"{re.sub('[^a-z0-9-]', '-', name.lower())[:40]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        write_atomic(self.blame / f"{name}.json", blame.model_dump_json(indent=1) + "\n")

    def load_blames(self) -> list[Blame]:
        """What is known of all items that were looked at, by their file names."""
        return [self._load_record(path, Blame) for path in sorted(self.blame.glob("*.json"))]

    def load_events(self) -> list[dict[str, Any]]:
        """All events; a line cut short by a crash, or that is no event, is left out."""
        path = self.path / "events.jsonl"
        events = []
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and "kind" in event:
                events.append(event)
        return events

    def log_event(self, kind: str, **facts: object) -> None:
        """Append one line to events.jsonl."""
        self.path.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"time": round(time.time(), 3), "kind": kind, **facts}, ensure_ascii=False).encode()
        with (self.path / "events.jsonl").open("ab+") as file:
            # After a crash in the middle of a line the next event must not be glued to it.
            if file.tell() and self._last_byte(file) != b"\n":
                line = b"\n" + line
            file.write(line + b"\n")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder as its only writer. Raises RunError when it cannot be written, or another process holds it.

        The operating system frees the lock of a dead process, so a killed run leaves the folder usable.
        """
        owner = self.path / ".owner"
        lock = FileLock(self.path / ".lock")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            held = owner.read_text(encoding="utf-8").strip() if owner.is_file() else "?"
            raise RunError("run.locked", where=str(self.path), owner=held) from None
        except OSError as error:
            raise RunError("run.unwritable", where=str(self.path), why=error.strerror or str(error)) from error
        try:
            write_atomic(owner, f"pid {os.getpid()} on {socket.gethostname()}\n")
            yield
        finally:
            lock.release()

    def _load_record(self, path: Path, kind: type[Record]) -> Record:
        try:
            return kind.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise RunError("run.missing", where=str(path), file=path.relative_to(self.path).as_posix()) from None
        except (ValidationError, OSError) as error:
            raise RunError("run.damaged", where=str(path), why=str(error).splitlines()[0]) from error

    def _load_lines(self, path: Path, kind: type[Record]) -> Iterator[Record]:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except OSError:
            raise RunError("run.missing", where=str(path), file=path.name) from None
        except UnicodeDecodeError as error:
            raise RunError("run.damaged", where=str(path), why=str(error)) from error
        for number, line in enumerate(lines, start=1):
            if line:
                try:
                    yield kind.model_validate_json(line)
                except ValidationError as error:
                    where, why = f"{path}:{number}", str(error).splitlines()[0]
                    raise RunError("run.damaged", where=where, why=why) from error

    @staticmethod
    def _last_byte(file: BinaryIO) -> bytes:
        file.seek(-1, os.SEEK_END)
        return file.read(1)

    @staticmethod
    def _save_lines(path: Path, records: Iterable[BaseModel]) -> None:
        write_atomic(path, "".join(record.model_dump_json() + "\n" for record in records))
