"""Runs -> an engine: their base, loaded once, with all adapters on it, and the proof that the base is still the base.

In: run folders. Out: `Served`, whose engine answers while the context is open.

    with open_served([Path("runs/first")], Quiet()) as served:
        question = served.pose("first@0.5", [Message(role="user", content="Hello")], limit=32)
        served.engine.ask(question, print)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tuneproof.errors import RunError
from tuneproof.model.batch import read_prompt
from tuneproof.model.cache import open_cache
from tuneproof.model.chat import encode_prompt
from tuneproof.model.hardware import DeviceName, Hardware, inspect_hardware
from tuneproof.model.load import Base, fingerprint_model, fingerprint_template, load_base
from tuneproof.model.mixture import Mixture, mount_adapters, read_adapter
from tuneproof.model.slots import open_slots
from tuneproof.progress import Progress
from tuneproof.records import Message, Plan
from tuneproof.serve.engine import Engine, Limits
from tuneproof.serve.names import Names, ServedRun, Side, list_names
from tuneproof.serve.question import Question
from tuneproof.serve.sides import hash_logits

CONTEXT = 4096
"""Tokens of prompt and answer where the base's config does not say how many it can see."""
SHARE = 0.3
"""Of the memory that is free after loading: what keys and values of answers under way may take."""
HELLO = [Message(role="user", content="Hello")]


class TooLong(ValueError):
    """The prompt leaves no room for an answer."""

    def __init__(self, tokens: int, context: int) -> None:
        super().__init__(f"{tokens} tokens of {context}")
        self.tokens = tokens
        self.context = context


class Served(NamedTuple):
    """Runs that can be asked."""

    names: Names
    base: Base
    mixture: Mixture
    engine: Engine
    hardware: Hardware
    context: int
    """Tokens of prompt and answer together, at most."""

    def encode(self, side: Side, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt of a conversation. Raises TooLong, and ValueError where the chat template refuses it."""
        try:
            prompt = encode_prompt(self.base.tokenizer, self.names.complete(side, messages))
        except Exception as error:
            # A template is code of the model's author and may raise anything.
            raise ValueError(str(error) or type(error).__name__) from error
        if len(prompt) >= self.context:
            raise TooLong(len(prompt), self.context)
        return tuple(prompt)

    def pose(self, side: Side, messages: Sequence[Message], limit: int, **more: Any) -> Question:
        """The question that asks `side` to go on with a conversation, in `limit` new tokens or what there is room for.

        `more`: fields of Question. Raises as `encode`.
        """
        prompt = self.encode(side, messages)
        return Question(prompt, side.scales, min(limit, self.context - len(prompt)), **more)


@contextmanager
def open_served(
    runs: Sequence[Path], progress: Progress, *, device: DeviceName | None = None, limits: Limits | None = None
) -> Iterator[Served]:
    """Load the base of the runs and their adapters; an engine that works until the context is left.

    Raises what `list_names` and `load_base` raise; RunError where the base is not the one that a run was trained on, an
    adapter is damaged or does not fit, or the base is not itself any more once the adapters are on it.
    """
    names = list_names(runs)
    progress.begin("load")
    first = names.runs[0]
    hardware = inspect_hardware(device or first.config.model.device)
    base = _load_base(first, hardware)
    model, prompt = base.model, encode_prompt(base.tokenizer, HELLO)
    with torch.inference_mode():
        cache = open_cache(model.config)
        before = hash_logits(read_prompt(model, cache, prompt, 0))
    adapters = [read_adapter(run.run.adapter) for run in names.runs]
    mixture = mount_adapters(model, adapters, [str(run.run.adapter) for run in names.runs])
    with torch.inference_mode():
        mixture.use([{}])
        after = hash_logits(read_prompt(model, open_cache(model.config), prompt, 0))
        if after != before:
            raise RunError("serve.base_moved", where=str(first.run.path))
        tokens = _fit_tokens(cache, len(prompt), hardware.device)
        slots = open_slots(model, tokens)
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None) or CONTEXT
    engine = Engine(model, base.tokenizer, mixture, slots, limits or Limits())
    progress.end("load")
    with engine:
        yield Served(names, base, mixture, engine, inspect_hardware(hardware.device), min(context, tokens))


def _load_base(first: ServedRun, hardware: Hardware) -> Base:
    """The base as it was when the run was measured: same weights, and on the same kind of device the same type."""
    config = first.config
    assert config.model.name is not None
    plan = first.run.load(Plan)
    found = fingerprint_model(config.model.name)
    if first.record.fingerprint.get("base") != found:
        kept = first.record.fingerprint.get("base")
        raise RunError("serve.not_its_base", where=str(first.run.path), kept=kept, found=found)
    same = plan.device == hardware.device
    base = load_base(
        config.model.name,
        device=hardware.device,
        dtype=plan.settings.dtype if same else hardware.dtype,
        quantization=plan.settings.quantization,
        revision=config.model.revision,
    )
    template = fingerprint_template(base.tokenizer)
    if first.record.fingerprint.get("template") != template:
        kept = first.record.fingerprint.get("template")
        raise RunError("serve.not_its_base", where=str(first.run.path), kept=kept, found=template)
    base.model.eval()
    return base


def _fit_tokens(cache: Any, length: int, device: Any) -> int:
    """Tokens whose keys and values fit into what is free, by those of one prompt."""
    held = [states for layer in cache.layers for states in (layer.keys, layer.values) if states is not None]
    bytes_per_token = sum(states.numel() * states.element_size() for states in held) / length
    return max(int(SHARE * inspect_hardware(device).memory_free / max(bytes_per_token, 1)), 256)
