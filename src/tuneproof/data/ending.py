"""Findings about how answers end: the ones that were cut off.

An open code fence, bracket or JSON text is cut for certain. Prose is cut when its last line stops at a comma or at a
word that wants another, or when it stops without a mark although its own sentences, or nearly all long answers of its
task, end with one. Titles, tables, tags, signatures and lists of names need no mark.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tuneproof.data.balance import group_tasks
from tuneproof.data.findings import Case, note_defect, quote_text
from tuneproof.data.language import count_han, width
from tuneproof.records import Finding

LONG_ANSWER = 40
"""Characters, a Chinese one counted twice; shorter answers are values and phrases."""
LONG_LINE, SHORT_LINE = 36, 20
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
FREE_LINE = re.compile(
    r"^\s*[|<#]|[|>]\s*$|[#@]\w+[\"'”]?\s*$|[\"'”’]\s*[-–—]+[^!?。]{0,40}$|https?://\S+$|^\s*(?:\d+[.)、]|[-*•])?\s*[\"“'].*[\"”']$"
)
"""Table rows, HTML, headings, tags, links, quotations and who said them: they end as they like."""
GREETING = re.compile(
    r"[,，]$|\b(?:regards|sincerely|yours|thank|best|love|cheers|wishes)|此致|敬礼|敬上|谨上|祝|谢", re.IGNORECASE
)
"""A line behind which a name may stand alone."""
PAIRS = (("(（", ")）"), ("[【", "]】"), ("《", "》"), ("“", "”"), ("「", "」"))
SENTENCE_END = re.compile(r"[a-z\u4e00-\u9fff\"'”)）][.!?]\s+\S|[。！？]\s*\S")


def find_truncated(cases: Sequence[Case]) -> Iterator[Finding]:
    """Answers that stop before their end."""
    for members in group_tasks(cases).values():
        long = [case for case in members if width(case.answer) >= LONG_ANSWER and "```" not in case.answer]
        marked = sum(has_mark(case.answer) for case in long)
        strict = len(long) > 0 and marked >= MARKED_SHARE * len(long)
        endings = Counter(case.answer.rstrip()[-ENDING:] for case in members)
        for case in members:
            if endings[case.answer.rstrip()[-ENDING:]] < SHARED and is_cut(case.answer, strict):
                end = quote_text(case.answer[-200:][::-1], 40)[::-1]
                yield note_defect(case, "truncated_output", "warning", text=end)


def has_mark(text: str) -> bool:
    """Whether the text ends with a sentence mark, behind which quotes and brackets may close."""
    return text.rstrip().rstrip(CLOSERS)[-1:] in tuple(MARKS)


def is_cut(answer: str, strict: bool) -> bool:
    """Whether an answer was cut. `strict`: long answers of its task end with a mark."""
    text = answer.rstrip()
    if text.count("```") % 2 or is_open_json(text):
        return True
    lines = [line.strip() for line in text.rpartition("```")[2].split("\n") if line.strip()]
    if not lines or width(text) < LONG_ANSWER:
        return False
    last = lines[-1]
    if any(count_marks(last, left) > count_marks(last, right) for left, right in PAIRS):
        return True
    if has_mark(last) or FREE_LINE.search(last) or last[-1] in CLOSERS:
        return False
    if WANTING.search(last) and (len(lines) == 1 or width(last) >= SHORT_LINE):
        return True
    return stops_early(lines, strict)


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
            (listed and len(last) > 6)
            or width(last) >= LONG_LINE
            or (len(neighbours) > 1 and not GREETING.search(lines[-2]))
        )
    in_script = last[-1].isalpha() and bool(count_han(last)) == bool(count_han(last[-1]))
    return strict and width(last) >= LONG_LINE and not listed and in_script
