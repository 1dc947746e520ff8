"""Numbers in answers: is this text an amount, and which number does it end in?

An answer is judged by its last number, whatever stands around it: a currency, a unit, thousands set apart in the manner
of one country or another. Whole numbers are compared to the last digit, since a product that is off by one is wrong,
and so is a telephone number.

    ends_in_amount("Total: 37.50 EUR")                         # True
    last_number("That makes 1,234.5 kg")                       # Decimal("1234.5")
    compare_numbers("That makes 37.5 EUR", "Total: 37.50 EUR") # True
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Inside of a character class: scripts written without spaces, where a character counts as a word."""
TOLERANCE = 1e-6
"""Between numbers that are not whole, relative."""

_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d+|(?<!\d,)\d+,\d{1,2}(?![\d,])|\d+(?:\.\d+)?|\.\d+)"
_CURRENCY = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNH|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|KZT|MAD|MXN|MYR|NGN|NOK"
    "|NZD|PHP|PKR|PLN|QAR|RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
"""Codes (ISO 4217) that may stand before an amount: any three capitals would take an order's number for one."""
_CODED = re.compile(rf"\b({_CURRENCY})(?=\d)")
_RAISED = re.compile("[\u00b2\u00b3\u00b9\u2070-\u2089]")
"""Raised and lowered digits, which NFKC makes plain: the 2 of a square metre is no number of its own."""
_NUMBER = re.compile(rf"(?<![\d.])(?<![A-Za-z])(?:(?<![\w)])-)?(?:[$\u20ac\u00a3\u00a5]\s?)?{_AMOUNT}")
_UNIT = rf"(?:\s*(?:[%\u2030$\u20ac\u00a3\u00a5\u00b0]|[{CJK}]{{1,3}}|[^\W\d_{CJK}]{{1,20}})\.?){{0,2}}"
_VALUE = rf"[-+]?\s?(?:[$\u20ac\u00a3\u00a5]|{_CURRENCY}|US\$)?\s?(?!0\d){_AMOUNT}{_UNIT}"
_MARK = (
    r"(?:####|(?<!\d)[:=\u2248]|\b(?:is|are|equals|makes|total)\b|[\u4e3a\u662f\u5171\u5f97\u8ba1\u7ea6]|\u7b49\u4e8e)"
)
_NUMBER_ANSWER = re.compile(rf"(?:^|{_MARK})\s*\**{_VALUE}\**\s*[.!\u3002]?$")


def is_amount(text: str) -> bool:
    """Whether the text begins and ends with an amount: a number with its currency or unit."""
    return _NUMBER_ANSWER.match(_fold_digits(text)) is not None


def ends_in_amount(text: str) -> bool:
    """Whether the text is an amount or ends in one that is told as the answer: "Total: 37.50 EUR", "#### 42"."""
    return _NUMBER_ANSWER.search(_fold_digits(text)) is not None


def compare_numbers(answer: str, reference: str) -> bool | None:
    """Whether both end in the same number; None where the reference has none."""
    wanted, found = last_number(reference), last_number(answer)
    if wanted is None or found is None:
        return None if wanted is None else False
    whole = wanted == wanted.to_integral_value() and found == found.to_integral_value()
    return wanted == found or (not whole and math.isclose(found, wanted, rel_tol=TOLERANCE))


def _fold_digits(text: str) -> str:
    """Full-width digits, minus signs and separators in their ASCII form; no raised digits, a space after a currency."""
    spaced = re.sub(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))", "", _RAISED.sub("", text))
    return _CODED.sub(r"\1 ", unicodedata.normalize("NFKC", spaced).replace("\u2212", "-")).strip()


def last_number(text: str) -> Decimal | None:
    """The number after the last "####" where there is one (GSM8K), else the last number; None without a number."""
    before, mark, after = _fold_digits(text).rpartition("####")
    found = _NUMBER.findall(after if mark else before + after)
    if not found:
        return None
    digits = re.sub(r"[^\d.,-]", "", found[0] if mark else found[-1])
    if re.fullmatch(r"-?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2})", digits):
        digits = digits.replace(".", "").replace(",", ".")
    return Decimal(digits.replace(",", ""))
