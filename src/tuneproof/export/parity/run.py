"""The run itself: base and adapter as they were trained, prompts and tokens by the code that trained them.

The weights are those that the run held (its dtype, its 4 bits); the arithmetic is fp32 where that fits into memory, so
that what differs in an export is the export and not the order of adding.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn

from tuneproof.export.parity.ask import Heard, Reading, Request, list_positions
from tuneproof.model.chat import encode_prompt, end_ids, render
from tuneproof.model.fold import fold_adapter
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import load_base


def hear_run(request: Request) -> Heard:
    """What the run answers; `request.path` is its adapter folder."""
    base, model = load_tuned(request, request.path)
    tokenizer = base.tokenizer
    asked = [question.messages for question in request.questions]
    every = [*asked, *request.prompts]
    ids = [encode_prompt(tokenizer, messages) for messages in every]
    ends = end_ids(tokenizer, base.model.generation_config)
    limits = [question.limit for question in request.questions]
    with fold_adapter(model):
        answers = generate_answers(model, ids[: len(asked)], limits=limits, ends=ends)
    said = [list(answer.ids) for answer in answers]
    reading = Reading(
        texts=[render(tokenizer, messages, ask=True) for messages in every],
        ids=ids,
        special=list_special(tokenizer),
        ends=ends,
        answers=said,
        ended=[answer.finish == "end" for answer in answers],
        said=[tokenizer.decode(one, skip_special_tokens=True).strip() for one in said],
    )
    return Heard(reading, read_logits(model, ids, request.continuations or said))


def load_tuned(request: Request, adapter: str) -> tuple[Any, Any]:
    """The base as the run held it, and on it the adapter of a folder."""
    base = load_base(
        request.model,
        device=request.device,
        dtype=request.dtype,
        quantization=request.quantization,
        revision=request.revision,
    )
    raise_precision(base.model, request)
    with warnings.catch_warnings():
        # peft 0.21 asks for a property that transformers 5.23 has renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        model = PeftModel.from_pretrained(base.model, adapter)
    return base, model.eval()


def raise_precision(model: nn.Module, request: Request) -> None:
    """Compute in the request's precision with the weights as they are: the values stay those of the run's dtype."""
    if request.precision == "float32" and request.dtype != "float32":
        model.float()
    modules: Any = model.modules()
    for module in modules:
        if type(module).__name__ == "Linear4bit":
            module.compute_dtype = getattr(torch, request.precision)
            module.compute_type_is_set = True


def list_special(tokenizer: Any) -> dict[str, int]:
    """`bos`, `eos`, `pad` and every special token's text -> id.

    Not `unk`: bytes spell every text, and some tokenizer classes of transformers name one by default.
    """
    named = {name: getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    texts = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
    return {name: number for name, number in [*named.items(), *texts] if number is not None}


@torch.inference_mode()
def read_logits(model: Any, ids: list[list[int]], continuations: list[list[int]]) -> list[Tensor]:
    """Logits at each prompt's end and along its continuation: (positions, vocabulary) a prompt, fp32, on the CPU."""
    device = next(model.parameters()).device
    found = []
    for prompt, continuation in zip(ids, continuations, strict=False):
        tokens, first = list_positions(prompt, continuation)
        logits_1TV = model(input_ids=torch.tensor([tokens], device=device)).logits
        found.append(logits_1TV[0, first:].float().cpu())
    return found
