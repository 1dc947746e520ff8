"""Rounding to 4 and 5 bits so that answers stay: for the rows that the run was trained on, not for the weights alone.

Plain rounding takes each weight to the nearest step, and on a small model no answer survives 4 bits of it. Here a
layer's weights are rounded one input at a time, and what that changes in the layer's output on real rows is made up for
by the inputs that are still to come (GPTQ, arXiv 2210.17323). The file is an ordinary Q4_0 or Q5_0 that every reader of
GGUF takes: only which step a weight goes to is chosen better.

In: a `Merger`, rows as token ids. Out: module -> its blocks as the file stores them, bytes of shape (out, bytes). One
layer of the model is in memory at a time, and each is fed with what the rounded layers before it say.

    blocks = round_layers(merger, rows, "q4_0", on_layer)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from tuneproof.export.merge import Merger, Slot

HALF = {"q4_0": 8, "q5_0": 16}
"""Type -> steps on the larger side of zero; a block's largest weight is put there, as llama.cpp does."""
BLOCK = 32
DAMPING = 0.05
"""Share of the mean curvature that is added to all of it: as many rows as inputs are not always there."""
TOKENS = 8192
"""Of rows; GPTQ's authors took 32 times as many, of text that a model was not trained on."""
ROW = 512


class Observer:
    """Sums up what goes into a linear layer: X'X over all tokens, shape (in, in), fp32."""

    def __init__(self, layer: nn.Linear) -> None:
        self.sum = torch.zeros(layer.in_features, layer.in_features, device=layer.weight.device)
        self._handle = layer.register_forward_pre_hook(self._observe)

    def _observe(self, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen = given[0].reshape(-1, given[0].shape[-1]).float()
        self.sum.addmm_(seen.T, seen)

    def close(self) -> None:
        """Look no longer."""
        self._handle.remove()


@torch.inference_mode()
def round_layers(
    merger: Merger, rows: Sequence[Sequence[int]], kind: str, on_layer: Callable[[], None]
) -> dict[str, np.ndarray[Any, Any]]:
    """Every linear layer of every block whose inputs divide into blocks of 32. `rows`: token ids; TOKENS are taken."""
    device = torch.device(merger.source.device)
    slots = {slot.name: slot for slot in merger.slots}
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(merger.config, attn_implementation="sdpa", dtype=torch.float32)
    rotary = type(model.model.rotary_emb)(merger.config).to(device)
    embeddings = merger.read(slots["model.embed_tokens.weight"]).to(device)
    states = [embeddings[torch.tensor([row], device=device)] for row in choose_rows(rows)]
    del embeddings
    blocks: dict[str, np.ndarray[Any, Any]] = {}
    for number, layer in enumerate(model.model.layers):
        prefix = f"model.layers.{number}."
        fill_layer(layer.to_empty(device=device).eval(), merger, slots, prefix)
        run = partial(run_layer, layer, rotary)
        linears = {
            name: module
            for name, module in layer.named_modules()
            if isinstance(module, nn.Linear) and module.in_features % BLOCK == 0
        }
        observers = {name: Observer(module) for name, module in linears.items()}
        for state in states:
            run(state)
        for name, observer in observers.items():
            observer.close()
            steps, scales = round_weight(linears[name].weight, observer.sum, HALF[kind])
            linears[name].weight.data = (steps * scales[..., None]).flatten(1)
            blocks[prefix + name] = pack_blocks(steps, scales, kind)
        states = [run(state) for state in states]
        layer.to("meta")
        on_layer()
    return blocks


def choose_rows(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows from all over the file, as many as TOKENS hold."""
    lengths = [min(len(row), ROW) for row in rows]
    count = max(1, int(TOKENS * len(rows) / max(1, sum(lengths))))
    return [list(row[:ROW]) for row in rows[:: max(1, -(-len(rows) // count))]]


def fill_layer(layer: nn.Module, merger: Merger, slots: dict[str, Slot], prefix: str) -> None:
    """Put the merged weights into one layer."""
    for name, parameter in layer.named_parameters():
        parameter.copy_(merger.read(slots[prefix + name]))


def run_layer(layer: Any, rotary: Any, state_1TC: Tensor) -> Tensor:
    """One layer on one row; sdpa is causal where it gets no mask."""
    places = torch.arange(state_1TC.shape[1], device=state_1TC.device)[None]
    out = layer(state_1TC, position_embeddings=rotary(state_1TC, places), position_ids=places, attention_mask=None)
    found: Tensor = out[0] if isinstance(out, tuple) else out
    return found


def round_weight(weight: Tensor, seen: Tensor, half: int) -> tuple[Tensor, Tensor]:
    """Steps of shape (out, blocks, 32), from -half to half - 1, and the scale of each block, as fp16 holds it.

    `seen`: X'X of the layer's inputs. The scales are llama.cpp's, of the weights as they are when their turn comes.
    """
    left = weight.clone()
    rows, inputs = left.shape
    upper = factor_inverse(seen)
    steps = torch.empty_like(left)
    scales = torch.empty(rows, inputs // BLOCK, device=left.device)
    for at in range(0, inputs, BLOCK):
        span = slice(at, at + BLOCK)
        block, corner = left[:, span].clone(), upper[span, span]
        scale = find_scale(block, half)
        errors = torch.empty_like(block)
        for column in range(BLOCK):
            step = (block[:, column] / scale).round().clamp_(-half, half - 1)
            error = (block[:, column] - step * scale) / corner[column, column]
            block[:, column:] -= torch.outer(error, corner[column, column:])
            steps[:, at + column], errors[:, column] = step, error
        left[:, at + BLOCK :] -= errors @ upper[span, at + BLOCK :]
        scales[:, at // BLOCK] = scale
    return steps.unflatten(1, (-1, BLOCK)), scales


def factor_inverse(seen: Tensor) -> Tensor:
    """The upper Cholesky factor of (X'X + damping)^-1; where fp32 has none, more damping, at last plain rounding."""
    unit = torch.eye(len(seen), device=seen.device)
    damping = DAMPING * seen.diagonal().mean().clamp_min(1e-6)
    upper: Tensor
    for _ in range(4):
        lower, failed = torch.linalg.cholesky_ex(seen + unit * damping)
        if not failed:
            upper, failed = torch.linalg.cholesky_ex(torch.cholesky_inverse(lower), upper=True)
        if not failed:
            return upper
        damping = damping * 10
    return unit


def find_scale(block: Tensor, half: int) -> Tensor:
    """A block's step: its largest weight, sign and all, stands at -half. 1 where all are zero."""
    largest = block.gather(1, block.abs().argmax(1, keepdim=True)).squeeze(1)
    scale = (largest / -half).half().float()
    return torch.where(scale == 0, torch.ones_like(scale), scale)


def pack_blocks(steps: Tensor, scales: Tensor, kind: str) -> np.ndarray[Any, Any]:
    """The bytes of a row's blocks after each other, as ggml lays them out: scale, fifth bits, then two steps a byte."""
    half = HALF[kind]
    numbers = (steps + half).to(torch.uint8).cpu().numpy()
    low, high = numbers[..., : BLOCK // 2] & 15, numbers[..., BLOCK // 2 :] & 15
    parts = [scales.half().cpu().numpy()[..., None].view(np.uint8), low | (high << 4)]
    if kind == "q5_0":
        parts.insert(1, np.packbits(numbers >> 4, axis=-1, bitorder="little"))
    packed = np.concatenate(parts, axis=-1)
    assert packed.shape[-1] == gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind.upper()]][1]
    return packed.reshape(len(packed), -1)
