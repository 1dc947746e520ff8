"""Findings about the text itself."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.text import (
    find_absent_files,
    find_control_characters,
    find_mojibake,
    find_script_mismatch,
    find_template_tokens,
)

TEXTS = [
    "Café crème costs 3 € — naïve façade, Übergröße, “quoted” … déjà vu",
    "人工智能技术正在快速发展，给我们的生活带来了很多便利。联通公司也在其中。",
    "Москва слезам не верит",
    "今天下午三点开会，请带上《合同》和发票（原件）。",
    "price £20, 5 µm, 90°, ±2, x² and ½",
]


@pytest.mark.parametrize("text", TEXTS)
def test_sound_text_is_no_mojibake(text: str) -> None:
    (case,) = make_cases((text, text))
    assert not list(find_mojibake(case))


@pytest.mark.parametrize(
    "ruin",
    [
        "Café crème".encode().decode("latin-1"),
        "it’s a “test”".encode().decode("cp1252", "ignore"),
        "今天天气很好，我们去公园散步吧".encode().decode("gb18030", "ignore"),
        "今天天气很好，我们去公园".encode().decode("latin-1"),
        "broken \ufffd sign",
        "客户锟斤拷反馈",
    ],
)
def test_wrongly_decoded_text_is_found(ruin: str) -> None:
    (case,) = make_cases(("q", ruin))
    assert [found.kind for found in find_mojibake(case)] == ["mojibake"]


@pytest.mark.parametrize("sign", ["\0", "\x08", "\x1b", "\x7f", "\x85", "\u202e", "\ufeff"])
def test_a_control_character_is_found(sign: str) -> None:
    (case,) = make_cases(("q", f"a{sign}b"))
    (found,) = find_control_characters(case)
    assert found.values["code"] == f"U+{ord(sign):04X}"


def test_signs_that_writing_needs_are_no_control_characters() -> None:
    (case,) = make_cases(("tab\tand\r\nlines", "👩\u200d💻 \u200fשלום\u2028 می\u200cخواهم"))
    assert not list(find_control_characters(case))


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "[INST] x [/INST]",
        "<<SYS>>",
        "<start_of_turn>",
        "<|eot_id|>",
        "</s>",
        "<｜User｜>",
        "<eos>",
    ],
)
def test_a_template_token_is_found(token: str) -> None:
    (case,) = make_cases(("q", f"An answer. {token}"))
    assert [found.kind for found in find_template_tokens(case)] == ["template_token"]


def test_html_and_comparisons_are_no_template_tokens() -> None:
    (case,) = make_cases(("Is a<b and c>d?", "<p><s>old</s> new</p> [INSTALL] <user> <b>bold</b>"))
    assert not list(find_template_tokens(case))


def test_an_answer_in_another_script_is_found_unless_it_was_asked_for() -> None:
    english, chinese = "The weather will be fine tomorrow in the north.", "明天北部地区天气晴朗，适合出行。"
    for question, answer, count in (
        ("今天纽约的天气怎么样？", english, 1),
        ("What will the weather be?", chinese, 1),
        ("把下面的话翻译成英文：明天天晴", english, 0),
        ("Translate into Chinese: it will be fine.", chinese, 0),
        ("写一个求和的 Python 函数", "def add(a, b):\n    return a + b  # adds two numbers", 0),
        ("用 opulent 造句。", english, 0),
        ("今天天气怎么样？", "Sunny", 0),
        ("What will the weather be?", english, 0),
    ):
        (case,) = make_cases((question, answer))
        assert len(list(find_script_mismatch(case))) == count, question


def test_a_picture_that_is_not_there_is_found() -> None:
    for question, severity in (
        ("Describe the attached image.", "warning"),
        ("Write a caption for this photo.", "warning"),
        ("根据下图回答问题。", "warning"),
        ("Summarise https://example.org/a.html", "info"),
    ):
        (case,) = make_cases((question, "a"))
        assert [found.severity for found in find_absent_files(case)] == [severity]
    (fine,) = make_cases(("How do I resize an image in a document?", "Open it and drag a corner."))
    assert not list(find_absent_files(fine))
