"""What `check` found, on one screen: counts, the findings by kind and their first places, tasks, lengths, the split.

In: a DataReport. Out: something rich can print. The whole list is in `--json` and in a run's data/report.json.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import format_count, format_percent
from tuneproof.cli.screens.frame import Cell, Gauge, make_facts, make_part, make_table
from tuneproof.cli.words import clean_text, quote_line
from tuneproof.messages import tell
from tuneproof.records import CleanSummary, DataReport, Finding, Likeness
from tuneproof.records.data import Side

SEVERITIES = ("error", "warning", "info")
STYLES = {"error": "red", "warning": "yellow", "info": "dim"}
KINDS_SHOWN = 12
PLACES_SHOWN = 8
TABLES = (".csv", ".tsv", ".xlsx")
NAMES_SHOWN = 8
LIKENESS = ("side", "gap", "lengths", "auc", "by_chance", "stratum")


def draw_check(report: DataReport) -> RenderableType:
    """The data doctor's screen."""
    headline = tell("cli.check.headline", rows=f"{report.rows:,}", usable=f"{report.usable:,}", files=len(report.files))
    parts = [make_part(headline, make_facts(_list_facts(report)))]
    parts.append(_draw_findings(report))
    if report.lengths:
        parts.append(_draw_lengths(report))
    if report.split is not None:
        parts.append(_draw_split(report))
    if report.clean is not None:
        parts.append(_draw_clean(report.clean))
    return Group(*parts)


def _list_facts(report: DataReport) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [(tell("report.fact.files"), clean_text(", ".join(report.files)))]
    if report.tokens.max is not None:
        sizes = {name: format_count(getattr(report.tokens, name)) for name in ("p50", "p95", "max")}
        facts.append((tell("report.fact.tokens"), tell("report.fact.tokens_values", **sizes)))
        facts.append((tell("report.fact.supervised"), format_percent(report.tokens.supervised_share)))
    if report.tasks:
        facts.append((tell("report.fact.tasks"), _list_counts(report.tasks)))
    if report.languages:
        facts.append((tell("report.fact.languages"), _list_counts(report.languages)))
    return facts


def _list_counts(counts: dict[str, int]) -> str:
    """`invoice 120, reply 80`, the most frequent first."""
    common = Counter(counts).most_common(NAMES_SHOWN)
    shown = ", ".join(f"{quote_line(name, 40)} {count:,}" for name, count in common)
    left = len(counts) - len(common)
    return f"{shown}, {tell('cli.more', n=left)}" if left else shown


def _draw_findings(report: DataReport) -> RenderableType:
    """A row a kind, the gravest first: what its gravest one is, what to do about it, and where they are."""
    if not report.counts:
        return make_part(tell("report.no_findings"))
    kinds: dict[str, list[Finding]] = {}
    for finding in sorted(report.findings, key=lambda one: SEVERITIES.index(one.severity)):
        kinds.setdefault(finding.kind, []).append(finding)
    kinds |= {kind: [] for kind in report.counts if kind not in kinds}
    names = _name_files(report.files)
    shown = list(kinds.items())[:KINDS_SHOWN]
    rows = [_list_kind(kind, report.counts.get(kind, 0), found, names) for kind, found in shown]
    table = make_table([tell(f"cli.check.{name}") for name in ("kind", "severity", "count", "what")], rows, (2,))
    notes = [tell("cli.more", n=len(kinds) - KINDS_SHOWN)] if len(kinds) > KINDS_SHOWN else []
    if any(file.lower().removesuffix(".gz").endswith(TABLES) for file in report.files):
        notes.append(tell("cli.check.counted"))
    return make_part(tell("cli.check.findings", n=f"{sum(report.counts.values()):,}"), table, *notes)


def _name_files(files: list[str]) -> dict[str, str]:
    """File -> its last part, where no two are alike: the whole paths stand above, and places must not be torn apart."""
    short = {file: Path(file).name for file in files}
    return short if len(set(short.values())) == len(short) else {}


def _list_kind(kind: str, count: int, found: list[Finding], names: dict[str, str]) -> list[Cell]:
    if not found:
        return [kind, "", f"{count:,}", ""]
    worst = found[0]
    try:
        told = worst.told()
    except KeyError:  # An older run, whose finding lacks a value that the sentence asks for.
        told = (worst.message, worst.fix)
    severity = Text(tell(f"cli.severity.{worst.severity}"), style=STYLES[worst.severity])
    what = [Text(quote_line(one, 160)) for one in told]
    return [kind, severity, f"{count:,}", Group(*what, Text(_list_places(found, count, names), style="dim"))]


def _list_places(found: list[Finding], count: int, names: dict[str, str]) -> str:
    """`rows.jsonl:61:9, 64, 70, and 3 more`: the gravest first, a file's name where it is another one."""
    places, before = [], ""
    for one in found[:PLACES_SHOWN]:
        place = one.place.removeprefix(one.file)
        places.append(place[1:] if one.file == before else clean_text(names.get(one.file, one.file)) + place)
        before = one.file
    left = count - len(places)
    return ", ".join([*places, *([tell("cli.more", n=f"{left:,}")] if left > 0 else [])])


def _draw_lengths(report: DataReport) -> RenderableType:
    most = max(report.lengths)
    rows: list[list[Cell]] = [
        [f"{low:,}-{high - 1:,}", f"{count:,}", Gauge(count / most if most else 0.0)]
        for (low, high), count in zip(pairwise(report.length_edges), report.lengths, strict=False)
    ]
    return make_part(tell("cli.check.lengths"), make_table([tell("cli.check.characters"), "n", ""], rows, (0, 1)))


def _draw_split(report: DataReport) -> RenderableType:
    assert report.split is not None
    sizes = {side: f"{getattr(report.split, side):,}" for side in ("train", "select", "test")}
    effect = report.split.minimum_detectable_effect
    if effect is None:
        said = tell("cli.check.no_test")
    else:
        said = tell("report.detectable", effect=tell("report.points", number=f"{effect * 100:.1f}"))
    parts: list[Cell] = [tell("cli.check.sides", **sizes), said]
    if report.split.likeness:
        parts += [_draw_likeness(report.split.likeness), tell("report.likeness")]
    return make_part(tell("report.split"), *parts)


def _draw_likeness(likeness: dict[Side, Likeness]) -> RenderableType:
    rows: list[list[Cell]] = []
    for side, like in likeness.items():
        auc = tell("report.not_measured") if like.auc is None else f"{like.auc:.2f}"
        gap = f"{100 * like.largest_gap:.1f}"
        chance = f"{like.chance[0]:.2f} - {like.chance[1]:.2f}"
        stratum = quote_line(like.stratum, 40)
        rows.append([tell(f"report.side.{side}"), gap, f"{like.length_distance:.2f}", auc, chance, stratum])
    return make_table([tell(f"report.column.{name}") for name in LIKENESS], rows, (1, 2, 3, 4))


def _draw_clean(clean: CleanSummary) -> RenderableType:
    counts = {name: f"{getattr(clean, name):,}" for name in ("repaired", "left_out", "left_in")}
    facts: list[tuple[str, Cell]] = [
        (tell("cli.clean.files"), clean_text(", ".join(clean.files))),
        (tell("cli.clean.log"), clean_text(clean.log)),
    ]
    headline = tell("cli.clean.headline", written=f"{clean.written:,}")
    return make_part(headline, tell("cli.clean.counts", **counts), make_facts(facts))
