"""The closing summary of a run, on one screen: verdict, gain, what was forgotten, where things are, what to type next.

In: the verdict and the run folder. Out: something rich can print, lines to paste, and the same as plain data. The order
is the report's: verdict, gain, loss, next step.
"""

from __future__ import annotations

import shlex

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import (
    format_interval,
    format_p,
    format_percent,
    format_points,
    format_seconds,
    format_signed,
)
from tuneproof.cli.screens.frame import Cell, make_facts, make_list, make_part, make_table
from tuneproof.cli.words import clean_text, name_of, quote_line
from tuneproof.config.model import MODELSCOPE
from tuneproof.messages import current_language, tell
from tuneproof.records import LostItem, Retention, RunRecord, TaskResult, Verdict
from tuneproof.rundir import RunDir

STYLES = {"ship": "bold green", "dont_ship": "bold red", "not_enough_evidence": "bold yellow"}
LOST_SHOWN = 3
TASKS_SHOWN = 10


def describe_run(run: RunDir, verdict: Verdict) -> dict[str, object]:
    """The verdict's fields, and where run, adapter and report are."""
    places = {"run": run.path, "adapter": run.adapter, "report": run.report}
    return {**{name: str(path) for name, path in places.items()}, **verdict.model_dump(mode="json")}


def draw_summary(verdict: Verdict) -> RenderableType:
    """The closing screen."""
    parts: list[RenderableType] = [
        Text(tell(f"report.decision.{verdict.decision}"), style=STYLES[verdict.decision]),
        Text(clean_text(verdict.summary[current_language()])),
        Text(),
        make_part(tell("cli.run.numbers"), make_facts(_list_numbers(verdict))),
    ]
    if verdict.decision != "ship" and verdict.reasons:
        reasons = make_list(name_of("verdict.reason", reason) for reason in verdict.reasons)
        parts.append(make_part(tell("report.why"), reasons))
    if verdict.tasks:
        parts.append(_draw_tasks(verdict.tasks))
    if verdict.retention.lost_items:
        shown = verdict.retention.lost_items[:LOST_SHOWN]
        heading = tell("cli.run.lost", shown=len(shown), lost=verdict.retention.lost)
        parts.append(make_part(heading, *map(_draw_lost, shown)))
    return Group(*parts)


def list_steps(run: RunDir, record: RunRecord, model: str) -> list[str]:
    """Where things are, how long it took, and lines to paste; `model` is the base's name as the config has it."""
    seconds = sum(stage.seconds for stage in record.stages.values())
    base, found = ("demo_model_path()", "tuneproof.demo") if model == "demo" else (repr(model), "")
    if model.startswith(MODELSCOPE) or model.endswith(".gguf"):
        base, found = f"find_model({model!r}, weights=True)", "tuneproof.model.find"
    folder = shlex.quote(str(run.path))
    lost = run.load(Verdict).retention.lost_items
    return [
        tell("cli.run.report", place=run.report),
        tell("cli.run.adapter", place=run.adapter),
        tell("cli.run.took", time=format_seconds(seconds)),
        "",
        tell("cli.next"),
        *([f"  # {tell('cli.run.blame')}", f"  tuneproof blame {folder} lost"] if lost else []),
        f"  # {tell('cli.run.chat')}",
        f"  tuneproof chat {folder}",
        f"  # {tell('cli.run.use')}",
        *([f"  from {found} import {base.partition('(')[0]}"] if found else []),
        "  from peft import PeftModel; from transformers import AutoModelForCausalLM",
        f"  base = AutoModelForCausalLM.from_pretrained({base})",
        f"  model = PeftModel.from_pretrained(base, {str(run.adapter)!r})",
    ]


def _list_numbers(verdict: Verdict) -> list[tuple[str, Cell]]:
    task, lost = verdict.task, verdict.retention
    scores = {"base": format_percent(task.base), "tuned": format_percent(task.tuned)}
    gain = tell("cli.run.scores", gain=format_points(task.delta), **scores)
    evidence = tell("cli.run.evidence", interval=format_interval(task.ci95), n=task.n, p=format_p(task.p_value))
    facts: list[tuple[str, Cell]] = [(tell("report.number.gain"), f"{gain}\n{evidence}")]
    if task.control is not None:
        name = name_of("report.control", task.control.kind)
        lead = tell(
            "cli.run.control",
            name=name,
            score=format_percent(task.control.score),
            lead=format_points(task.control.delta),
            interval=format_interval(task.control.ci95),
        )
        facts.append((tell("report.number.control"), lead))
    facts.append((tell("report.number.lost"), _tell_loss(lost)))
    if verdict.degeneration_failed:
        failed = "; ".join(name_of("report.measure", name) for name in verdict.degeneration_failed)
        facts.append((tell("report.topic.degeneration"), tell("cli.run.degenerate", measures=failed)))
    if verdict.rows_needed is not None:
        key = "report.rows_needed" if verdict.open_on_test else "report.probes_needed"
        facts.append((tell("cli.run.needed"), tell(key, n=f"{verdict.rows_needed:,}")))
    return facts


def _tell_loss(retention: Retention) -> str:
    """Answers lost and gained, and the net with its bound."""
    if not retention.n:
        return tell("report.not_measured")
    told = {"n": retention.n, "lost": retention.lost, "gained": retention.gained, "right": retention.base_right}
    net, upper = retention.net_loss or 0.0, format_percent(retention.loss_upper95)
    key = "cli.run.net_gain" if net < 0 else "cli.run.net_loss"
    return tell("cli.run.forgotten", **told) + "\n" + tell(key, net=format_percent(abs(net)), upper=upper)


def _draw_tasks(tasks: list[TaskResult]) -> RenderableType:
    """The worst first, so that a long list hides no loss."""
    ordered = sorted(tasks, key=lambda task: task.delta if task.delta is not None else 0.0)
    rows = [
        [
            quote_line(task.task, 32),
            str(task.n),
            format_percent(task.base),
            format_percent(task.tuned),
            format_signed(task.delta),
            format_interval(task.ci95),
        ]
        for task in ordered[:TASKS_SHOWN]
    ]
    columns = ("cli.run.task", "cli.run.n", "report.arm.base", "report.arm.tuned", "cli.run.gain", "cli.run.interval")
    table = make_table([tell(key) for key in columns], rows, (1, 2, 3, 4, 5))
    left = len(ordered) - TASKS_SHOWN
    return make_part(tell("report.topic.gain"), table, *([tell("cli.more", n=left)] if left > 0 else []))


def _draw_lost(item: LostItem) -> RenderableType:
    """A question, and both answers: text of models, never markup."""
    return make_facts(
        [
            (tell("report.prompt"), quote_line(item.prompt)),
            (f"  {tell('report.base')}", quote_line(item.base)),
            (f"  {tell('report.tuned')}", quote_line(item.tuned)),
            (f"  {tell('cli.run.item')}", quote_line(item.id)),
        ]
    )
