"""The frame of the data doctor: what a check gets, and how it says what it found.

A check is one small function over this frame: a row check gets one `Case`, a set check gets all of them (`Cases`, in
traits.py); both yield findings. To add one, write it in the file of its theme, list it in `jobs.py` (ROW_CHECKS) or
`check.py` (SET_CHECKS), and give it two sentences in `messages/data.py`: `finding.KIND` and `finding.KIND.fix` (or
`finding.KIND.VARIANT` for a kind with several faces).

    def find_shouting(case: Case) -> Iterator[Finding]:
        if case.answer.isupper():
            yield note_defect(case, "echo", "warning", variant="shouting")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuneproof.records import Finding, Row
from tuneproof.records.data import FindingKind, Severity

Value = str | int | float


@dataclass(frozen=True)
class Case:
    """A row, and the texts of it that the checks read."""

    row: Row
    prompt: str
    """All user turns, joined by line ends."""
    answer: str
    """The last answer."""


RowCheck = Callable[[Case], Iterator[Finding]]


def make_case(row: Row) -> Case:
    """The row with the texts that the checks read."""
    prompt = "\n".join(message.content for message in row.messages if message.role == "user")
    return Case(row=row, prompt=prompt, answer=row.reference)


def make_finding(
    kind: FindingKind,
    severity: Severity,
    place: tuple[str, int],
    values: Mapping[str, Value] | None = None,
    related: Sequence[int] = (),
) -> Finding:
    """A finding at `place` (file, 1-based line), told in the language in use. `values["variant"]` picks it."""
    file, line = place
    told = {name: plain_text(value) if isinstance(value, str) else value for name, value in (values or {}).items()}
    finding = Finding(
        kind=kind,
        severity=severity,
        file=plain_text(file),
        line=line,
        related=list(related),
        message="",
        fix="",
        values=told,
    )
    message, fix = finding.told()
    return finding.model_copy(update={"message": message, "fix": fix})


def note_defect(
    case: Case, kind: FindingKind, severity: Severity, *, related: Sequence[int] = (), **values: Value
) -> Finding:
    """A finding about one row."""
    return make_finding(kind, severity, (case.row.file, case.row.line), values, related)


def plain_text(text: str) -> str:
    """`text` with half characters (of a file name, of broken bytes) written out, so that it can be shown and stored."""
    return text.encode("utf-8", "backslashreplace").decode()


def quote_text(text: str, limit: int = 60) -> str:
    """`text` on one line, cut to `limit` characters, for use in a sentence."""
    flat = re.sub(r"\s+", " ", text).strip()
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
