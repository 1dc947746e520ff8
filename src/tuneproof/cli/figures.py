"""Numbers as the terminal writes them, in characters that every console has; "not measured" where there is no number.

In: numbers of the records (shares and differences 0 to 1, bytes, seconds). Out: text in the language in use.

    format_points(-0.031)  ->  "-3.1 points"
"""

from __future__ import annotations

from tuneproof.messages import tell

Interval = tuple[float, float]


def format_signed(share: float | None) -> str:
    """A difference of shares in points with its sign: `+62.3`, `-3.1`, `0.0`."""
    if share is None:
        return tell("report.not_measured")
    text = f"{share * 100:+.1f}"
    return "0.0" if float(text) == 0 else text


def format_points(share: float | None) -> str:
    """A difference of shares with sign and unit."""
    return tell("report.not_measured") if share is None else tell("report.points", number=format_signed(share))


def format_interval(interval: Interval | None) -> str:
    """Both ends of an interval of differences, in points: `+54.0 to +70.5`."""
    if interval is None:
        return tell("report.not_measured")
    return tell("report.interval", low=format_signed(interval[0]), high=format_signed(interval[1]))


def format_percent(share: float | None) -> str:
    """A share in per cent: `66.4 %`."""
    return tell("report.not_measured") if share is None else tell("report.percent", number=f"{share * 100:.1f}")


def format_range(interval: Interval | None) -> str:
    """Both ends of an interval of shares: `61.0 % to 71.2 %`."""
    if interval is None:
        return tell("report.not_measured")
    return tell("report.interval", low=format_percent(interval[0]), high=format_percent(interval[1]))


def format_p(number: float | None) -> str:
    """A p-value with its sign of comparison: `p = 0.03`, `p < 0.001`; never 0."""
    if number is None:
        return f"p: {tell('report.not_measured')}"
    return "p < 0.001" if number < 0.001 else f"p = {number:.2g}"


def format_bytes(number: int | None) -> str:
    """Bytes in the binary unit that memory is shown in: `1.62 GiB`, `312 MiB`."""
    if number is None:
        return tell("report.not_measured")
    if number >= 2**30:
        return f"{number / 2**30:.2f} GiB"
    return f"{number / 2**20:.0f} MiB" if number >= 2**20 else f"{number / 2**10:.0f} KiB"


def format_seconds(number: float | None) -> str:
    """A duration: `0.4 s`, `48 s`, `4 min 12 s`, `1 h 05 min`."""
    if number is None:
        return tell("report.not_measured")
    whole = round(number)
    if whole < 60:
        return tell("report.seconds", seconds=f"{number:.1f}" if number < 10 else whole)
    if whole < 3600:
        return tell("report.minutes", minutes=whole // 60, seconds=whole % 60)
    return tell("report.hours", hours=whole // 3600, minutes=f"{whole % 3600 // 60:02d}")


def format_count(number: int | None) -> str:
    """A whole number with separators: `1,234`."""
    return tell("report.not_measured") if number is None else f"{number:,}"
