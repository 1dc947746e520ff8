"""A GGUF file without llama.cpp: its weights through transformers' GGUF loader, its words by the table of rules.

That proves what is in the file. How llama.cpp computes with it is not part of it; where llama-cpp-python is installed,
`llamacpp` is asked instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GgufConfig

from tuneproof.export.gguf.families import read_rope_factors, read_settings
from tuneproof.export.gguf.splitting import rebuild_tokenizer
from tuneproof.export.parity.ask import Heard, Reading, Request
from tuneproof.export.parity.huggingface import answer
from tuneproof.export.parity.llamacpp import SPECIAL, list_prompts, render_template
from tuneproof.export.parity.run import read_logits
from tuneproof.model.load import quiet_transformers

DEFAULT_BOS = 11
"""What llama.cpp takes for the begin-of-text of a byte-level vocabulary that names none (llama-vocab.cpp)."""
END_KEYS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")
KNOWN_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>", "<end_of_turn>")
"""Texts that llama.cpp ends an answer at whatever the file says (llama-vocab.cpp), as these families have them."""


class GgufWords:
    """The tokenizer of a GGUF file."""

    def __init__(self, path: Path) -> None:
        fields = gguf.GGUFReader(path).fields
        self.values: dict[str, Any] = {
            key: field.contents() for key, field in fields.items() if key.startswith("tokenizer.")
        }
        self.tokens: list[str] = self.values["tokenizer.ggml.tokens"]
        self.merges: list[str] = self.values["tokenizer.ggml.merges"]
        kinds = self.values["tokenizer.ggml.token_type"]
        control, user = int(gguf.TokenType.CONTROL), int(gguf.TokenType.USER_DEFINED)
        self.control = {text: number for number, text in enumerate(self.tokens) if kinds[number] == control}
        named = {text: kinds[number] for number, text in enumerate(self.tokens)}
        added = {text: kind == control for text, kind in named.items() if kind in (control, user)}
        merges = [(left, right) for left, _, right in (merge.partition(" ") for merge in self.merges)]
        self.tokenizer: Tokenizer = rebuild_tokenizer(self.tokens, merges, self.values["tokenizer.ggml.pre"], added)

    @property
    def special(self) -> dict[str, int]:
        """The special tokens that the file names, and every control token's text -> id."""
        return {name: self.values[key] for name, key in SPECIAL.items() if key in self.values} | self.control

    @property
    def ends(self) -> list[int]:
        """Tokens that llama.cpp ends an answer at."""
        found = {self.values[key] for key in END_KEYS if key in self.values}
        return sorted(found | {self.tokens.index(text) for text in KNOWN_ENDS if text in self.tokens})

    def render(self, messages: Any) -> str:
        """The text of the file's own template."""
        texts = {name: self.tokens[self.values[key]] for name, key in SPECIAL.items() if key in self.values}
        return render_template(self.values["tokenizer.chat_template"], messages, dict(texts))

    def encode(self, text: str) -> list[int]:
        """Tokens of a rendered prompt, with what the file says is added around it."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        first = [self.special.get("bos", DEFAULT_BOS)] if self.values.get("tokenizer.ggml.add_bos_token") else []
        last = [self.special["eos"]] if self.values.get("tokenizer.ggml.add_eos_token") else []
        return [*first, *ids, *last]


def load_model(path: Path, dtype: torch.dtype) -> Any:
    """The file's weights in transformers' model, with the settings that the file names."""
    with quiet_transformers():
        model: Any = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            config=read_settings(path),
            quantization_config=GgufConfig(dequantize=True),
            dtype=dtype,
        )
    factors = read_rope_factors(path)
    if factors is not None:
        model.model.rotary_emb.inv_freq /= factors
    return model.eval()


def hear_gguf(request: Request) -> Heard:
    """What the file answers, computed by transformers."""
    path = Path(request.path)
    words = GgufWords(path)
    model = load_model(path, getattr(torch, request.precision)).to(request.device)
    texts = [words.render(messages) for messages in list_prompts(request)]
    ids = [words.encode(text) for text in texts]
    limits = [question.limit for question in request.questions]
    answers = answer(model, ids[: len(limits)], limits, words.ends)
    reading = Reading(
        texts=texts,
        ids=ids,
        special=words.special,
        ends=words.ends,
        answers=[said for said, _ in answers],
        ended=[ended for _, ended in answers],
        said=[words.tokenizer.decode(said, skip_special_tokens=True).strip() for said, _ in answers],
    )
    return Heard(reading, read_logits(model, ids, request.continuations))
