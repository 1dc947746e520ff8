"""A GGUF file in llama.cpp itself, through llama-cpp-python (`pip install 'tuneproof[llamacpp]'`, a long source build).

Tokens are llama.cpp's own, asked as its servers do (begin-of-text added where the file says so); the text is the file's
own chat template, rendered by transformers' template engine. The cache is kept in fp32: by default it is fp16, and that
is no property of the file.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tuneproof.export.parity.ask import Heard, Reading, Request, list_positions, pick_next
from tuneproof.records import Message

GGML_TYPE_F32 = 0
SPECIAL = {
    "bos": "tokenizer.ggml.bos_token_id",
    "eos": "tokenizer.ggml.eos_token_id",
    "pad": "tokenizer.ggml.padding_token_id",
    "unk": "tokenizer.ggml.unknown_token_id",
}


def hear_llamacpp(request: Request) -> Heard:
    """What the file answers, with the LoRA file on top where one is named."""
    from llama_cpp import Llama, llama_cpp

    # Without their tokens first: the context has to be as long as the longest of them.
    words = Llama(request.path, vocab_only=True, verbose=False)
    texts = [render(words, messages) for messages in list_prompts(request)]
    ids = [encode(words, text) for text in texts]
    longest = max(len(prompt) + question.limit for prompt, question in zip(ids, request.questions, strict=False))
    llama = Llama(
        request.path,
        lora_path=request.lora,
        n_ctx=longest + 16,
        n_batch=longest + 16,
        n_ubatch=longest + 16,
        logits_all=True,
        type_k=GGML_TYPE_F32,
        type_v=GGML_TYPE_F32,
        flash_attn=False,
        verbose=False,
    )
    vocabulary = llama_cpp.llama_model_get_vocab(llama.model)
    size = llama_cpp.llama_vocab_n_tokens(vocabulary)
    ends = [token for token in range(size) if llama_cpp.llama_vocab_is_eog(vocabulary, token)]
    limits = [question.limit for question in request.questions]
    answers = [answer(llama, prompt, limit, set(ends)) for prompt, limit in zip(ids, limits, strict=False)]
    reading = Reading(
        texts=texts,
        ids=ids,
        special=list_special(llama, llama_cpp),
        ends=ends,
        answers=[said for said, _ in answers],
        ended=[ended for _, ended in answers],
        said=[llama.detokenize(said, special=False).decode("utf-8", "replace").strip() for said, _ in answers],
    )
    logits = [read_along(llama, ids[at], said) for at, said in enumerate(request.continuations)]
    return Heard(reading, logits)


def list_prompts(request: Request) -> list[list[Message]]:
    """Every prompt whose tokens are compared, those that are answered first."""
    return [*(question.messages for question in request.questions), *request.prompts]


def render(llama: Any, messages: list[Message]) -> str:
    """The text that the file's own template makes."""
    return render_template(
        llama.metadata["tokenizer.chat_template"],
        messages,
        {name: word(llama, llama.metadata.get(key)) for name, key in SPECIAL.items()},
    )


def render_template(template: str, messages: list[Message], special: dict[str, str | None]) -> str:
    """A chat template on messages; `special`: bos, eos and so on as texts, as templates name them."""
    from transformers.utils.chat_template_utils import render_jinja_template

    named: dict[str, Any] = {f"{name}_token": text for name, text in special.items() if text is not None}
    turns = [[message.model_dump() for message in messages]]
    rendered: Any = render_jinja_template(turns, chat_template=template, add_generation_prompt=True, **named)
    return str(rendered[0][0])


def word(llama: Any, number: str | None) -> str | None:
    """A token's text."""
    if number is None:
        return None
    return str(llama.detokenize([int(number)], special=True).decode("utf-8", "replace"))


def encode(llama: Any, text: str) -> list[int]:
    """Tokens of a rendered prompt, as llama.cpp's servers make them: the file says whether a begin-of-text is added."""
    return list(llama.tokenize(text.encode(), add_bos=True, special=True))


def list_special(llama: Any, library: Any) -> dict[str, int]:
    """The special tokens that the file names, and every control token's text -> id."""
    found = {name: int(llama.metadata[key]) for name, key in SPECIAL.items() if key in llama.metadata}
    vocabulary = library.llama_model_get_vocab(llama.model)
    for token in range(library.llama_vocab_n_tokens(vocabulary)):
        if library.llama_vocab_get_attr(vocabulary, token) & library.LLAMA_TOKEN_ATTR_CONTROL:
            found[library.llama_vocab_get_text(vocabulary, token).decode("utf-8", "replace")] = token
    return found


def answer(llama: Any, prompt: list[int], limit: int, ends: set[int]) -> tuple[list[int], bool]:
    """Greedy new tokens, and whether the model ended the answer itself."""
    llama.reset()
    said: list[int] = []
    tokens = prompt
    while len(said) < limit:
        llama.eval(tokens)
        token = pick_next(torch.from_numpy(llama.scores[llama.n_tokens - 1]))
        if token in ends:
            return said, True
        said.append(token)
        tokens = [token]
    return said, False


def read_along(llama: Any, prompt: list[int], continuation: list[int]) -> Tensor:
    """Logits at the prompt's end and along the continuation: (positions, vocabulary), fp32."""
    tokens, first = list_positions(prompt, continuation)
    llama.reset()
    llama.eval(tokens)
    return torch.from_numpy(llama.scores[first : len(tokens)].copy())
