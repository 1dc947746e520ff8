"""Ollama's template says what the chat template says; vLLM's conditions are told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import build_tiny_tokenizer
from tests.export.runs import QWEN_TEMPLATE
from tuneproof.errors import ModelError
from tuneproof.export.ollama import (
    Modelfile,
    Pieces,
    read_modelfile,
    render_modelfile,
    take_apart,
    write_modelfile,
    write_template,
)
from tuneproof.export.source import BaseName
from tuneproof.export.vllm import choose_rank, find_obstacles, write_command
from tuneproof.model.chat import render
from tuneproof.records import Message

LLAMA3 = (
    "{{- '<|endoftext|>' }}{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '<|im_start|>\\n\\n' + message.content + '<|im_end|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant<|im_start|>\\n\\n' }}{%- endif %}"
)
BRACES = "{% for message in messages %}{{ '{{' + message.role + '}}: ' + message.content + '<|im_end|>' }}{% endfor %}"
BRACES += "{% if add_generation_prompt %}{{ '{{assistant}}: ' }}{% endif %}"
LAST_ONLY = "{{ messages[-1].content }}{% if add_generation_prompt %}>{% endif %}"


def make_tokenizer(template: str | None) -> Any:
    tokenizer = build_tiny_tokenizer()
    if template is not None:
        tokenizer.chat_template = template
    return tokenizer


def talk(*texts: str, system: str | None = None) -> list[Message]:
    """Turns of user and assistant in turn."""
    turns = [Message(role="assistant" if at % 2 else "user", content=text) for at, text in enumerate(texts)]
    return [Message(role="system", content=system), *turns] if system else turns


@pytest.mark.parametrize("template", [None, QWEN_TEMPLATE, LLAMA3, BRACES])
def test_the_modelfile_writes_what_the_chat_template_writes(template: str | None) -> None:
    tokenizer = make_tokenizer(template)
    pieces = take_apart(tokenizer)
    text = write_modelfile(
        Modelfile("./m.gguf", write_template(pieces), ["<|im_end|>"], pieces.system, 512), "two\nlines"
    )
    read = read_modelfile(text)
    assert (read.base, read.stops, read.context) == ("./m.gguf", ["<|im_end|>"], 512)
    for turns in (
        talk("你好 {{ .Content }}"),
        talk("a\n\nb", "FROM x", "c"),
        talk("hi", system='be "brief"\nPARAMETER stop'),
        talk("one", "two", "three", "four", "five", system="s"),
    ):
        assert render_modelfile(read, turns) == render(tokenizer, turns, ask=True)


def test_a_default_system_prompt_becomes_ollamas() -> None:
    assert take_apart(make_tokenizer(QWEN_TEMPLATE)).system == "You are a helpful assistant."
    assert take_apart(make_tokenizer(None)).system is None
    assert take_apart(make_tokenizer(LLAMA3)).start == "<|endoftext|>"


def test_a_template_that_is_no_sum_of_its_turns_is_refused() -> None:
    with pytest.raises(ModelError, match="Ollama template") as caught:
        take_apart(make_tokenizer(LAST_ONLY))
    assert "llama-server --jinja" in caught.value.hint()


def test_braces_are_text_in_gos_templates() -> None:
    pieces = Pieces("", {"user": ("{{user}}", "")}, "", None)
    assert '{{ "{{" }}user}}{{ .Content }}' in write_template(pieces)


@pytest.mark.parametrize(("rank", "step"), [(1, 1), (4, 8), (16, 16), (24, 32), (300, 320), (512, 512), (513, None)])
def test_ranks_go_up_to_the_next_step_of_vllm(rank: int, step: int | None) -> None:
    assert choose_rank(rank) == step


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({}, []),
        ({"r": 1024}, ["rank"]),
        ({"use_dora": True, "modules_to_save": ["lm_head"]}, ["modules", "dora"]),
        ({"bias": "all", "target_modules": ["q_proj", "lm_head"]}, ["bias", "head"]),
    ],
)
def test_vllm_says_yes_or_no_because(change: dict[str, Any], reasons: list[str]) -> None:
    assert find_obstacles({"r": 16, "target_modules": ["q_proj"], "bias": "none"} | change) == reasons


def test_the_line_that_starts_vllm() -> None:
    line = write_command("desk", BaseName("Qwen/Qwen2.5-0.5B-Instruct", "abc"), {"r": 24}, "bfloat16")
    assert line.startswith("vllm serve Qwen/Qwen2.5-0.5B-Instruct --revision abc --dtype bfloat16 --enable-lora")
    assert "--max-lora-rank 32 --lora-modules desk=./adapter" in line
