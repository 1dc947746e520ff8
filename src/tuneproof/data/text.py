"""Findings about the text itself: broken encodings, control characters, template tokens, wrong script, absent files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from tuneproof.data.findings import Case, note_defect, quote_text
from tuneproof.data.language import LATIN, count_han, count_signs, guess_language
from tuneproof.records import Finding

WESTERN_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]+")
"""A UTF-8 lead byte and its followers, each shown as the character that Latin-1 or Windows-1252 has in its place."""
KNOWN_RUINS = ("\ufffd", "锟斤拷", "烫烫烫", "屯屯屯", "ï»¿")
HAN_RUN = re.compile("[\u3400-\u9fff\ue000-\uf8ff\u20ac\uff00-\uffef\u3000-\u303f]{4,}")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u202d\u202e\ufff9-\ufffb]")
"""All C0 and C1 controls but tab and line ends, byte order marks, forced text direction, annotation marks.

Joiners and direction marks, which emoji and Arabic need, are text; so is U+2028.
"""
TEMPLATE_TOKEN = re.compile(
    r"<\|(?:im_start|im_end|im_sep|endoftext|eot_id|eom_id|start_header_id|end_header_id|begin_of_text|end_of_text"
    r"|startoftext|user|assistant|system|end|observation|endofprompt|pad)\|>"
    r"|\[/?INST\]|<</?SYS>>|</?start_of_turn>|</?end_of_turn>|<bos>|<eos>|<pad>|<unk>|\[(?:CLS|SEP|PAD|MASK|UNK)\]"
    r"|<｜[^｜<>]{1,30}｜>|^\s*<s>(?!.*</s>.)|(?<!<s>)</s>\s*$|\[gMASK\]|<sop>|<eop>"
)
TRANSLATION = re.compile(
    r"translat|english|chinese|language|french|spanish|german|italian|japanese|latin|pinyin|transliterat"
    r"|翻译|译|英文|英语|中文|汉语|外语|法语|西班牙语|德语|日语|拼音|字母|缩写|单词|词汇|句子|语言",
    re.IGNORECASE,
)
CODE = re.compile(
    r"```|[{};]\s*$|^\s*(?:def|class|import|from|SELECT|#include|<\?|<html|<!DOCTYPE|function|var|let|const|public)\b"
    r"|</?\w+>|https?://|\w\(.*\)|=",
    re.MULTILINE | re.IGNORECASE,
)
ABSENT_FILE = re.compile(
    r"(?:\b(?:attached|this|following|below|above|given)\s+(?:image|picture|photo(?:graph)?|screenshot|video|audio|attachment|pdf)\b"
    r"|\bsee\s+(?:the\s+)?attach|如图|下图|上图|附图|(?:这|该|此|以下|下面|上面|给定)(?:的)?(?:张|幅|个|段)?(?:的)?(?:图片|照片|图像|视频|音频|截图)"
    r"|(?:见|看|查看|参考|参见)附件)",
    re.IGNORECASE,
)
FILE_WORDS = ("image", "picture", "photo", "screenshot", "video", "audio", "attach", "pdf", *"图频件照截")
"""Without one of these no file is meant: looked for first, since it takes a tenth of the time."""
WORD = re.compile("[a-z]{3}")
LINK = re.compile(r"https?://[^\s<>\"'）)]+|www\.[^\s<>\"'）)]+")


def find_mojibake(case: Case) -> Iterator[Finding]:
    """Text that was once decoded with the wrong encoding."""
    for message in case.row.messages:
        ruin = "" if message.content.isascii() else find_ruin(message.content)
        if ruin:
            yield note_defect(case, "mojibake", "warning", text=quote_text(ruin))
            return


def find_ruin(text: str) -> str:
    """The first stretch of `text` that turns into other text when it is decoded right, or ""."""
    for ruin in KNOWN_RUINS:
        if ruin in text:
            return ruin
    for match in WESTERN_MOJIBAKE.finditer(text):
        if decodes_as_utf8(match.group(), "cp1252") or decodes_as_utf8(match.group(), "latin-1"):
            return match.group()
    for match in HAN_RUN.finditer(text):
        if decodes_as_utf8(match.group(), "gb18030"):
            return match.group()
    return ""


def decodes_as_utf8(text: str, encoding: str) -> bool:
    """Whether the bytes that `text` has in `encoding` are UTF-8 of fewer characters.

    Where the wrong decoding has lost bytes, nine tenths of them must still fit.
    """
    raw = text.encode(encoding, "ignore")
    right = raw.decode("utf-8", "ignore")
    whole = len(right.encode()) >= 0.9 * len(raw) and len(raw) > len(right)
    readable = all(unicodedata.category(mark)[0] in "LNPSZ" for mark in right)
    return (
        whole
        and 0 < len(right) < len(text)
        and readable
        and (encoding != "gb18030" or 2 * count_han(right) >= len(right))
    )


def find_control_characters(case: Case) -> Iterator[Finding]:
    """Characters that no one typed: they come from copies out of PDF files and terminals."""
    for message in case.row.messages:
        match = CONTROL.search(message.content)
        if match:
            yield note_defect(case, "control_characters", "warning", code=f"U+{ord(match.group()):04X}")
            return


def find_template_tokens(case: Case) -> Iterator[Finding]:
    """A token of some chat template inside the text: the model reads it as the end of a turn."""
    for message in case.row.messages:
        text = message.content
        match = TEMPLATE_TOKEN.search(text) if "<" in text or "[" in text else None
        if match:
            yield note_defect(case, "template_token", "warning", token=quote_text(match.group()))
            return


def find_script_mismatch(case: Case) -> Iterator[Finding]:
    """A Chinese question with an English answer or the reverse, where no translation was asked for."""
    asked, answered = guess_language(case.prompt), guess_language(case.answer)
    if {asked, answered} != {"en", "zh"} or TRANSLATION.search(case.prompt):
        return
    english, chinese = (case.prompt, case.answer) if answered == "zh" else (case.answer, case.prompt)
    mixed = count_han(english) or WORD.search(chinese)
    if (
        not mixed
        and count_signs(LATIN, english) >= 20
        and not CODE.search(case.answer)
        and not CODE.search(case.prompt)
    ):
        yield note_defect(case, "script_mismatch", "warning", asked=asked, answered=answered)


def find_absent_files(case: Case) -> Iterator[Finding]:
    """A question about a picture, attachment or page that the model never sees: its answer teaches it to invent."""
    low = case.prompt.lower()
    match = ABSENT_FILE.search(case.prompt) if any(word in low for word in FILE_WORDS) else None
    if match:
        yield note_defect(case, "url_reference", "warning", text=quote_text(match.group()))
    elif link := find_link(case.prompt):
        yield note_defect(case, "url_reference", "info", variant="link", text=quote_text(link.group()))
    elif link := find_link(case.answer):
        yield note_defect(case, "url_reference", "info", variant="answer", text=quote_text(link.group()))


def find_link(text: str) -> re.Match[str] | None:
    """The first address of a page."""
    return LINK.search(text) if "://" in text or "www." in text else None
