"""Repairs of a record's texts that nobody has to decide: text decoded wrongly, control characters, template tokens.

A repair is made only where it is certain: bytes that are UTF-8 to the last one, tokens glued to the end of a turn, a
next turn with its label. All else stays as it is, and stays a finding. In: a record as the file holds it, and which of
its columns is what. Out: the record with the same fields, and what was changed.

    repair_text("cafÃ©")                      # ("café", [Change("mojibake", ...)])
    repair_record({"question": ...}, names)    # ({"question": ...}, [Change(...)])
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tuneproof.data.answers import NO_INPUT, TURN
from tuneproof.data.columns import plain_name
from tuneproof.data.convert import ROLE_KEYS, ROLES, TEXT_KEYS
from tuneproof.data.findings import Value, quote_text
from tuneproof.data.language import count_han, plain_form
from tuneproof.data.parse import parse_quietly
from tuneproof.data.text import CONTROL, TEMPLATE_TOKEN, WESTERN_MOJIBAKE
from tuneproof.records.data import FindingKind

ROUNDS = 3
"""Text may have been decoded wrongly more than once."""
FOREIGN_RUN = re.compile("[^\x00-\x7f]{4,}")
"""Every sign that GB 18030 may show for two bytes of UTF-8: a run must be taken whole to be decoded."""
BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85]")
"""Control characters that end a line or a page: they become line ends, all others go."""
OPENS = re.compile(
    r"\s*(?:(?:<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|\[CLS\]|\[gMASK\]|<sop>|<｜begin[^｜<>]*｜>)\s*)?"
    r"(?:(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>)?(?:system|user|assistant|model)"
    r"(?:<\|end_header_id\|>)?\n\s*|<\|(?:user|assistant|system)\|>\s*)?"
)
END = (
    r"(?:</s>|<eos>|<pad>|\[(?:SEP|PAD)\]|<eop>|</?end_of_turn>|<｜end[^｜<>]*｜>"
    r"|<\|(?:im_end|endoftext|eot_id|eom_id|end_of_text|end|pad)\|>)"
)
GLUED = r"(?<![ \t`'\"“‘「(（])"
"""A token behind a space or a quotation mark may be what the text is about."""
CLOSES = re.compile(rf"(?:\s*\n\s*{END}|{GLUED}{END})(?:\s*{END})*\s*\Z")
RUN_ON = re.compile(rf"(?:\s*\n\s*{END}|{GLUED}{END})\s*(?={TEMPLATE_TOKEN.pattern})")
"""The end of a turn with the next turn's token behind it."""
LABEL = re.compile(r"Instruction|Human|User|Assistant|指令|用户|人类|助手", re.IGNORECASE)
"""Labels of turns that are no words of an answer, as "Response:" or "问题：" may be."""


class Change(NamedTuple):
    """One repair: the finding that it settles, its sentence (`clean.NAME`) and what fills that."""

    kind: FindingKind
    name: str
    values: dict[str, Value]


Edit = Callable[[str, bool], str]
"""(text, whether it is an answer) -> text."""


def repair_record(fields: Mapping[str, object], names: Mapping[str, str]) -> tuple[Mapping[str, object], list[Change]]:
    """The record with its texts repaired, and the changes. `names`: {our column: the file's}."""
    changes: list[Change] = []

    def edit(text: str, is_answer: bool) -> str:
        repaired, found = repair_text(text, is_answer)
        changes.extend(found)
        return repaired

    repaired = edit_texts(fields, names, edit)
    column = names.get("input", "")
    given = repaired.get(column)
    if "instruction" in names and isinstance(given, str) and plain_form(given) in NO_INPUT:
        changes.append(Change("placeholder_output", "no_input", {"text": quote_text(given)}))
        repaired = {**repaired, column: ""}
    return repaired, changes


def repair_text(text: str, is_answer: bool = False) -> tuple[str, list[Change]]:
    """The text without what certainly does not belong into it, and the changes."""
    changes: list[Change] = []
    plain = text
    if not text.isascii():
        plain = decode_ruins(text)
        if plain != text:
            changes.append(Change("mojibake", "mojibake", {"text": quote_text(find_difference(text, plain))}))
    if CONTROL.search(plain):
        codes = sorted({f"U+{ord(mark):04X}" for mark in CONTROL.findall(plain)})
        plain = CONTROL.sub("", BREAKS.sub("\n", plain))
        changes.append(Change("control_characters", "control", {"codes": ", ".join(codes)}))
    if TEMPLATE_TOKEN.search(plain):
        bare = strip_tokens(plain, is_answer)
        if bare != plain:
            at = plain.index(bare)
            gone = f"{plain[:at]} {plain[at + len(bare) :]}".strip()
            values: dict[str, Value] = {"count": len(plain) - len(bare), "text": quote_text(gone)}
            changes.append(Change("template_token", "tokens", values))
            plain = bare
    return plain, changes


def decode_ruins(text: str) -> str:
    """The text with every stretch decoded right whose bytes are UTF-8 to the last one."""
    for _ in range(ROUNDS):
        better = WESTERN_MOJIBAKE.sub(lambda match: decode_western(match.group()), text)
        better = FOREIGN_RUN.sub(lambda match: decode_chinese(match.group()), better)
        if better == text:
            break
        text = better
    return text


def decode_western(ruin: str) -> str:
    """What a stretch of Windows-1252 or Latin-1 letters was; itself where that is not certain."""
    try:
        # Five bytes have no sign in Windows-1252; programs leave them as the control characters of Latin-1.
        raw = b"".join(mark.encode("latin-1") if ord(mark) < 256 else mark.encode("cp1252") for mark in ruin)
        right = raw.decode("utf-8")
    except UnicodeError:
        return ruin
    return right if is_readable(right) else ruin


def decode_chinese(ruin: str) -> str:
    """What a stretch of Chinese signs was before its UTF-8 bytes were read as GB 18030; itself where not certain."""
    try:
        right = ruin.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return ruin
    return right if is_readable(right) and 2 * count_han(right) >= len(right) else ruin


def is_readable(text: str) -> bool:
    """Whether all signs are letters, marks, numbers, punctuation or spaces (a byte order mark will be removed)."""
    return all(unicodedata.category(sign)[0] in "LMNPSZ" or sign == "\ufeff" or CONTROL.match(sign) for sign in text)


def find_difference(before: str, after: str) -> str:
    """What stands in `before` where `after` begins to differ."""
    at = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    return before[max(0, at - 2) : at + 20]


def strip_tokens(text: str, is_answer: bool) -> str:
    """The text without the template tokens around it; an answer ends where its turn does."""
    if is_answer and (over := RUN_ON.search(text)):
        text = text[: over.start()]
    opening = OPENS.match(text)
    start = opening.end() if opening and TEMPLATE_TOKEN.search(opening.group()) else 0
    bare = text[start:]
    closing = CLOSES.search(bare)
    if closing and not ("</s>" in closing.group() and "<s>" in bare):  # <s>...</s> is struck out text in HTML.
        bare = bare[: closing.start()]
    return text if text.lstrip().startswith("<s>") and "</s>" in bare else bare


def cut_turn(fields: Mapping[str, object], names: Mapping[str, str], answer: str) -> Mapping[str, object] | None:
    """The record with `answer` cut before the next turn's label; None where the label is not certain."""
    found = next((match for match in TURN.finditer(answer) if match.start() > 0), None)
    if found is None or not LABEL.search(found.group()) or not answer[: found.start()].strip():
        return None
    kept = answer[: found.start()].rstrip()
    cut = edit_texts(fields, names, lambda text, is_answer: kept if is_answer and text == answer else text)
    return None if cut == fields else cut


def edit_texts(fields: Mapping[str, object], names: Mapping[str, str], edit: Edit) -> Mapping[str, object]:
    """The record with `edit` done to the texts that rows are made of; all other fields stay."""
    edited = dict(fields)
    for ours, theirs in names.items():
        if ours in ("task", "tools") or theirs not in fields:
            continue
        value = fields[theirs]
        parsed = parse_quietly(value) if type(value) is str and ours in ("messages", "history") else None
        if isinstance(parsed, list):
            # A table's cell that holds JSON is written anew only where something in it was changed.
            inner = edit_value(parsed, ours, edit)
            edited[theirs] = value if inner == parsed else json.dumps(inner, ensure_ascii=False)
        else:
            edited[theirs] = edit_value(value, ours, edit)
    return edited


def edit_value(value: object, ours: str, edit: Edit) -> object:
    """`edit` done to every text of one field, which may be turns, pairs of turns, or a list of texts."""
    if type(value) is str:
        return edit(value, ours in ("output", "assistant"))
    if isinstance(value, dict):
        return edit_turn(value, edit)
    if not isinstance(value, list):
        return value
    if ours == "history" and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return [[edit_value(pair[0], "input", edit), edit_value(pair[1], "output", edit)] for pair in value]
    return [edit_value(item, "input" if type(item) is str else ours, edit) for item in value]


def edit_turn(turn: dict[str, object], edit: Edit) -> dict[str, object]:
    """`edit` done to a turn's text: of an object with a role, or of one whose keys are roles."""
    role_key = next((key for key in ROLE_KEYS if key in turn), None)
    if role_key is None:
        roles = {key: ROLES.get(plain_name(key), "") for key in turn}
        return {key: edit_value(value, roles[key], edit) if roles[key] else value for key, value in turn.items()}
    role = ROLES.get(plain_name(str(turn[role_key])), "user")
    return {key: edit_value(value, role, edit) if key in TEXT_KEYS else value for key, value in turn.items()}
