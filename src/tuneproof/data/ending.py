"""Findings about how answers end: the ones that were cut off.

An open code fence, bracket or JSON text is cut for certain. Prose is cut when its last line stops at a comma or at a
word that wants another, or when it stops without a mark although its own sentences, or nearly all long answers of its
task, end with one. Titles, tables, tags, signatures and lists of names need no mark.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tuneproof.data.findings import Case, note_defect, quote_text
from tuneproof.data.language import count_han, width
from tuneproof.data.lexicon import Lexicon, learn_words
from tuneproof.data.traits import Cases
from tuneproof.records import Finding

LONG_ANSWER = 40
"""Characters, a Chinese one counted twice; shorter answers are values and phrases."""
LONG_LINE, SHORT_LINE, PARAGRAPH = 36, 20, 80
ITEM = re.compile(r"(?:\d+[.)、]|[-*•])\s*")
MARKED_SHARE = 0.8
"""Of a task's long answers: where so many end with a mark, one that does not was cut."""
ENDING, SHARED = 12, 3
"""An ending of 12 characters that three answers of a task share is a signature, no accident."""
CLOSERS = "\"'”’」』)）]】》*_`~ "
MARKS = ".!?。！？…"
WANTING = re.compile(
    r"(?:[,，、;；:：(（\[【{<《“‘「『=+&/-]"
    r"|\b(?:the|an?|and|or|of|to|in|for|with|that|is|are|was|were|be|by|as|at|from|on|but|if|which|who|your|our|their|its"
    r"|this|these|will|can|may|should|would|could|has|have|had|not|than|into|such|also|it|they|we|my|his|her|so)"
    r"|[和与及或在是为从把被将对向而但若且并以于的地得])$"
)
OPERATOR = re.compile(r"(?:[:：=+×÷&→]|\s[-–—/*<>]|->)$")
"""Signs that want something behind them in a line of any length."""
FREE_LINE = re.compile(
    r"^\s*[|<#]|[|>]\s*$|[#@]\w+[\"'”]?\s*$|[\"'”’]\s*[-–—]+[^!?。]{0,40}$|https?://\S+$|^\s*(?:\d+[.)、]|[-*•])?\s*[\"“'].*[\"”']$"
)
"""Table rows, HTML, headings, tags, links, quotations and who said them: they end as they like."""
GREETING = re.compile(
    r"[,，]$|\b(?:regards|sincerely|yours|thank|best|love|cheers|wishes)|此致|敬礼|敬上|谨上|祝|谢", re.IGNORECASE
)
"""A line behind which a name may stand alone."""
PAIRS = (("(（", ")）"), ("[【", "]】"), ("《", "》"), ("“", "”"), ("「", "」"))
SAMPLE = 10_000
"""Answers of all tasks that customs are learnt from; more teach next to nothing."""
FEWEST, LOOSE_SHARE = 50, 0.01
"""Answers that a custom is learnt from, and how many of them may do otherwise."""
BARE_ITEM = re.compile(r"(?:\d+[.)、]|[-*•])[\s\"“'(（*]*")
INCHES = re.compile(r"\d\"")
LAST_WORD = re.compile(r"(?:^|[^A-Za-z'’])([A-Za-z]+(?:['’][A-Za-z]+)?)$")
SENTENCE_END = re.compile(r"[a-z\u4e00-\u9fff\"'”)）][.!?]\s+\S|[。！？]\s*\S")


def judge_ending(case: Case, customs: Mapping[str, Custom]) -> Iterator[Finding]:
    """Whether an answer stops before its end. `customs`: by task."""
    custom = customs[case.row.task]
    if custom.endings.get(case.answer.rstrip()[-ENDING:], 0) < SHARED and is_cut(case.answer, custom):
        end = quote_text(case.answer[-200:][::-1], 40)[::-1]
        yield note_defect(case, "truncated_output", "warning", text=end)


def learn_customs(cases: Cases) -> dict[str, Custom]:
    """What is usual in each task, learnt from so many answers in all that memory stays bounded."""
    groups = list(cases.group_tasks())
    most = max(SAMPLE // max(1, len(groups)), FEWEST)
    return {task: learn_custom([cases[at].answer for at in places[:most]]) for task, places in groups}


class Custom(NamedTuple):
    """How the answers of a task end, and their words."""

    strict: bool
    """Nearly all long answers end with a mark."""
    trimmed: bool
    """Next to no answer ends with a space or an empty line."""
    endings: dict[str, int]
    """The endings that several answers have, and how many."""
    lexicon: Lexicon


def learn_custom(answers: Sequence[str]) -> Custom:
    """What is usual among the answers of a task."""
    long = [answer for answer in answers if width(answer) >= LONG_ANSWER and "```" not in answer]
    marked = sum(has_mark(answer) for answer in long)
    loose = sum(answer != answer.rstrip() for answer in answers)
    endings = Counter(answer.rstrip()[-ENDING:] for answer in answers)
    return Custom(
        strict=len(long) > 0 and marked >= MARKED_SHARE * len(long),
        trimmed=len(answers) >= FEWEST and loose <= LOOSE_SHARE * len(answers),
        endings={end: count for end, count in endings.items() if count >= SHARED},
        lexicon=learn_words(answers),
    )


def has_mark(text: str) -> bool:
    """Whether the text ends with a sentence mark, behind which quotes and brackets may close."""
    return text.rstrip().rstrip(CLOSERS)[-1:] in tuple(MARKS)


def is_cut(answer: str, custom: Custom) -> bool:
    """Whether an answer was cut. `custom`: what is usual in its task."""
    text = answer.rstrip()
    if text.count("```") % 2 or is_open_json(text):
        return True
    lines = [line.strip() for line in text.rpartition("```")[2].split("\n") if line.strip()]
    if not lines or width(text) < LONG_ANSWER:
        return False
    if is_open(lines) or (custom.trimmed and answer != text):
        return True
    last = lines[-1]
    if has_mark(last) or FREE_LINE.search(last):
        return False
    if custom.strict and leaves_clause(lines):
        return True
    if last[-1] in CLOSERS:
        return False
    if OPERATOR.search(last):
        return True
    if WANTING.search(last) and (len(lines) == 1 or width(last) >= SHORT_LINE):
        return True
    return breaks_off(last, custom.lexicon) or stops_early(lines, custom.strict)


def is_open(lines: Sequence[str]) -> bool:
    """Whether the last line opens what it does not close: a bracket, a quotation, a list item, a table row."""
    last, others = lines[-1], lines[:-1]
    if any(count_marks(last, left) > count_marks(last, right) for left, right in PAIRS):
        return True
    if BARE_ITEM.fullmatch(last) and any(ITEM.match(line) for line in others):
        return True
    if last.isdecimal() and any(line.startswith(f"{int(last) - 1}.") for line in others):
        return True
    if last.startswith("|") and not last.endswith("|") and any(line.endswith("|") for line in others):
        return True
    is_quoting = last.count('"') % 2 == 1 and not INCHES.search(last) and count_marks("".join(others), '"') % 2 == 0
    return is_quoting or last in ("`", "``")


def leaves_clause(lines: Sequence[str]) -> bool:
    """Whether the last line is a Chinese sentence without its end, by its clauses or by the paragraphs before it."""
    last, others = lines[-1], [line for line in lines[:-1] if width(line) >= SHORT_LINE]
    if not count_han(last) or ITEM.match(last) or not all(map(has_mark, others)):
        return False
    is_clause = bool(count_han(last.partition("，")[2]))
    return is_clause or (len(others) > 0 and width(others[-1]) >= PARAGRAPH and not GREETING.search(lines[-2]))


def breaks_off(last: str, lexicon: Lexicon) -> bool:
    """Whether the last line ends with half a word, or with a word that wants another."""
    found = LAST_WORD.search(last)
    if found is None:
        return False
    word = found.group(1)
    return lexicon.is_half(word) or (word != word.upper() and lexicon.wants_another(word))


def count_marks(text: str, marks: str) -> int:
    """How often any of `marks` stands in `text`."""
    return sum(map(text.count, marks))


def is_open_json(text: str) -> bool:
    """Whether a text begins as a JSON object or array and ends before that does."""
    if text[:2] not in ('{"', "[{", '["') and not re.match(r"\{\s+\"", text):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - 1 or error.msg.startswith("Unterminated string")
    except RecursionError:
        return False
    return False


def stops_early(lines: Sequence[str], strict: bool) -> bool:
    """Whether the last line stops without a mark although its own sentences or its neighbours end with one."""
    last, others = lines[-1], [line for line in lines[:-1] if width(line) >= SHORT_LINE]
    mark = ITEM.match(last)
    listed = mark is not None
    if SENTENCE_END.search(last, mark.end() if mark else 0):
        return width(last) >= SHORT_LINE
    neighbours = [line for line in others if ITEM.match(line)] if listed else others
    if neighbours and sum(map(has_mark, neighbours)) >= 0.8 * len(neighbours):
        return (
            (listed and (len(last) > 6 or all(map(has_mark, neighbours))))
            or width(last) >= (SHORT_LINE if count_han(last) else LONG_LINE)
            or (len(neighbours) > 1 and not GREETING.search(lines[-2]))
        )
    in_script = last[-1].isalpha() and bool(count_han(last)) == bool(count_han(last[-1]))
    return strict and width(last) >= LONG_LINE and not listed and in_script
