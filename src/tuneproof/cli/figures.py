"""Numbers as the terminal writes them: `tuneproof.figures` in characters that every console has.

format_points(-0.031)  ->  "-3.1 points"
"""

from __future__ import annotations

from tuneproof import figures

Interval = tuple[float, float]


def format_signed(share: float | None) -> str:
    """A difference of shares in points with its sign: `+62.3`, `-3.1`, `0.0`."""
    return figures.to_plain(figures.format_signed(share))


def format_points(share: float | None) -> str:
    """A difference of shares with sign and unit."""
    return figures.to_plain(figures.format_points(share))


def format_interval(interval: Interval | None) -> str:
    """Both ends of an interval of differences, in points: `+54.0 to +70.5`."""
    return figures.to_plain(figures.format_interval(interval))


def format_percent(share: float | None) -> str:
    """A share in per cent: `66.4 %`."""
    return figures.to_plain(figures.format_percent(share))


def format_range(interval: Interval | None) -> str:
    """Both ends of an interval of shares: `61.0 % to 71.2 %`."""
    return figures.to_plain(figures.format_range(interval))


def format_p(number: float | None) -> str:
    """A p-value with its sign of comparison: `p = 0.03`, `p < 0.001`; never 0."""
    text = figures.to_plain(figures.format_p(number))
    if number is None:
        return f"p: {text}"
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def format_bytes(number: int | None) -> str:
    """Bytes in the unit of `--memory`: `1.62 GB`, `312 MB`."""
    return figures.to_plain(figures.format_bytes(number))


def format_seconds(number: float | None) -> str:
    """A duration: `0.4 s`, `48 s`, `4 min 12 s`, `1 h 05 min`."""
    return figures.to_plain(figures.format_seconds(number))


def format_count(number: int | None) -> str:
    """A whole number with separators: `1,234`."""
    return figures.to_plain(figures.format_count(number))
