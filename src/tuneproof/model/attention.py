"""Attention within packed rows, registered with transformers' own interface: nothing is patched.

Given `segments` (the rows' lengths) it attends row by row, so the masked-off blocks of the packed square are never
computed; without `segments` it is causal attention over one row, or plain sdpa where a mask or a cache says what is
seen. On CUDA in 16 bits all rows go to one flash kernel for rows of different lengths: 16 rows of 512 tokens asked one
by one keep the processor busy for longer than the card (an H100, benchmarks/RESULTS.md).

Position ids alone keep rows apart only while no attention mask is given and the cache is off (transformers 5; measured:
with a mask of ones rows see each other without a warning), so `packing.check_isolation` proves it on the loaded model.

    model = AutoModelForCausalLM.from_pretrained(..., attn_implementation=ATTENTION)
    model(input_ids=ids_1T, position_ids=positions_1T, use_cache=False, segments=[30, 90])
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

ATTENTION = "tuneproof_rows"
FLASH_DEVICES = {"cuda"}
"""Kinds of device whose rows go to the flash kernel. The memory plan adds `meta` while it traces such a device."""
AMPERE = (8, 0)
WIDEST_HEAD = 256


class Laid(NamedTuple):
    """Rows side by side in memory that stays where it is, for work that is recorded (model/decoder)."""

    ends: Tensor
    """Where they end, 0 first; the last ones may be empty."""
    longest: int
    """Tokens of a row at most."""

    def read(self) -> list[int]:
        """The rows' lengths, from the card: what is recorded cannot do so."""
        return [length for length in self.ends.diff().tolist() if length]


def attend_rows(
    module: nn.Module,
    query_BHTD: Tensor,
    key_BHTD: Tensor,
    value_BHTD: Tensor,
    attention_mask: Tensor | None,
    *,
    segments: Sequence[int] | Laid | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each of `segments` (lengths that add up to T); plain sdpa when a mask is given instead.

    Returns (output of shape B, T, H, D; None), as transformers' attention interface asks.
    """
    length = query_BHTD.shape[2]
    if segments is None and (attention_mask is not None or length != key_BHTD.shape[2] or length == 1):
        output, _ = sdpa_attention_forward(module, query_BHTD, key_BHTD, value_BHTD, attention_mask, **options)
        return output, None
    scale, window, dropout = options.get("scaling"), options.get("sliding_window"), options.get("dropout", 0.0)
    if not dropout and query_BHTD.shape[0] == 1 and takes_flash(query_BHTD, value_BHTD):
        laid = segments if isinstance(segments, Laid) else lay_rows(segments or [length], query_BHTD.device)
        return attend_at_once((query_BHTD, key_BHTD, value_BHTD), laid, scale, window), None
    lengths = segments.read() if isinstance(segments, Laid) else list(segments or [length])
    outputs = []
    for query, key, value in zip(
        *(states.split(lengths, 2) for states in (query_BHTD, key_BHTD, value_BHTD)), strict=True
    ):
        if dropout or (window and query.shape[2] > window):
            grouped = key.shape[1] != query.shape[1]
            band = _band(query.shape[2], window or query.shape[2], query.device)
            outputs.append(
                nn.functional.scaled_dot_product_attention(
                    query, key, value, attn_mask=band, dropout_p=dropout, scale=scale, enable_gqa=grouped
                )
            )
        else:
            outputs.append(attend_row(query, key, value, scale))
    return torch.cat(outputs, 2).transpose(1, 2).contiguous(), None


def attend_row(query_BHTD: Tensor, key_BHTD: Tensor, value_BHTD: Tensor, scale: float | None) -> Tensor:
    """Causal attention of one row: shape (B, H, T, D)."""
    as_wide = value_BHTD.shape[-1] == query_BHTD.shape[-1]
    if query_BHTD.device.type == "cpu" and query_BHTD.dtype != torch.float32 and as_wide:
        output: Tensor = WideAttention.apply(query_BHTD, key_BHTD, value_BHTD, scale)  # type: ignore[no-untyped-call]
        return output
    grouped = key_BHTD.shape[1] != query_BHTD.shape[1]
    return nn.functional.scaled_dot_product_attention(
        query_BHTD, key_BHTD, value_BHTD, is_causal=True, scale=scale, enable_gqa=grouped
    )


class WideAttention(torch.autograd.Function):
    """Causal attention of 16-bit states on a CPU by PyTorch's fp32 kernel.

    Its kernel for bfloat16 converts inside its blocks and is slower: forward and backward take 2.1 ms instead of 0.9
    for a row of 60 tokens of the demo model, 7.1 instead of 5.1 for 200, 26.6 instead of 23.9 for 465 (one core of an
    AMD EPYC with AVX-512-BF16). What is kept for the backward stays 16 bit wide.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float | None) -> Tensor:
        """Output in the states' dtype: shape (B, H, T, D)."""
        output, norm = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query.float(), key.float(), value.float(), 0.0, True, scale=scale
        )
        narrow: Tensor = output.to(query.dtype)
        ctx.save_for_backward(query, key, value, narrow, norm)
        ctx.scale = scale
        return narrow

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients by query, key and value."""
        query, key, value, output, norm = ctx.saved_tensors
        wide = (one.float() for one in (outer, query, key, value, output))
        found = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
            *wide, norm, 0.0, True, scale=ctx.scale
        )
        return *(one.to(query.dtype) for one in found), None


def takes_flash(states: Tensor, values: Tensor | None = None) -> bool:
    """Whether the flash kernel can take such states: 16 bits, heads it knows, a card of its generation (Ampere on).

    `values`: of heads as wide, where they may not be (multi-head latent attention, as DeepSeek's).
    """
    if values is not None and values.shape[-1] != states.shape[-1]:
        return False
    if states.device.type not in FLASH_DEVICES or states.dtype == torch.float32:
        return False
    if states.shape[-1] % 8 or states.shape[-1] > WIDEST_HEAD:
        return False
    if states.is_meta:
        return True
    flash = torch.backends.cuda.is_flash_attention_available()
    return flash and torch.cuda.get_device_capability(states.device) >= AMPERE


def attend_at_once(
    states: tuple[Tensor, Tensor, Tensor], rows: Laid, scale: float | None, window: int | None
) -> Tensor:
    """Causal attention of all rows in one kernel: shape (1, T, H, D). A window looks back `window` - 1 tokens.

    The operator is the one under `torch.nn.attention.varlen`, whose own arguments differ between PyTorch 2.10 and 2.13.
    """
    # Not `one[0]`: its gradient is a copy of the states, filled with zeros first.
    query_THD, key_THD, value_THD = (one.squeeze(0).transpose(0, 1) for one in states)
    sides = {"window_size_left": window - 1, "window_size_right": 0} if window else {}
    ends, longest = rows
    output_THD: Tensor = torch.ops.aten._flash_attention_forward(
        query_THD, key_THD, value_THD, ends, ends, longest, longest, 0.0, True, False, scale=scale, **sides
    )[0]
    return output_THD.unsqueeze(0)


def lay_rows(lengths: Sequence[int], device: torch.device) -> Laid:
    """Rows of these lengths."""
    return Laid(lay_ends(tuple(lengths), device), max(lengths))


@lru_cache(maxsize=8)
def lay_ends(lengths: tuple[int, ...], device: torch.device) -> Tensor:
    """Where these rows end, 0 first. Kept: every layer asks, and a copy to a card waits for all of its work."""
    with torch.inference_mode(False):
        return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)


def _band(length: int, window: int, device: torch.device) -> Tensor:
    """Causal mask of a sliding window: shape (length, length), True where a token may look."""
    distance = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)[None, :]
    return (distance >= 0) & (distance < window)


def _mask_rows(
    *, attention_mask: Tensor | None = None, allow_is_causal_skip: bool = True, **options: Any
) -> Tensor | None:
    """No mask for packed rows, since `attend_rows` never computes what it would hide; sdpa's mask otherwise.

    transformers finds packed rows by their position ids and then forbids skipping the mask: that is the sign used here.
    """
    if attention_mask is None and not allow_is_causal_skip and options["q_length"] == options["kv_length"]:
        return None
    mask: Tensor | None = sdpa_mask(attention_mask=attention_mask, allow_is_causal_skip=allow_is_causal_skip, **options)
    return mask


ALL_ATTENTION_FUNCTIONS.register(ATTENTION, attend_rows)
ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, _mask_rows)


def choose_attention(config: Any) -> str:
    """Ours; `eager` for models that cap attention logits (Gemma 2) or have attention sinks (gpt-oss), which sdpa
    cannot, and for those with attention of their own: some of them (Bloom, CodeGen) would add up a mask of true and
    false, others (Falcon) know no other name.
    """
    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    takes = all(getattr(kind, name, True) for name in ("_supports_attention_backend", "_supports_sdpa"))
    return ATTENTION if takes and not getattr(config, "attn_logit_softcapping", None) else "eager"
