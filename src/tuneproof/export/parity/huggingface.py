"""Folders of Hugging Face's formats, read as anyone would: transformers alone, or with PEFT on the base.

Templates and tokens are the folder's own (`apply_chat_template`), answers are transformers' own `generate` with the
folder's own end tokens. Only the sampling habits of a generation config are set aside: the run measured greedily.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tuneproof.export.parity.ask import Heard, Reading, Request
from tuneproof.export.parity.run import list_special, load_tuned, raise_precision, read_logits
from tuneproof.model.load import quiet_transformers
from tuneproof.records import Message


def hear_folder(request: Request) -> Heard:
    """What a `peft` or `transformers` folder answers."""
    tokenizer = AutoTokenizer.from_pretrained(request.path)
    if request.reader == "peft":
        _, model = load_tuned(request, request.path)
    else:
        with quiet_transformers():
            model = AutoModelForCausalLM.from_pretrained(request.path, dtype="auto", device_map={"": request.device})
        model.eval()
        raise_precision(model, request.model_copy(update={"dtype": str(model.dtype).removeprefix("torch.")}))
    ends = read_ends(request.path, tokenizer)
    every = [*(question.messages for question in request.questions), *request.prompts]
    ids = [encode(tokenizer, messages) for messages in every]
    limits = [question.limit for question in request.questions]
    answers = answer(model, ids[: len(limits)], limits, ends)
    reading = Reading(
        texts=[write(tokenizer, messages) for messages in every],
        ids=ids,
        special=list_special(tokenizer),
        ends=ends,
        answers=[said for said, _ in answers],
        ended=[ended for _, ended in answers],
        said=[str(tokenizer.decode(said, skip_special_tokens=True)).strip() for said, _ in answers],
    )
    return Heard(reading, read_logits(model, ids, request.continuations))


def read_ends(folder: str, tokenizer: Any) -> list[int]:
    """Tokens that end an answer by the folder's own generation config; without one by its tokenizer."""
    try:
        configured = GenerationConfig.from_pretrained(folder).eos_token_id
    except OSError:
        configured = None
    found = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in found if token is not None} or {tokenizer.eos_token_id})


def write(tokenizer: Any, messages: list[Message]) -> str:
    """The template's text."""
    turns = [message.model_dump() for message in messages]
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def encode(tokenizer: Any, messages: list[Message]) -> list[int]:
    """The prompt's tokens, as servers make them: by the template, in one call."""
    turns = [message.model_dump() for message in messages]
    encoded = tokenizer.apply_chat_template(turns, tokenize=True, add_generation_prompt=True, return_dict=True)
    return list(encoded["input_ids"])


@torch.inference_mode()
def answer(model: Any, prompts: list[list[int]], limits: list[int], ends: list[int]) -> list[tuple[list[int], bool]]:
    """New tokens of each prompt, and whether the model ended the answer itself. All together, padded on the left."""
    plain = GenerationConfig(do_sample=False, max_new_tokens=max(limits), eos_token_id=ends, pad_token_id=ends[0])
    model.generation_config = plain
    width = max(map(len, prompts))
    ids_BT = torch.tensor([[ends[0]] * (width - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask_BT = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    made_BT = model.generate(input_ids=ids_BT, attention_mask=mask_BT, generation_config=plain)
    return [cut_answer(made, limit, ends) for made, limit in zip(made_BT[:, width:].tolist(), limits, strict=True)]


def cut_answer(made: list[int], limit: int, ends: list[int]) -> tuple[list[int], bool]:
    """Up to the token that ends it, or to its limit."""
    end = next((at for at, token in enumerate(made[:limit]) if token in ends), None)
    return (made[:limit], False) if end is None else (made[:end], True)
