"""One plain view of a run folder: the records that are there, and the lists that the page makes of them.

In: a run folder with at least run.json. Out: a Page; a record that is missing is None, a list that is missing is empty.

    page = gather_page(RunDir(Path("runs/first")), "en")
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Container
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from tuneproof.messages import Language, tell
from tuneproof.records import Answer, Blame, DataReport, Finding, Plan, RunRecord, Selection, Split, Trials, Verdict
from tuneproof.records.beside import HarnessRecord, JudgeRecord
from tuneproof.report.advice import Advice, Known, advise
from tuneproof.report.answers import Item, pair_answers
from tuneproof.report.charts import thin_out
from tuneproof.rundir import RunDir

Record = TypeVar("Record", bound=BaseModel)
# Of one kind; data/report.json has all of them, and nobody reads a page of ten thousand duplicates.
FINDINGS_SHOWN = 100
NOTHING = 0.05
"""Seconds below which a stage had nothing to do: they would be shown as 0.0."""
SEVERITIES = ("error", "warning", "info")


class ToldFinding(NamedTuple):
    """A finding with its sentences in the page's language."""

    finding: Finding
    message: str
    fix: str


class FindingGroup(NamedTuple):
    """Findings of one kind: how many there are, and the first of them."""

    kind: str
    severity: str
    total: int
    shown: list[ToldFinding]


class PhasePeak(NamedTuple):
    """Peak bytes of a phase: as planned, as it was."""

    name: str
    planned: int | None
    real: int | None

    @property
    def error(self) -> float | None:
        """By which share the plan was off."""
        return self.planned / self.real - 1 if self.planned and self.real else None


class StageTime(NamedTuple):
    """Seconds of a stage: as planned, as it was."""

    name: str
    planned: float | None
    real: float | None


@dataclass(frozen=True)
class Page:
    """Everything the templates show."""

    name: str
    folder: str
    run: RunRecord
    verdict: Verdict | None
    data: DataReport | None
    split: Split | None
    plan: Plan | None
    selection: Selection | None
    judge: JudgeRecord | None
    harness: HarnessRecord | None
    config: str | None
    items: list[Item]
    tasks: list[str]
    gained: list[tuple[Answer, Answer]]
    """Retention items that only the tuned model answers right: (base, tuned)."""
    blamed: dict[str, Blame]
    """Lost item -> the training rows that pushed its answer, as far as `tuneproof blame` has been asked."""
    findings: list[FindingGroup]
    losses: list[tuple[int, float]]
    measured_peak: int | None
    phases: list[PhasePeak]
    stages: list[StageTime]
    next_commands: list[str]
    advice: list[Advice]
    """What the verdict's reasons ask for."""
    trials: Trials | None
    """What further runs inside this one have shown."""

    @property
    def blame_command(self) -> str:
        """What ranks the training rows for every lost answer."""
        return f"tuneproof blame {shlex.quote(self.folder)} lost"


def gather_page(run: RunDir, language: Language) -> Page:
    """Read the folder. Raises RunError when run.json is missing or any record is damaged."""
    record, plan, data = run.load(RunRecord), _load(run, Plan), _load(run, DataReport)
    verdict, trials = _load(run, Verdict), _load(run, Trials)
    items = pair_answers(_load_answers(run, "base", "test"), _load_answers(run, "tuned", "test"))
    return Page(
        name=run.name,
        folder=str(run.path),
        run=record,
        verdict=verdict,
        data=data,
        split=_load(run, Split),
        plan=plan,
        selection=_load(run, Selection),
        judge=_load(run, JudgeRecord),
        harness=_load(run, HarnessRecord),
        config=run.config.read_text(encoding="utf-8", errors="replace") if run.config.is_file() else None,
        items=items,
        tasks=sorted({item.base.task for item in items}),
        gained=find_gained(
            _load_answers(run, "base", "retention"),
            _load_answers(run, "tuned", "retention"),
            verdict.retention.left_out if verdict else (),
        ),
        blamed=find_blamed(run, verdict),
        findings=group_findings(data.findings, language) if data else [],
        losses=thin_out(read_losses(run)),
        measured_peak=find_peak(record, plan),
        phases=line_up_phases(plan),
        stages=line_up_stages(record, plan),
        next_commands=suggest_commands(run, record, language),
        advice=advise(verdict, Known(record, plan, trials), str(run.path), language) if verdict else [],
        trials=trials,
    )


def _load(run: RunDir, kind: type[Record]) -> Record | None:
    return run.load(kind) if run.has(kind) else None


def _load_answers(run: RunDir, arm: str, suite: str) -> list[Answer]:
    return run.load_answers(arm, suite) if run.answers_path(arm, suite).is_file() else []


def find_gained(base: list[Answer], tuned: list[Answer], left_out: Container[str] = ()) -> list[tuple[Answer, Answer]]:
    """Items that the base answered wrong and the tuned model answers right; families left out do not count."""
    by_id = {answer.id: answer for answer in tuned if answer.right and answer.family not in left_out}
    return [(answer, by_id[answer.id]) for answer in base if not answer.right and answer.id in by_id]


def find_blamed(run: RunDir, verdict: Verdict | None) -> dict[str, Blame]:
    """What is known of the lost items; what was found for an answer that the run no longer gives is left out."""
    lost = {item.id: item.tuned for item in verdict.retention.lost_items} if verdict else {}
    return {blame.id: blame for blame in run.load_blames() if lost.get(blame.id) == blame.tuned}


def group_findings(findings: list[Finding], language: Language) -> list[FindingGroup]:
    """Findings by kind: errors first, then the most frequent."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    groups = []
    for kind, same in by_kind.items():
        worst = min((finding.severity for finding in same), key=SEVERITIES.index)
        shown = [tell_finding(finding, language) for finding in same[:FINDINGS_SHOWN]]
        groups.append(FindingGroup(kind, worst, len(same), shown))
    return sorted(groups, key=lambda group: (SEVERITIES.index(group.severity), -group.total))


def tell_finding(finding: Finding, language: Language) -> ToldFinding:
    """The finding in `language`; as recorded where this version has no such sentence, or the run no values."""
    try:
        message, fix = finding.told(language)
    except KeyError:
        message, fix = finding.message, finding.fix
    return ToldFinding(finding, message, fix)


def read_losses(run: RunDir) -> list[tuple[int, float]]:
    """Training loss by step, in nats; a step that a resumed run took again counts once, as it ended."""
    losses: dict[int, float] = {}
    for event in run.load_events():
        if event.get("kind") == "adopt":  # The steps that follow are those of the adapter that stands.
            losses.clear()
        loss = event.get("loss")
        if event.get("kind") == "step" and isinstance(loss, int | float) and math.isfinite(loss):
            losses[int(event["step"])] = float(loss)
    return sorted(losses.items())


def find_peak(record: RunRecord, plan: Plan | None) -> int | None:
    """The highest measured peak, in bytes; where only the training was measured, that one."""
    if plan and plan.measured.train and plan.measured.evaluate:
        return max(size for size in (plan.measured.load, plan.measured.train, plan.measured.evaluate) if size)
    if plan and plan.measured_peak_bytes is not None:
        return plan.measured_peak_bytes
    return record.training.peak_bytes if record.training else None


def line_up_phases(plan: Plan | None) -> list[PhasePeak]:
    """Planned and real peak of each phase; the rehearsal and the first step are held against the training's."""
    if plan is None:
        return []
    planned, real = plan.phases.model_dump(), plan.measured.model_dump()
    return [PhasePeak(name, planned.get(name, planned["train"]), real[name]) for name in real]


def line_up_stages(record: RunRecord, plan: Plan | None) -> list[StageTime]:
    """Planned and real seconds of each stage, in the order in which they ran; one with nothing to do is left out."""
    planned = plan.time.parts if plan and plan.time else {}
    names = dict.fromkeys([*record.stages, *planned])
    real = {name: stage.seconds for name, stage in record.stages.items()}
    lines = [StageTime(name, planned.get(name), real.get(name)) for name in names]
    return [line for line in lines if max(line.planned or 0, line.real or 0) >= NOTHING]


def suggest_commands(run: RunDir, record: RunRecord, language: Language) -> list[str]:
    """What to type next: go on with an unfinished run, else what a reader of the report asks for."""
    folder, other = shlex.quote(str(run.path)), "en" if language == "zh" else "zh"
    if run.has(Verdict):
        chat = [f"# {tell('cli.run.chat', language)}", f"tuneproof chat {folder}"]
        return [*chat, f"# {tell('report.translated', language)}", f"tuneproof report {folder} --lang {other}"]
    return [f"tuneproof eval {folder}"] if record.status == "done" else [record.command]
