"""How a run stands right now, read from its folder alone: stage, time left, loss, scores, memory, samples, notes.

In: a run folder, the process that works in it. Out: a Live, from which the page is drawn; the page asks again every
second, and gets only the parts that changed.

    live = gather_live(run, find_worker(run), time.time())
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import psutil

from tuneproof.errors import RunError
from tuneproof.figures import tell_said
from tuneproof.messages import Language, load_catalogue
from tuneproof.records import Answer, Candidate, Plan, RunRecord, Selection, Standing
from tuneproof.report.charts import thin_out
from tuneproof.report.page import find_peak, read_losses
from tuneproof.rundir import RunDir
from tuneproof.web.life import State, measure_resident, state_of

STAGES = (
    "check", "plan", "rehearse", "base", "replay", "probe", "train", "select", "tuned", "drift", "verdict", "cure",
    "trials", "report",
)  # fmt: skip
"""In the order of the chain; one that a run neither planned nor began is not shown."""
SPEED_STEPS = 20
"""Steps whose speed is told: the last ones."""
SAMPLES = 3
NOTES = 50
Mark = Literal["done", "now", "ahead"]


class StageLine(NamedTuple):
    """One stage of the run: how it stands, and its seconds as planned and as they were."""

    name: str
    mark: Mark
    planned: float | None
    real: float | None


class Speed(NamedTuple):
    """Of the last steps, a second each."""

    tokens: float
    trained: float
    step_seconds: float


class Sample(NamedTuple):
    """One select item: the base's answer, and those of the candidates in the order they were made."""

    base: Answer
    tuned: list[tuple[str, Answer]]


@dataclass(frozen=True)
class Live:
    """Everything that the page of a run at work shows."""

    record: RunRecord
    state: State
    plan: Plan | None
    standing: Standing | None
    """None where no stage is at work."""
    stages: list[StageLine]
    left: float | None
    """Seconds until the end, by the plan and by what has been measured; None where neither tells."""
    spent: float
    losses: list[tuple[int, float]]
    speed: Speed | None
    selection: Selection | None
    """As recorded; before that, the candidates that have answered so far, none chosen."""
    resident: int | None
    samples: list[Sample]
    notes: list[dict[str, Any]]

    @property
    def peak(self) -> int | None:
        """The highest measured peak so far, in bytes, as the report has it."""
        return find_peak(self.record, self.plan)

    @property
    def share(self) -> float | None:
        """How far the stage at work is, 0 to 1."""
        if self.standing is None or not self.standing.total:
            return None
        return min(1.0, self.standing.done / self.standing.total)


def gather_live(run: RunDir, worker: psutil.Process | None, now: float) -> Live:
    """Read the folder. Raises RunError when run.json is missing or damaged; any other record may be."""
    record = run.load(RunRecord)
    plan, events = _find(run, Plan), run.load_events()
    state = state_of(run, record)
    standing = _find(run, Standing) if state == "running" else None
    speed = measure_speed(events)
    stages = line_up(record, plan, standing)
    return Live(
        record=record,
        state=state,
        plan=plan,
        standing=standing,
        stages=stages,
        left=estimate_left(stages, standing, speed, now) if state == "running" else None,
        spent=sum(stage.seconds for stage in record.stages.values()) + (now - standing.begun if standing else 0.0),
        losses=thin_out(read_losses(run)),
        speed=speed,
        selection=_find(run, Selection) or gather_candidates(run),
        resident=measure_resident(worker),
        samples=gather_samples(run),
        notes=[event for event in events if event.get("kind") in ("said", "end")][-NOTES:],
    )


def _find(run: RunDir, kind: Any) -> Any:
    try:
        return run.load(kind) if run.has(kind) else None
    except RunError:
        return None


def line_up(record: RunRecord, plan: Plan | None, standing: Standing | None) -> list[StageLine]:
    """The stages that are done, at work, or planned, in their order."""
    planned = plan.time.parts if plan is not None and plan.time is not None else {}
    current = standing.stage if standing else None
    lines = []
    for name in (*STAGES, *(stage for stage in record.stages if stage not in STAGES)):
        done = record.stages.get(name)
        if name == current:
            lines.append(StageLine(name, "now", planned.get(name), None))
        elif done is not None and done.seconds >= 0.05:
            lines.append(StageLine(name, "done", planned.get(name), done.seconds))
        elif done is None and name in planned:
            lines.append(StageLine(name, "ahead", planned[name], None))
    if standing is not None and current not in STAGES:
        # A stage inside another, such as loading the model: it stands behind what is done.
        at = next((index for index, line in enumerate(lines) if line.mark == "ahead"), len(lines))
        lines.insert(at, StageLine(standing.stage, "now", None, None))
    return lines


def measure_speed(events: list[dict[str, Any]]) -> Speed | None:
    """Tokens a second over the last steps, saves and pauses included; None before the second step."""
    steps = [event for event in events if event.get("kind") == "step" and "tokens" in event][-SPEED_STEPS - 1 :]
    if len(steps) < 2:
        return None
    seconds = steps[-1]["time"] - steps[0]["time"]
    if seconds <= 0:
        return None
    rest = steps[1:]
    tokens, trained = (sum(step[name] for step in rest) for name in ("tokens", "trained_tokens"))
    return Speed(tokens / seconds, trained / seconds, seconds / len(rest))


def estimate_left(stages: list[StageLine], standing: Standing | None, speed: Speed | None, now: float) -> float | None:
    """Seconds until the end: of the stage at work by its own speed, of those ahead by the plan."""
    if standing is None:
        return None
    ahead = sum(line.planned or 0.0 for line in stages if line.mark == "ahead")
    spent = max(now - standing.begun, 0.0)
    planned = next((line.planned for line in stages if line.mark == "now"), None)
    if standing.stage == "train" and standing.total and speed:
        return max(standing.total - standing.done, 0) * speed.step_seconds + ahead
    # The first moments say little: a tenth of the work, or what was planned.
    if standing.total and standing.done >= 0.1 * standing.total:
        return spent * max(standing.total - standing.done, 0) / standing.done + ahead
    if planned is not None:
        return max(planned - spent, 0.0) + ahead
    return ahead or None


def read_candidates(run: RunDir, kind: str = "select") -> list[tuple[int, float, list[Answer]]]:
    """(checkpoint, scale, answers) of those that have answered, in the order of their steps; `samples`: in training."""
    found = []
    for path in (run.path / "eval" / kind).glob("checkpoint-*.jsonl"):
        step, _, scale = path.stem.removeprefix("checkpoint-").partition("@")
        try:
            found.append((int(step), float(scale or 1), run.load_answers(kind, path.stem)))
        except (ValueError, RunError):
            continue
    return sorted(found, key=lambda one: (one[0], -one[1]))


def gather_candidates(run: RunDir) -> Selection | None:
    """The candidates' mean scores on the select items so far, before one is chosen."""
    asked = {answer.id for answer in _find_answers(run, "base", "select")}
    candidates = []
    for step, scale, answers in read_candidates(run):
        scores = [answer.score for answer in answers if answer.id in asked]
        if scores:
            mean = sum(scores) / len(scores)
            candidates.append(Candidate(checkpoint=step, scale=scale, n=len(scores), score=mean))
    return Selection(checkpoint=0, scale=0.0, reason="", candidates=candidates) if candidates else None


def gather_samples(run: RunDir) -> list[Sample]:
    """A few select items, one a task, with the answers of the base and of every checkpoint, in training and scored."""
    chosen: dict[str, Answer] = {}
    for answer in _find_answers(run, "base", "select"):
        chosen.setdefault(answer.task, answer)
    some = list(chosen.values())[:SAMPLES]
    said: dict[str, list[tuple[str, Answer]]] = {answer.id: [] for answer in some}
    scored = read_candidates(run)
    # What a checkpoint said in training is said again, and in full, when it is scored.
    sampled = [one for one in read_candidates(run, "samples") if one[:2] not in {other[:2] for other in scored}]
    for step, scale, answers in sorted([*scored, *sampled], key=lambda one: (one[0], -one[1])):
        for answer in answers:
            if answer.id in said:
                said[answer.id].append((f"{step}" if scale == 1 else f"{step} ×{scale:g}", answer))
    return [Sample(answer, said[answer.id]) for answer in some]


def _find_answers(run: RunDir, arm: str, suite: str) -> list[Answer]:
    try:
        return run.find_answers(arm, suite)
    except RunError:
        return []


def tell_note(event: dict[str, Any], language: Language) -> str:
    """What a run said, in the reader's language; as it stands where this version has no such sentence."""
    if event.get("kind") == "end":
        return str(event.get("error", ""))
    key, values = event.get("key"), event.get("values") or {}
    try:
        return tell_said(str(key), values, language) if key in load_catalogue() else str(key)
    except (KeyError, TypeError, ValueError, IndexError):
        return f"{key} {json.dumps(values, ensure_ascii=False)}"
