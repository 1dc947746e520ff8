"""A value of a Parquet file or of a spreadsheet's cell -> what JSON would have in its place, as the user sees it.

write_value(datetime(2024, 1, 5, 9, 30))  # "2024-01-05 09:30:00"
write_cell(42.0)                          # "42"
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tuneproof.data.parse import JsonNumber

DIGITS = 15
"""Significant digits that a spreadsheet keeps and shows."""


def write_value(value: object) -> object:
    """Text, truth values, lists and structures as they are; a number with its digits; a moment as `write_moment` does.

    Missing values and NaN, by which tables write them, become null. Bytes are taken as UTF-8 text. Raises
    UnicodeDecodeError for bytes that are none.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return [write_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): write_value(item) for key, item in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else JsonNumber(repr(value))
    if isinstance(value, (int, Decimal)):
        return JsonNumber(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return write_moment(value)


def write_cell(value: object) -> str:
    """The text of a cell: a whole number without a point, 15 digits at most, TRUE and FALSE, dates in ISO's order.

    The cell's own number format (percent, currency, leading zeros) is not known to the reader and not followed.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        whole = float(value).is_integer() and abs(value) < 10**DIGITS
        return str(int(value)) if whole else format(value, f".{DIGITS}g")
    return write_moment(value)


def write_moment(value: object) -> str:
    """`2024-01-05`, `2024-01-05 09:30:00`, `09:30:00`, and `26:00:00` for a duration; all else by its own text."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        hours, rest = divmod(abs(seconds), 3600)
        return f"{'-' if seconds < 0 else ''}{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return str(value)
