"""Sizes and durations as people type them: `6GB`, `6GiB`, `90s`, `20min`, `1h30min`.

In: text and the option it was given to. Out: whole bytes, or seconds. What cannot be read is a UsageError that names
the option and shows how to write it.

    parse_size("6GB", "--memory")       # 6_000_000_000
    parse_duration("7min", "--time")    # 420.0
"""

from __future__ import annotations

import math
import re

from tuneproof.errors import UsageError

SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([kmgt]i?b|b)\s*", re.IGNORECASE)
DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(h|min|m|s)\s*", re.IGNORECASE)
DECIMAL = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
BINARY = {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
UNITS = {**DECIMAL, **BINARY}
SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_size(text: str, option: str) -> int:
    """Bytes of a size: `GB` is 10^9 as on a card's box, `GiB` is 2^30.

    A number without a unit is refused: 6 may mean bytes or gigabytes. Raises UsageError.
    """
    found = SIZE.fullmatch(text)
    size = float(found[1]) * UNITS[found[2].lower()] if found else 0.0
    if not 1 <= size < 2**63:
        raise UsageError("cli.bad_size", where=option, text=text)
    return round(size)


def parse_duration(text: str, option: str) -> float:
    """Seconds of a duration; parts may follow each other, as in `1h30min`. Raises UsageError."""
    parts = DURATION.findall(text)
    seconds = sum(float(number) * SECONDS[unit.lower()] for number, unit in parts)
    if not re.fullmatch(f"(?:{DURATION.pattern})+", text, re.IGNORECASE) or not 0 < seconds < math.inf:
        raise UsageError("cli.bad_duration", where=option, text=text)
    return seconds
