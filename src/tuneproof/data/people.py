"""Findings about people: identity and card numbers (their check digits must be right), phone numbers, e-mail addresses.

What is found is shown with its middle covered. Numbers and addresses that are reserved for examples are `info` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tuneproof.data.findings import Case, note_defect
from tuneproof.records import Finding

CHINESE_ID = re.compile(
    r"(?<![\dA-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
)
CARD = re.compile(r"(?<![\d.-])[3-6]\d{3}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,3})?(?![\d.])")
SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
PHONES = re.compile(
    r"(?<![\d.+-])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![\d.-]*\d)"
    r"|(?<![\d.+-])0\d{2,3}-[2-9]\d{6,7}(?![\d-])"
    r"|(?<![\d.+(-])(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[1-9]\d{2}[.-])\d{3}[.-]\d{4}(?![\d-])"
    r"|(?<![\d.+])\+(?!86|1\b)[1-9]\d{0,2}(?:[ .-]?\(?\d{2,4}\)?){2,4}(?![\d-])"
)
EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![\w-])", re.ASCII)
RESERVED = re.compile(
    r"@(?:[\w-]+\.)*(?:example|test|invalid|localhost|domain|email|mail|company|abc|xyz|yourcompany)\b|@example\."
    r"|\b555[ ).-]|^\(?123\D*456\D*7890$",
    re.IGNORECASE,
)
"""Domains of RFC 2606 and what people write in their stead, the exchange 555, the number 123-456-7890."""
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def find_people(case: Case) -> Iterator[Finding]:
    """One finding a row that holds data about people: the first of the gravest sort."""
    text = "\n".join(message.content for message in case.row.messages)
    if "@" not in text and not any(digit in text for digit in "0123456789"):
        return
    examples = []
    for sort, pattern, is_real in SORTS:
        for match in pattern.finditer(text):
            if not is_real(match.group()):
                continue
            if RESERVED.search(match.group()):
                examples.append((sort, match.group()))
                continue
            yield note_defect(case, "pii", "warning", variant=sort, text=cover_middle(match.group()))
            return
    for sort, found in examples[:1]:
        yield note_defect(case, "pii", "info", variant=sort, text=cover_middle(found))


def cover_middle(text: str) -> str:
    """The first and last two characters, the rest covered."""
    return text[:2] + "*" * max(0, len(text) - 4) + text[-2:]


def is_chinese_id(text: str) -> bool:
    """The check digit of GB 11643-1999 (ISO 7064, mod 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(text, ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


def is_card(text: str) -> bool:
    """Luhn's check digit, for 13 to 19 digits that are not all alike."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 2 and sum(doubled) % 10 == 0


def is_any(text: str) -> bool:
    """No check digit to check."""
    return bool(text)


SORTS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("id", CHINESE_ID, is_chinese_id),
    ("card", CARD, is_card),
    ("social", SOCIAL_SECURITY, is_any),
    ("phone", PHONES, is_any),
    ("email", EMAIL, is_any),
)
