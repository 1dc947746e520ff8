"""Numbers as report and terminal write them: a sign, a unit, a real minus; "not measured" where there is no number.

In: numbers of the records (shares and differences 0 to 1, bytes, seconds); the language (default: the one in use). Out:
text. `to_plain` turns its minus and spaces into characters that every console has.

    format_points(-0.031, "en")  ->  "−3.1 points"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from tuneproof.messages import Language, load_catalogue, tell

MINUS = "\u2212"
SPACE = "\u00a0"


def format_signed(share: float | None, language: Language | None = None) -> str:
    """A difference of shares in points with its sign, without a unit: `+62.3`, `−3.1`, `0.0`."""
    if share is None:
        return tell("report.not_measured", language)
    text = f"{share * 100:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", MINUS)


def format_unsigned(share: float | None, language: Language | None = None) -> str:
    """A number of points that is no change, so without a plus: `2.0 points` lost, a gap of `2.1 points`."""
    return format_points(share, language).removeprefix("+")


def format_points(share: float | None, language: Language | None = None) -> str:
    """A difference of shares with its sign and unit."""
    if share is None:
        return tell("report.not_measured", language)
    return tell("report.points", language, number=format_signed(share, language))


def format_interval(interval: tuple[float, float] | None, language: Language | None = None) -> str:
    """Both ends of an interval of differences, in points: `+54.0 to +70.5`."""
    if interval is None:
        return tell("report.not_measured", language)
    low, high = (format_signed(end, language) for end in interval)
    return tell("report.interval", language, low=low, high=high)


def format_percent(share: float | None, language: Language | None = None) -> str:
    """A share in per cent: `66.4 %`."""
    if share is None:
        return tell("report.not_measured", language)
    return tell("report.percent", language, number=f"{share * 100:.1f}".replace("-", MINUS))


def format_range(interval: tuple[float, float] | None, language: Language | None = None) -> str:
    """Both ends of an interval of shares: `61.0 % to 71.2 %`."""
    if interval is None:
        return tell("report.not_measured", language)
    low, high = (format_percent(end, language) for end in interval)
    return tell("report.interval", language, low=low, high=high)


def format_count(number: int | None, language: Language | None = None) -> str:
    """A whole number with separators: `1,234`."""
    return tell("report.not_measured", language) if number is None else f"{number:,}".replace("-", MINUS)


def format_decimal(number: float | None, language: Language | None = None) -> str:
    """A plain number with four digits that count, and all digits before the point: `0.8412`, `12.5`, `20,480`."""
    if number is None:
        return tell("report.not_measured", language)
    return (f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}").replace("-", MINUS)


def format_p(number: float | None, language: Language | None = None) -> str:
    """A p-value: two digits that count, never 0."""
    if number is None:
        return tell("report.not_measured", language)
    return "<" + SPACE + "0.001" if number < 0.001 else f"{number:.2g}"


def format_bytes(number: int | None, language: Language | None = None) -> str:
    """Bytes in the decimal unit of `--memory`, so that a limit is shown as it was given: `1.62 GB`, `312 MB`."""
    if number is None:
        return tell("report.not_measured", language)
    if number >= 10**9:
        return f"{number / 10**9:.2f}{SPACE}GB"
    if number >= 10**6:
        return f"{number / 10**6:.0f}{SPACE}MB"
    return f"{number / 10**3:.0f}{SPACE}KB" if number >= 10**3 else f"{number}{SPACE}B"


def format_seconds(number: float | None, language: Language | None = None) -> str:
    """A duration: `0.4 s`, `48 s`, `4 min 12 s`, `1 h 05 min`."""
    if number is None:
        return tell("report.not_measured", language)
    if number < 10:
        return tell("report.seconds", language, seconds=f"{number:.1f}")
    whole = round(number)
    if whole < 60:
        return tell("report.seconds", language, seconds=whole)
    if whole < 3600:
        key = "report.minutes" if whole % 60 else "report.whole_minutes"
        return tell(key, language, minutes=whole // 60, seconds=whole % 60)
    return tell("report.hours", language, hours=whole // 3600, minutes=f"{whole % 3600 // 60:02d}")


def format_date(timestamp: float, language: Language | None = None) -> str:
    """Date and time of day in UTC: `2026-11-23 19:07 UTC`, in every language."""
    return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


DURATIONS = {"time", "train"}
"""Values of a sentence that are seconds where they are numbers."""


def format_cut(cut: str, language: Language | None = None) -> str:
    """What was cut to end in time, in words: `epochs 3 -> 1.4` becomes `passes over the rows: 3 -> 1.4`."""
    found = re.fullmatch(r"([a-z -]+) (\S+)( s)? -> (\S+?)(?: s)?", cut)
    key = "report.lever." + found[1].replace("-", "_").replace(" ", "_") if found else ""
    if found is None or key not in load_catalogue():
        return cut
    before, after = (tell("report.seconds", language, seconds=n) if found[3] else n for n in (found[2], found[4]))
    return tell(key, language, before=before, after=after)


def tell_said(key: str, values: Mapping[str, Any], language: Language | None = None) -> str:
    """A sentence that a stage said, as it is kept in a run's events: what was cut and seconds get their words here."""
    told = dict(values)
    if key == "time.cut":
        told["cut"] = format_cut(str(values.get("cut", "")), language)
    for name in DURATIONS & values.keys():
        if not isinstance(values[name], str):
            told[name] = to_plain(format_seconds(values[name], language))
    return tell(key, language, **told)


def to_plain(text: str) -> str:
    """The text without the typographic minus and space, which old consoles (cp936) do not have."""
    return text.replace(MINUS, "-").replace(SPACE, " ")


def format_percent_whole(share: float | None, language: Language | None = None) -> str:
    """As `format_percent`, for a page: the line does not break before the sign."""
    text = format_percent(share, language)
    return text if share is None else text.replace(" ", SPACE)


FORMATS: dict[str, Callable[..., str]] = {
    "date": format_date,
    "signed": format_signed,
    "points": format_points,
    "unsigned": format_unsigned,
    "interval": format_interval,
    "percent": format_percent_whole,
    "count": format_count,
    "decimal": format_decimal,
    "p": format_p,
    "bytes": format_bytes,
    "seconds": format_seconds,
}
