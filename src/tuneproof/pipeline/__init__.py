"""The verbs in order. Each opens the run folder, calls one stage, writes one record; `run_all` skips what is there.

This module is light, so that `tuneproof report` and `--help` start fast: what works with weights is imported inside the
verb that needs it.

    run = run_all(RunRequest(config, Path("runs/first"), command="tuneproof run rows.jsonl --model demo"), Quiet())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tuneproof.config import RunConfig
from tuneproof.errors import RunError
from tuneproof.messages import Language
from tuneproof.progress import Progress
from tuneproof.records import Blame, Comparison, DataReport, Export, Plan, Reply, RunRecord, TrialRecord
from tuneproof.records.answer import ArmName
from tuneproof.records.bases import BaseChoices
from tuneproof.records.export import TargetName
from tuneproof.rundir import RunDir

Until = Literal["replay", "train", "drift", "report"]


class AnswerRequest(NamedTuple):
    """Questions for a run's model."""

    run: Path
    file: Path
    arm: ArmName = "tuned"
    max_new_tokens: int | None = None
    """None: the longest that the run allowed a test answer."""
    out: Path | None = None
    """Where the replies are written as well, an object a line."""
    settings: Sequence[str] = ()
    """`KEY=VALUE`, on top of the run's config: how the file is read."""


class BlameRequest(NamedTuple):
    """An answer of a run's tuned model that is to be explained."""

    run: Path
    item: str
    """Id of a probe or of a test row; `lost` for every lost answer of the verdict."""
    top: int = 5
    """Rows wanted; a record keeps 20 at least."""


class ExportRequest(NamedTuple):
    """A run's model that is to be exported, or whose exports are to be proven again."""

    run: Path
    targets: Sequence[TargetName]
    dtype: str | None = None
    """Type of the weights: `f32`, `f16`, `bf16`; for GGUF `q8_0` and so on. None: the run's own, for GGUF F16."""
    base: str | None = None
    """Another base than the run's, as `NAME` or `NAME@COMMIT`: the proof then tells whether it answers as well."""
    base_id: str | None = None
    """What the base is called on a hub, where the run was given a folder."""
    items: int = 20
    """Test items that are answered."""
    check: bool = False
    """Only prove what lies in the folders."""
    settings: Sequence[str] = ()
    """`KEY=VALUE`, on top of the run's config."""


class RunRequest(NamedTuple):
    """What to run, where, and the command line as typed (for the report)."""

    config: RunConfig
    out: Path
    command: str
    restart: bool = False
    """Remove the records of the folder and start over."""
    until: Until = "report"
    """Last stage of the chain to do."""
    fork: bool = False
    """Where the folder belongs to another experiment, begin a new run beside it, from its weights."""


class SearchPlan(NamedTuple):
    """What a search tries."""

    names: list[str]
    """Of its trials."""
    rung: int
    """Optimizer steps after which trials are first compared."""
    most: int
    """Steps of the longest trial, at most."""


def run_all(request: RunRequest, progress: Progress) -> RunDir:
    """The whole chain; goes on where it stopped. Raises any TuneproofError."""
    from tuneproof.pipeline.start import start_run

    return start_run(request, progress)


def resume_run(path: Path, progress: Progress, until: Until = "report", store: str | None = None) -> RunDir:
    """Go on with a run folder by its own config; with one that is not here, by its copy at `store`. Raises RunError
    when it is no run folder, or its data changed."""
    from tuneproof.pipeline.start import continue_run

    if store is not None and not RunDir(path).has(RunRecord):
        fetch_copy(path, store)
    return continue_run(open_run(path), progress, until, store)


def fetch_copy(path: Path, store: str) -> RunDir:
    """The run folder, with what its copy at `store` has beyond it. Raises UsageError, RunError."""
    from tuneproof.pipeline.mirror import fetch_run

    run = RunDir(path)
    with run.lock():
        fetch_run(run, store)
    return open_run(path)


def check_data(config: RunConfig, progress: Progress, clean: Path | None = None) -> DataReport:
    """The data doctor, without a run folder; with `model.name` rows are counted in its tokens.

    `clean`: the file or folder that the repaired data is written to. Raises UsageError where that is an input file.
    """
    from tuneproof.pipeline.doctor import check_files
    from tuneproof.pipeline.incoming import hold_stdin, name_again, pin_names

    with hold_stdin(pin_names(config)) as held:
        return name_again(check_files(held.config, progress, clean), held)


def plan_run(config: RunConfig, progress: Progress, *, cards: bool = False, ranks: int = 1) -> Plan:
    """What fits on each of so many devices, without a run folder and without weights; `cards`: what common cards would
    do, too."""
    from tuneproof.pipeline.incoming import hold_stdin, pin_names
    from tuneproof.pipeline.recall import KeptPlan

    with hold_stdin(pin_names(config)) as held:
        kept = KeptPlan(held.config, cards=cards, ranks=ranks)
        plan = kept.load()
        if plan is None:
            from tuneproof.pipeline.preview import preview_plan

            plan = kept.save(preview_plan(held.config, progress, cards=cards, ranks=ranks))
        return plan


def report_run(path: Path, language: Language) -> Path:
    """Write `report.html` again from the run folder."""
    from tuneproof.report import write_report

    return write_report(open_run(path), language)


def compare_runs(paths: Sequence[Path]) -> Comparison:
    """Every further run against the first, on the items that the two share. Raises UsageError or RunError."""
    from tuneproof.pipeline.compare import compare_folders

    return compare_folders(paths)


def answer_file(request: AnswerRequest, progress: Progress) -> list[Reply]:
    """Answers to a file of questions, in its order. Raises any TuneproofError."""
    from tuneproof.pipeline.answer import answer_questions

    return answer_questions(request, progress)


def blame_item(request: BlameRequest, progress: Progress) -> list[Blame]:
    """The training rows that did most to change an answer, or each lost one. Raises any TuneproofError."""
    from tuneproof.pipeline.blame import blame_items

    return blame_items(request, progress)


def export_run(request: ExportRequest, progress: Progress) -> list[Export]:
    """The run's model in other tools' forms, each with its proof. Raises any TuneproofError."""
    from tuneproof.pipeline.export import export_targets

    return export_targets(request, progress)


def lead_or_follow(lead: Callable[[], int]) -> int:
    """As one of several processes: the first does `lead`, the others follow it. Returns this one's exit code."""
    from tuneproof.pipeline.crew import lead_or_follow as take_part

    return take_part(lead)


def ask_stop(number: int) -> None:
    """Stop the training that goes on in another thread of this process, as by this signal."""
    from tuneproof.training.guards import ask_stop as ask

    ask(number)


def plan_search(path: Path) -> SearchPlan:
    """The trials of a run's search, once it has its replay."""
    from tuneproof.pipeline.search import list_points

    points = list_points(open_run(path))
    return SearchPlan([trial.name for trial in points.trials], points.rung, points.most)


def try_point(path: Path, name: str, hear: Callable[[int, float], None]) -> TrialRecord:
    """Train one trial of a search, or go on with it; `hear` gets steps and select score at each rung."""
    from tuneproof.pipeline.search import try_point

    return try_point(path, name, hear)


def note_point(path: Path, record: TrialRecord, *, halved: bool) -> None:
    """Keep what a trial of a search came to; the caller holds the run."""
    from tuneproof.pipeline.search import note_point

    note_point(path, record, halved=halved)


def halve_point(path: Path, name: str) -> None:
    """Keep that a trial of a search was ended early; the caller holds the run."""
    from tuneproof.pipeline.search import halve_point

    halve_point(path, name)


def adopt_best(path: Path) -> None:
    """Make the best trial's training the run's own; the caller holds the run. Raises RunError where none ended."""
    from tuneproof.pipeline.search import adopt_best

    adopt_best(path)


def require_gpus(count: int) -> None:
    """Raise UsageError unless this machine has so many GPUs to start a process on each."""
    from tuneproof.model.hardware import require_gpus as require

    require(count)


def inspect_machine() -> dict[str, object]:
    """Versions, device, memory, disk, what is missing: for `tuneproof doctor`."""
    from tuneproof.pipeline.machine import describe_machine

    return describe_machine()


def list_bases(limit: int | None) -> BaseChoices:
    """Base models that are good first choices, against `limit` bytes or what this device has free."""
    from tuneproof.pipeline.bases import list_bases

    return list_bases(limit)


def open_run(path: Path) -> RunDir:
    """The run folder at `path`. Raises RunError when it holds no run."""
    run = RunDir(path)
    if not run.has(RunRecord):
        raise RunError("run.not_a_run", where=str(path))
    return run
