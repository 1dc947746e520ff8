"""The tokenizer's part of a GGUF file: tokens and their kinds, merges, how text is cut, special tokens, chat template.

In: the run's tokenizer. Out: `Words`; `add_words` writes them. Two settings keep the tokens those of the run:

- `add_bos_token` and `add_eos_token` are always false: the run's prompts are what the chat template writes and nothing
  more, so no program may put a second begin-of-text before it.
- `eot_token_id` is the token that ends a turn in this template, even where the tokenizer calls another one its end.

    add_words(writer, read_words(tokenizer, ends, size=config.vocab_size))
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import gguf

from tuneproof.errors import ModelError
from tuneproof.export.gguf.splitting import find_splitting
from tuneproof.model.chat import encode_row
from tuneproof.records import Message

MODEL = "gpt2"
"""llama.cpp's name for byte-level BPE."""


class Words(NamedTuple):
    """What llama.cpp knows of a tokenizer."""

    tokens: list[str]
    kinds: list[gguf.TokenType]
    merges: list[str]
    splitting: str
    special: dict[str, int]
    """`bos`, `eos`, `eot`, `unk`, `pad` -> id, as far as there is one."""
    template: str


def read_words(tokenizer: Any, size: int) -> Words:
    """Everything of the tokenizer; `size`: rows of the embedding, which may be more than there are tokens.

    Raises ModelError for another kind than byte-level BPE.
    """
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    model = description["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        raise ModelError("export.no_tokenizer", where="tokenizer.json", kind=name_kind(model))
    tokens = [f"[PAD{number}]" for number in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for text, number in model["vocab"].items():
        tokens[number], kinds[number] = text, gguf.TokenType.NORMAL
    for token in description["added_tokens"]:
        number, text = token["id"], token["content"]
        special = token["special"] or (text.startswith("<|") and text.endswith("|>"))
        tokens[number], kinds[number] = text, gguf.TokenType.CONTROL if special else gguf.TokenType.USER_DEFINED
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    splitting = find_splitting(tokenizer.backend_tokenizer)
    return Words(tokens, kinds, merges, splitting, list_special(tokenizer), tokenizer.chat_template)


def name_kind(model: dict[str, Any]) -> str:
    """What a tokenizer is, in words of the field."""
    return "SentencePiece (byte fallback)" if model.get("byte_fallback") else str(model["type"])


def list_special(tokenizer: Any) -> dict[str, int]:
    """Special tokens by llama.cpp's names; `eot` is what the chat template ends a turn with."""
    said = encode_row(tokenizer, [Message(role="user", content="a"), Message(role="assistant", content="b")])
    found = {
        "bos": tokenizer.bos_token_id,
        "eos": tokenizer.eos_token_id,
        "eot": said.ids[-1],
        "unk": tokenizer.unk_token_id,
        "pad": tokenizer.pad_token_id,
    }
    return {name: number for name, number in found.items() if number is not None}


def add_words(writer: gguf.GGUFWriter, words: Words) -> None:
    """Write the tokenizer's keys."""
    writer.add_tokenizer_model(MODEL)
    writer.add_tokenizer_pre(words.splitting)
    writer.add_token_list(words.tokens)
    writer.add_token_types([int(kind) for kind in words.kinds])
    writer.add_token_merges(words.merges)
    add = {
        "bos": writer.add_bos_token_id,
        "eos": writer.add_eos_token_id,
        "eot": writer.add_eot_token_id,
        "unk": writer.add_unk_token_id,
        "pad": writer.add_pad_token_id,
    }
    for name, number in words.special.items():
        add[name](number)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(words.template)
