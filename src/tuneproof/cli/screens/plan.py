"""The plan on one screen: does it fit, what takes the memory, what was chosen and turned down, how long it takes.

In: a Plan. Out: something rich can print.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import format_bytes, format_count, format_percent, format_seconds
from tuneproof.cli.screens.frame import Cell, Gauge, make_facts, make_list, make_part, make_table
from tuneproof.cli.words import clean_text, name_of, say_key
from tuneproof.messages import tell
from tuneproof.records import Plan, Settings

STYLES = {"fits": "bold green", "tight": "bold yellow", "no": "bold red"}
OTHERS_SHOWN = 5


def draw_plan(plan: Plan) -> RenderableType:
    """The plan's screen."""
    peak, limit = format_bytes(plan.peak_bytes), format_bytes(plan.limit_bytes)
    share = format_percent(plan.peak_bytes / plan.limit_bytes) if plan.limit_bytes else tell("report.not_measured")
    verdict = Text(tell(f"report.grade.{plan.grade}"), style=STYLES[plan.grade])
    headline = Text(tell("cli.plan.headline", peak=peak, limit=limit, share=share))
    method = Text(tell(f"report.method.{plan.method}"))
    parts: list[RenderableType] = [verdict, headline, method, Text(), _draw_memory(plan)]
    parts.append(make_part(tell("report.settings"), make_facts(_list_settings(plan))))
    if plan.time is not None:
        parts.append(_draw_time(plan))
    if plan.alternatives:
        rows = [[say_key(one.change), format_bytes(one.peak_bytes)] for one in plan.alternatives[:OTHERS_SHOWN]]
        parts.append(make_part(tell("report.alternatives"), make_table(["", ""], rows, (1,))))
    if plan.rejected:
        parts.append(_draw_rejected(plan))
    return Group(*parts)


def _draw_memory(plan: Plan) -> RenderableType:
    full = max(plan.limit_bytes, plan.peak_bytes)
    sizes = {name: size for name, size in plan.parts.model_dump().items() if size}
    rows: list[list[Cell]] = [
        [name_of("report.part", name), format_bytes(size), Gauge(size / full)] for name, size in sizes.items()
    ]
    rows.append([tell("report.row.predicted"), format_bytes(plan.peak_bytes), Gauge(plan.peak_bytes / full)])
    rows.append([tell("report.row.limit"), format_bytes(plan.limit_bytes), Gauge(plan.limit_bytes / full, style="dim")])
    heading = tell("cli.plan.memory", model=clean_text(plan.model), device=clean_text(plan.device))
    return make_part(heading, make_table(["", "", ""], rows, (1,)))


def _list_settings(plan: Plan) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [
        (name_of("report.setting", name), _write_value(value)) for name, value in plan.settings.model_dump().items()
    ]
    facts.append((tell("report.row.steps"), format_count(plan.steps)))
    facts.append((tell("cli.plan.seconds"), format_seconds(plan.seconds)))
    facts.append((tell("report.row.disk"), format_bytes(plan.disk_bytes)))
    return facts


def _write_value(value: object) -> str:
    """A setting as text: yes and no, a number, a name."""
    if isinstance(value, bool):
        return tell("report.yes" if value else "report.no")
    return format_count(value) if isinstance(value, int) else clean_text(str(value))


def _draw_time(plan: Plan) -> RenderableType:
    time = plan.time
    assert time is not None
    planned = tell("cli.plan.time", planned=format_seconds(time.seconds()), limit=format_seconds(time.limit))
    rows = [[name_of("stage", stage), format_seconds(seconds)] for stage, seconds in time.parts.items()]
    sizes = tell(
        "cli.plan.sizes",
        epochs=f"{time.epochs:g}",
        candidates=time.candidates,
        select=time.select_rows,
        test=time.test_rows,
        retention=time.retention_items,
    )
    cut: list[Cell] = [tell("report.nothing_cut")]
    if time.cut:
        cut = [tell("report.cut_to_fit"), make_list(say_key(one) for one in time.cut)]
    return make_part(planned, make_table(["", ""], rows, (1,)), sizes, *cut)


def _draw_rejected(plan: Plan) -> RenderableType:
    rows = [
        [format_bytes(one.peak_bytes), say_key(one.why), _list_differences(one.settings, plan.settings)]
        for one in plan.rejected[:OTHERS_SHOWN]
    ]
    return make_part(tell("report.rejected"), make_table(["", "", ""], rows, (0,)))


def _list_differences(other: Settings, chosen: Settings) -> str:
    """In what a rejected setting differs from the chosen one."""
    kept = chosen.model_dump()
    changed = {name: value for name, value in other.model_dump().items() if value != kept[name]}
    return ", ".join(f"{name_of('report.setting', name)}: {_write_value(value)}" for name, value in changed.items())
