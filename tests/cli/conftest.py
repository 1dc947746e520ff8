"""A pipeline that needs no model: it keeps what it was asked, tells its progress, writes a small real run folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import tuneproof.pipeline
from tuneproof.cli import run_command
from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.errors import UsageError
from tuneproof.messages import Language, use_language
from tuneproof.pipeline import AnswerRequest, BlameRequest, ExportRequest, RunRequest, Until
from tuneproof.progress import Progress
from tuneproof.records import (
    Alternative,
    Answer,
    Blame,
    Comparison,
    Control,
    DataReport,
    Export,
    Finding,
    LostItem,
    Parts,
    Phases,
    Plan,
    Rejected,
    Reply,
    Retention,
    RunRecord,
    Settings,
    SplitSummary,
    StageRecord,
    TaskResult,
    TimePlan,
    TokenSummary,
    TrainingRecord,
    Verdict,
)
from tuneproof.records.bases import BaseChoices
from tuneproof.records.verdict import Decision
from tuneproof.rundir import RunDir

HOSTILE = "[bold red]owned[/bold red] :warning: \x1b[2J\x07\u202eevil"
"""Markup, an emoji code, terminal commands and a reversed word, as a model may answer."""
GIB = 2**30


class Outcome(NamedTuple):
    """How one command line ended."""

    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


class FakePipeline(ModuleType):
    """The verbs of `tuneproof.pipeline`, on records made here."""

    def __init__(self) -> None:
        super().__init__("tuneproof.pipeline")
        requests = (RunRequest, AnswerRequest, BlameRequest, ExportRequest)
        self.__dict__.update({request.__name__: request for request in requests})
        self.questions: list[AnswerRequest] = []
        self.requests: list[RunRequest] = []
        self.resumed: list[tuple[Path, str]] = []
        self.configs: list[RunConfig] = []
        self.languages: list[Language] = []
        self.failure: BaseException | None = None
        self.decision: Decision = "ship"
        self.plan = make_plan()

    def run_all(self, request: RunRequest, progress: Progress) -> RunDir:
        self.requests.append(request)
        return self._work(request.out, request.config, progress)

    def resume_run(self, path: Path, progress: Progress, until: Until = "report", store: str | None = None) -> RunDir:
        self.resumed.append((path, until))
        return self._work(path, RunConfig(), progress)

    def check_data(self, config: RunConfig, progress: Progress, clean: Path | None = None) -> DataReport:
        self._begin(config, progress)
        return make_report()

    def plan_run(self, config: RunConfig, progress: Progress, *, cards: bool = False, ranks: int = 1) -> Plan:
        self._begin(config, progress)
        return self.plan

    def report_run(self, path: Path, language: Language) -> Path:
        self.languages.append(language)
        return tuneproof.pipeline.report_run(path, language)

    def compare_runs(self, paths: Sequence[Path]) -> Comparison:
        return Comparison(first=str(paths[0]), model=None, correction="none", runs=[])

    def answer_file(self, request: AnswerRequest, progress: Progress) -> list[Reply]:
        self.questions.append(request)
        self._begin(RunConfig(), progress)
        said = [(1, "fine"), (2, HOSTILE)]
        return [Reply(id=f"q{n}", line=n, prompt="说吧?", answer=text, tokens=1, finish="end") for n, text in said]

    def blame_item(self, request: BlameRequest, progress: Progress) -> list[Blame]:
        return []

    def export_run(self, request: ExportRequest, progress: Progress) -> list[Export]:
        return []

    def list_bases(self, limit: int | None) -> BaseChoices:
        return BaseChoices(device="cpu", dtype="float32", limit_bytes=limit or GIB, tokens=1024, rank=16, bases=[])

    def inspect_machine(self) -> dict[str, object]:
        return {
            "versions": {"python": "3.11.7"},
            "device": {"kind": "cpu", "name": HOSTILE, "dtype": "float32", "threads": 2},
            "memory": {"total": 8 * GIB, "free": 6 * GIB},
            "extras": {"web": False, "excel": True},
            "demo_model": False,
            "hub": {"HF_HOME": None},
            "warnings": ["evil.pth"],
        }

    def require_gpus(self, count: int) -> None:
        raise UsageError("hardware.few_gpus", where="--gpus", asked=count, found=0)

    def _begin(self, config: RunConfig, progress: Progress) -> None:
        self.configs.append(config)
        if self.failure is not None:
            raise self.failure
        print("a library talks")  # noqa: T201 - what libraries do
        progress.begin("check", 2)
        progress.advance(2)
        progress.end("check")

    def _work(self, path: Path, config: RunConfig, progress: Progress) -> RunDir:
        self._begin(config, progress)
        progress.show_mask([("ask", False), (HOSTILE, True)], 1, 2)
        return make_run(path, config, self.decision)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    """The fake in the place of `tuneproof.pipeline`."""
    fake = FakePipeline()
    monkeypatch.setitem(sys.modules, "tuneproof.pipeline", fake)
    return fake


@pytest.fixture(autouse=True)
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide screen without colours in an empty folder; English again for what comes after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    use_language("en")


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """A data file with one row, by its name."""
    (tmp_path / "rows.jsonl").write_text('{"instruction": "ask", "output": "answer"}\n', encoding="utf-8")
    return "rows.jsonl"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command line: `call("check", rows).code`."""

    def perform(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run_command(arguments)
        return Outcome(code, *capsys.readouterr())

    return perform


def make_run(path: Path, config: RunConfig, decision: Decision = "ship") -> RunDir:
    """A small but complete run folder."""
    run = RunDir(path)
    run.save(make_record())
    run.save(make_verdict(decision))
    settled = config.model_copy(deep=True)
    settled.model.name = config.model.name or "demo"
    run.config.write_text(dump_config(settled), encoding="utf-8")
    for arm, right in (("base", 1), ("tuned", 3)):
        for suite in ("test", "retention"):
            run.save_answers(arm, suite, [make_answer(number, number < right) for number in range(4)])
    return run


def make_record() -> RunRecord:
    """run.json of a run that trained."""
    training = TrainingRecord(
        rows=9, tokens=100, trained_tokens=40, steps=3, seconds=61.0, peak_bytes=GIB, final_loss=1.25,
        rows_per_rank=[9], replay_rows=2,
    )  # fmt: skip
    return RunRecord(
        status="done",
        command="tuneproof run",
        fingerprint={},
        versions={},
        device="cpu",
        seed=17,
        created=0.0,
        stages={"train": StageRecord(status="done", seconds=61.0), "base": StageRecord(status="done", seconds=14.0)},
        training=training,
    )


def make_answer(number: int, right: bool) -> Answer:
    """One kept answer."""
    return Answer(
        id=f"row-{number}", task="task", scorer="exact", prompt="p", reference="r", answer="a", score=float(right),
        right=right, tokens=3, finish="end" if right else "length",
    )  # fmt: skip


def make_verdict(decision: Decision = "ship") -> Verdict:
    """A verdict with text of a model that would break a terminal."""
    control = Control(kind="few_shot", score=0.31, delta=0.35, ci95=(0.2, 0.5))
    task = TaskResult(
        metric="macro", n=135, base=0.05, tuned=0.66, delta=0.61, ci95=(0.52, 0.69), p_value=0.0001,
        better=90, worse=4, same=41, control=control,
    )  # fmt: skip
    lost = [
        LostItem(id=f"probe-{n}", family="facts", prompt=f"Question {n}?", reference="r", base="right", tuned=HOSTILE)
        for n in range(5)
    ]
    retention = Retention(
        n=240, base_right=150, lost=9, gained=4, p_value=0.27, loss_upper95=0.05, net_loss=0.0208, lost_items=lost
    )
    return Verdict(
        decision=decision,
        summary={"en": f"It gained. {HOSTILE}", "zh": "有提升。"},
        reasons=["gain_real", "loss_small"],
        task=task,
        tasks=[task.model_copy(update={"task": "invoice [b]x[/b]"}), task.model_copy(update={"delta": None})],
        retention=retention,
        degeneration={},
        degeneration_failed=["seq_rep_4"],
        minimum_detectable_effect=0.13,
        rows_needed=None if decision == "ship" else 400,
        seed=17,
    )


def make_report() -> DataReport:
    """What `check` found: a defect of each severity."""
    return DataReport(
        rows=120,
        usable=118,
        files=["rows.jsonl"],
        tokens=TokenSummary(p50=40, p95=90, max=130, supervised_share=0.4),
        split=SplitSummary(train=80, select=18, test=20, minimum_detectable_effect=0.34),
        findings=[
            Finding(
                kind="pii",
                severity="warning",
                file="rows.jsonl",
                line=3,
                message=f"A number: {HOSTILE}",
                fix="Remove it.",
            ),
            Finding(kind="empty_output", severity="error", file="rows.jsonl", line=7, message="Empty.", fix="Fill it."),
        ],
        counts={"pii": 1, "empty_output": 1},
        tasks={"invoice": 70, "reply": 48},
        languages={"en": 118},
        lengths=[20, 98],
        length_edges=[0, 25, 50],
    )


def make_plan(grade: str = "fits") -> Plan:
    """A plan with everything that can be shown."""
    settings = Settings(
        micro_batch=4, accumulation=2, max_tokens=512, checkpointing=False, quantization="none", dtype="float32",
        packing=True, loss_chunk=256,
    )  # fmt: skip
    parts = Parts(weights=540_000_000, adapter=20_000_000, activations=300_000_000)
    time = TimePlan(
        limit=420, spent=20, train_speed=900, generate_speed=60, parts={"base": 90, "train": 200}, epochs=2,
        candidates=3, select_rows=20, test_rows=100, retention_items=200, cut=["fewer epochs"],
    )  # fmt: skip
    return Plan.model_validate(
        {
            "model": "demo",
            "device": "cpu",
            "limit_bytes": 4 * GIB,
            "fits": grade != "no",
            "grade": grade,
            "peak_bytes": parts.total(),
            "phases": Phases(),
            "parts": parts,
            "settings": settings,
            "steps": 120,
            "seconds": 200.0,
            "disk_bytes": 100_000_000,
            "alternatives": [Alternative(change="micro_batch 2", peak_bytes=700_000_000)],
            "rejected": [
                Rejected(settings=settings.model_copy(update={"micro_batch": 8}), peak_bytes=5 * GIB, why="too large")
            ],
            "time": time,
        }
    )
