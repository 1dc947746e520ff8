"""Findings about sums: every `a op b = c` in an answer is computed again, in exact fractions.

Only what is beyond doubt is judged: both sides are plain numbers, the result may be rounded at its last digit, and
what a sum can mean otherwise (units, clocks, other bases, added percentages) is left alone.

    list(find_wrong_sums("48/2 = 24, so 3 x 24 = 75"))  # [("3 x 24 = 75", Fraction(72, 1))]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

from tuneproof.data.findings import Case, note_defect, quote_text
from tuneproof.records import Finding

NUMBER = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,20})?|\d{1,20}(?:\.\d{1,20})?|\.\d{1,20}"
SUM_LETTERS = "0123456789()+-*/^%.,$€£¥ x"
OPENERS = "([{<:;,。、=\"'“‘"
"""What may stand right before a sum; a letter would make its first number part of a name."""
SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "X": "x", "∗": "*", "\t": " "})
TOKEN = re.compile(rf"\s*(?:({NUMBER})|([-+*/^%()x]))")
RESULT = re.compile(rf"\s*[$€£¥]?\s*(-?)\s*[$€£¥]?\s*({NUMBER})(?:\s?(%))?")
GOES_ON = re.compile(
    r"\s*[-+*/^x(:]\s*[$€£¥]?\s*[\d(.]|[\w:]|[,.]\d|\s+\d|\s*(?:hundred|thousand|million|billion|trillion|dozen|remainder"
    r"|cents?\b|percent|[kmrxyn]\b|bn\b|[百千万亿余模多])|\s*\.\.|…",
    re.IGNORECASE,
)
OTHER_RULES = re.compile(
    r"binary|octal|hexadecimal|\bbase[- ]?\d|\bmod(?:ulo)?\b|o'clock|puzzle|riddle|进制|取模|谜", re.IGNORECASE
)
FUNCTION = re.compile(r"(?:\b(?:log|ln|sin|cos|tan|sqrt|lim|exp|mod)|[A-Za-z_]\w*\s*[-+*/^]|\d\s+and)\s*$")
LONGEST_SUM = 200
LARGEST = 10**15
"""Beyond it people write powers of ten and round as they like."""


def find_wrong_arithmetic(case: Case) -> Iterator[Finding]:
    """The first wrong sum of the answer."""
    if "=" not in case.answer and "＝" not in case.answer:
        return
    if OTHER_RULES.search(case.prompt) or OTHER_RULES.search(case.answer):
        return
    for told, right in find_wrong_sums(case.answer):
        yield note_defect(case, "wrong_arithmetic", "warning", sum=quote_text(told), right=write_number(right))
        return


def find_wrong_sums(text: str) -> Iterator[tuple[str, Fraction]]:
    """Each wrong sum as it is written, and what it comes to."""
    for line in unicodedata.normalize("NFKC", text).replace("**", "^").translate(SIGNS).split("\n"):
        for equals in re.finditer(r"(?<![=<>!~:+*/-])=(?![=>])", line):
            left, right = find_left(line, equals.start()), RESULT.match(line, equals.end())
            if left and right and not GOES_ON.match(line, right.end()):
                value = compute_sum(left)
                if value is not None and abs(value) < LARGEST and not agrees(value, right, left):
                    yield line[equals.start() - len(left) : right.end()].strip(), value


def find_left(line: str, end: int) -> str:
    """The sum that ends at `end`, or "" where it may be the end of something else."""
    near = line[max(0, end - LONGEST_SUM) : end]
    before = near.rstrip(SUM_LETTERS)
    found = near[len(before) :]
    if not before and end > LONGEST_SUM:
        return ""
    parts = re.split(r"(?<=[,.])\s+" if before.strip() else r"(?<=[,.])\s+|^\s*[-+*]\s+", found)
    if len(parts) > 1:
        return parts[-1]
    last, spaced = before[-1:], found.startswith(" ")
    if not last:
        return found
    if found.lstrip()[:1] in tuple("+-*/^x%)"):
        return ""
    if (last.isascii() and last.isalnum()) or last == "_":
        return found if spaced and not FUNCTION.search(before) else ""
    clock = last == ":" and before[-2:-1].isdigit() and not spaced
    return found if not clock and (spaced or last in OPENERS or last.isalpha()) else ""


def compute_sum(text: str) -> Fraction | None:
    """The value of a sum with at least one operator, or None where it is none or could be read in two ways."""
    tokens = read_tokens(text)
    if not any(token in "+-*/^x" for token in tokens[1:]) or ("%" in tokens and {"+", "-"} & set(tokens)):
        return None
    reader = SumReader(tokens)
    try:
        value = reader.read_terms()
    except (ValueError, ZeroDivisionError, RecursionError):
        return None
    return value if reader.at == len(tokens) else None


def read_tokens(text: str) -> list[str]:
    """Numbers and signs; none at all where a number has a leading zero (a date, a code) or a character is unknown."""
    plain, tokens, at = re.sub("[$€£¥]", "", text).rstrip(), [], 0
    while at < len(plain):
        match = TOKEN.match(plain, at)
        if match is None or re.match(r"0\d", match[1] or ""):
            return []
        tokens.append(match[1] or match[2])
        at = match.end()
    return tokens


class SumReader:
    """Reads tokens by the usual order: powers, then products, then sums. Raises ValueError where they make no sum."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def take(self, signs: str) -> str:
        """The next token if it is one of `signs`, else ""."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not token or token not in signs:
            return ""
        self.at += 1
        return token

    def read_terms(self) -> Fraction:
        """Products, added and subtracted; the first may be negative."""
        value = -self.read_factors() if self.take("-") else self.read_factors()
        while sign := self.take("+-"):
            value += self.read_factors() if sign == "+" else -self.read_factors()
        return value

    def read_factors(self) -> Fraction:
        """Powers, multiplied and divided from left to right."""
        value = self.read_power()
        while sign := self.take("*/x"):
            value = value / self.read_power() if sign == "/" else value * self.read_power()
        return value

    def read_power(self) -> Fraction:
        """A number or bracket, perhaps a percentage, perhaps raised to a small whole power."""
        value = self.read_number()
        if self.take("%"):
            value /= 100
        if self.take("^"):
            exponent = self.read_number()
            if exponent.denominator != 1 or exponent > 64:
                raise ValueError("no small whole power")
            value = value ** int(exponent)
        return value

    def read_number(self) -> Fraction:
        """A number, or a sum in brackets."""
        if self.take("("):
            value = self.read_terms()
            if not self.take(")"):
                raise ValueError("open bracket")
            return value
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        self.at += 1
        return Fraction(token.replace(",", ""))


def agrees(value: Fraction, result: re.Match[str], left: str) -> bool:
    """Whether a result is the value, rounded up or down at its last digit.

    "25/50 = 50%" and "25/50*100 = 50%" both pass, and so does the length of a span: "2019-2021 = 2".
    """
    digits = result[2].replace(",", "")
    told = Fraction(digits) * (-1 if result[1] else 1)
    step = Fraction(1, 10 ** len(digits.partition(".")[2]))
    readings = [value, value * 100] if result[3] else [value]
    if re.fullmatch(r"\s*\d+\s*-\s*\d+\s*", left):
        readings.append(-value)
    return any(
        told == reading or ((reading / step).denominator > 1 and abs(told - reading) < step) for reading in readings
    )


def write_number(value: Fraction) -> str:
    """A fraction as people write it: whole, or with up to four decimals."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.4f}".rstrip("0")
