"""The plan on one screen: does it fit, what takes the memory, what was chosen and turned down, how long it takes.

In: a Plan. Out: something rich can print.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import format_bytes, format_count, format_percent, format_seconds
from tuneproof.cli.screens.frame import Cell, Gauge, make_facts, make_list, make_part, make_table
from tuneproof.cli.words import clean_text, name_of, say_key
from tuneproof.figures import format_cut
from tuneproof.messages import tell
from tuneproof.records import MoreMemory, Plan, Settings

STYLES = {"fits": "bold green", "tight": "bold yellow", "no": "bold red"}
OTHERS_SHOWN = 5
CARD_COLUMNS = ("micro_batch", "checkpointing", "quantization", "answer_batch")


def draw_plan(plan: Plan) -> RenderableType:
    """The plan's screen."""
    peak, limit = format_bytes(plan.peak_bytes), format_bytes(plan.limit_bytes)
    share = format_percent(plan.peak_bytes / plan.limit_bytes) if plan.limit_bytes else tell("report.not_measured")
    verdict = Text(tell(f"report.grade.{plan.grade}"), style=STYLES[plan.grade])
    headline = Text(tell("cli.plan.headline", peak=peak, limit=limit, share=share))
    notes = [Text(one) for one in list_notes(plan)]
    parts: list[RenderableType] = [verdict, headline, *notes, Text(), _draw_memory(plan)]
    parts.append(_draw_phases(plan))
    parts.append(make_part(tell("report.settings"), make_facts(_list_settings(plan))))
    if plan.time is not None:
        parts.append(_draw_time(plan))
    if plan.alternatives:
        rows = [[say_key(one.change), format_bytes(one.peak_bytes)] for one in plan.alternatives[:OTHERS_SHOWN]]
        parts.append(make_part(tell("report.alternatives"), make_table(["", ""], rows, (1,))))
    if plan.more_memory is not None:
        parts.append(make_part(tell("cli.plan.more"), _tell_more(plan, plan.more_memory)))
    if plan.smaller_models:
        rows = [[clean_text(one.name), format_bytes(one.peak_bytes)] for one in plan.smaller_models]
        parts.append(make_part(tell("cli.plan.smaller"), make_table(["", ""], rows, (1,))))
    if plan.cards:
        parts.append(make_part(tell("cli.plan.cards"), _draw_cards(plan)))
    if plan.rejected:
        parts.append(_draw_rejected(plan))
    return Group(*parts)


def list_notes(plan: Plan) -> list[str]:
    """How the plan was found, and what in it is not exact."""
    notes = [tell(f"report.method.{plan.method}"), say_key(plan.why)]
    if plan.dimensions == "table":
        notes.append(tell("cli.plan.from_table"))
    if plan.lengths == "estimated":
        notes.append(tell("cli.plan.estimated_lengths"))
    if plan.time is not None and plan.time.estimated:
        probed = plan.time.speeds == "probed"
        notes.append(tell("cli.plan.speeds.probed" if probed else "cli.plan.speeds.remembered"))
    return notes


def _draw_phases(plan: Plan) -> RenderableType:
    full = max(plan.limit_bytes, plan.peak_bytes)
    phases = {name: size or 0 for name, size in plan.phases.model_dump().items()}
    rows: list[list[Cell]] = [
        [name_of("report.phase", name), format_bytes(size), Gauge(size / full)] for name, size in phases.items()
    ]
    return make_part(tell("cli.plan.phases"), make_table(["", "", ""], rows, (1,)))


def _tell_more(plan: Plan, more: MoreMemory) -> RenderableType:
    """What another gigabyte would change, and how much faster training would be."""
    changed = _list_differences(more.settings, plan.settings)
    if more.faster <= 1.01:
        return Text(changed)
    return Text(tell("cli.plan.faster", changed=changed, share=format_percent(1 - 1 / more.faster)))


def _draw_cards(plan: Plan) -> RenderableType:
    headings = ["", "", *(name_of("report.setting", name) for name in CARD_COLUMNS), tell("report.row.predicted")]
    rows: list[list[Cell]] = []
    for card in plan.cards:
        settings = card.settings.model_dump()
        values = [_write_value(settings[name]) if card.fits else "" for name in CARD_COLUMNS]
        verdict = Text(tell(f"cli.plan.card.{card.grade}"), style=STYLES[card.grade])
        # Makers write GB for 2^30 bytes.
        rows.append([f"{card.limit_bytes / 2**30:g} GiB", verdict, *values, format_bytes(card.peak_bytes)])
    return make_table(headings, rows, (0, len(headings) - 1))


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
    if plan.host_bytes:
        facts.append((tell("report.row.host"), format_bytes(plan.host_bytes)))
    return facts


def _write_value(value: object) -> str:
    """A setting as text: yes and no, a number, a name."""
    if isinstance(value, bool):
        return tell("report.yes" if value else "report.no")
    return format_count(value) if isinstance(value, int) else clean_text(str(value))


def _draw_time(plan: Plan) -> RenderableType:
    time = plan.time
    assert time is not None
    told = {"planned": format_seconds(time.seconds()), "limit": format_seconds(time.limit)}
    planned = tell("cli.plan.time" if time.limit else "cli.plan.time_free", **told)
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
        cut = [tell("report.cut_to_fit"), make_list(format_cut(one) for one in time.cut)]
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
