"""What is trained: every assistant turn with its end token, nothing else, and exactly what inference sees before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from tuneproof.errors import ModelError
from tuneproof.model.chat import encode_answer, encode_prompt, encode_row, encode_rows, end_ids
from tuneproof.records import Message

TALK = [
    Message(role="system", content="Be brief."),
    Message(role="user", content="the question?"),
    Message(role="assistant", content="the answer"),
    Message(role="user", content="and the order?"),
    Message(role="assistant", content="你好, 2024-01-02 🙂"),
]


@pytest.fixture
def tokenizer(tiny_model_dir: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model_dir)


def trained_texts(tokenizer: Any, messages: list[Message]) -> list[str]:
    encoded = encode_row(tokenizer, messages)
    runs: list[list[int]] = []
    for at, (token, trained) in enumerate(zip(encoded.ids, encoded.mask, strict=False)):
        if trained:
            if at == 0 or not encoded.mask[at - 1]:
                runs.append([])
            runs[-1].append(token)
    return [tokenizer.decode(run) for run in runs]


def test_every_assistant_turn_is_trained_with_its_end_token(tokenizer: Any) -> None:
    assert trained_texts(tokenizer, TALK) == ["the answer<|im_end|>", "你好, 2024-01-02 🙂<|im_end|>"]


def test_the_row_begins_with_the_prompt_that_inference_sees(tokenizer: Any) -> None:
    encoded = encode_row(tokenizer, TALK)
    prompt = encode_prompt(tokenizer, TALK[:-1])
    assert encoded.ids[: len(prompt)] == prompt
    assert encoded.mask[len(prompt)]
    assert not encoded.mask[len(prompt) - 1]


def test_rows_encoded_together_are_those_encoded_alone(tokenizer: Any) -> None:
    rows = [TALK, TALK[:2], TALK[:3], [TALK[1], TALK[2]], TALK]
    plain = tokenizer.chat_template
    latest_only = "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content }}|{% endif %}{% endfor %}"
    for template in (plain, latest_only):
        tokenizer.chat_template = template
        alone = [encode_row(tokenizer, messages) for messages in rows]
        assert encode_rows(tokenizer, rows) == alone
        assert encode_rows(tokenizer, []) == []
        assert not alone[1].ids
        assert alone[0] == alone[4] != alone[2]


def test_the_whole_text_is_kept(tokenizer: Any) -> None:
    whole = tokenizer.apply_chat_template([m.model_dump() for m in TALK], tokenize=False)
    assert tokenizer.decode(encode_row(tokenizer, TALK).ids) == whole.rstrip("\n")


def test_a_template_without_an_end_token_gets_one(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    assert trained_texts(tokenizer, TALK[1:3]) == ["the answer <|im_end|>"]


def test_a_template_that_asks_with_something_else_than_a_turn_begins_with_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = tokenizer.chat_template.replace("assistant\n{% endif %}", "assistant\n<think>{% endif %}")
    with pytest.raises(ModelError) as caught:
        encode_row(tokenizer, TALK)
    assert caught.value.key == "chat.no_prefix"
    assert caught.value.values["turn"] == 3


def test_where_earlier_turns_are_rewritten_they_are_context_and_the_last_is_trained(tokenizer: Any) -> None:
    count = "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}"
    tokenizer.chat_template = count + tokenizer.chat_template
    encoded, prompt = encode_row(tokenizer, TALK), encode_prompt(tokenizer, TALK[:-1])
    assert trained_texts(tokenizer, TALK) == ["你好, 2024-01-02 🙂<|im_end|>"]
    assert encoded.ids[: len(prompt)] == prompt


def test_the_end_of_a_turn_ends_an_answer(tokenizer: Any) -> None:
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in end_ids(tokenizer)


def test_the_demo_model_trains_its_end_token(demo_model: Path) -> None:
    smol = AutoTokenizer.from_pretrained(demo_model)
    assert trained_texts(smol, TALK[1:3]) == ["the answer<|im_end|>"]
    assert end_ids(smol) == [smol.convert_tokens_to_ids("<|im_end|>")]


def test_of_an_answer_only_its_own_tokens_are_masked_in(tokenizer: Any) -> None:
    asked, answer = TALK[:-1], TALK[-1].content
    whole, cut = encode_answer(tokenizer, asked, answer), encode_answer(tokenizer, asked, answer, ended=False)
    prompt = encode_prompt(tokenizer, asked)
    assert whole.ids == encode_row(tokenizer, TALK).ids
    assert whole.mask == [at >= len(prompt) for at in range(len(whole.ids))]
    assert tokenizer.decode(whole.ids[len(prompt) :]) == f"{answer}<|im_end|>"
    assert (cut.ids, cut.mask) == (whole.ids[:-1], whole.mask[:-1])
    assert not any(encode_answer(tokenizer, asked, "", ended=False).mask)
