"""Answers in batches: sorted by length, a common beginning read once, rows that have ended leave.

In: prompts as token ids. Out: new token ids and how each ended, in the order of the prompts. Everything that is
measured is greedy, so an answer depends on its prompt alone (up to the last bits of batched arithmetic).
`sample_answers` draws instead, where texts of the model's own kind are wanted.

    answers = generate_answers(model, prompts, limits=[64] * len(prompts), ends=end_ids(tokenizer))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tuneproof.model.cache import open_cache, pass_cache

LAST = torch.tensor([-1])
"""The last position as an index, not as the number that transformers turns into a slice: a slice is not contiguous, and
PyTorch 2.13 then multiplies every row by a copy of the head of its own (`should_fold`, LinearAlgebra.cpp). Measured on
a CPU with 32 rows of the demo model: 1.3 s and 1.8 GB instead of 4 ms."""


LOOK_EVERY = 16
"""New tokens between two looks for a loop."""
LOOP = 96
"""Tokens at an answer's end that must repeat with one period for it to be a loop."""
LONGEST_PERIOD = LOOP // 3
PATIENCE = 2
"""Steps of the whole batch that ended rows may take up before they are dropped: about what dropping them costs, since
the rest of the cache is copied. So neither waiting nor dropping ever takes more than twice the cheaper of the two."""

Picker = Callable[[Tensor], Tensor]
"""Logits of shape (B, V) -> a token of each row, shape (B,)."""


Finish = Literal["end", "length", "loop"]
"""`end`: the model ended it; `length`: cut at the limit; `loop`: it only repeated itself, and was stopped."""


class Generated(NamedTuple):
    """New tokens, the end token not among them."""

    ids: list[int]
    finish: Finish


def generate_answers(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    batch_size: int = 32,
    on_answers: Callable[[Mapping[int, Generated]], None] | None = None,
) -> list[Generated]:
    """Answer each prompt greedily with at most `limits[i]` new tokens.

    `on_answers` hears answers as they end, by their prompts' indices.
    """
    return _generate(model, prompts, limits, _Way(set(ends), batch_size, _pick_likeliest), on_answers)


def sample_answers(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    seed: int,
    batch_size: int = 32,
) -> list[Generated]:
    """Draw an answer to each prompt from the model's own distribution (temperature 1), the same for the same seed."""
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)

    def draw(logits_BV: Tensor) -> Tensor:
        return torch.multinomial(logits_BV.float().softmax(-1), 1, generator=generator)[:, 0]

    return _generate(model, prompts, limits, _Way(set(ends), batch_size, draw), None)


class _Way(NamedTuple):
    """How answers are made."""

    ends: set[int]
    batch_size: int
    pick: Picker


def _generate(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    way: _Way,
    on_answers: Callable[[Mapping[int, Generated]], None] | None,
) -> list[Generated]:
    answers = [Generated([], "length")] * len(prompts)
    # Rows that end at about the same step belong together: the limit is the best guess of an answer's length.
    order = sorted(range(len(prompts)), key=lambda i: (limits[i], len(prompts[i]), i))
    training = model.training
    model.eval()
    try:
        for start in range(0, len(order), way.batch_size):
            batch = order[start : start + way.batch_size]
            for ended in _answer_batch(model, [prompts[i] for i in batch], [limits[i] for i in batch], way):
                for row, answer in ended.items():
                    answers[batch[row]] = answer
                if on_answers:
                    on_answers({batch[row]: answer for row, answer in ended.items()})
    finally:
        model.train(training)
    return answers


@torch.inference_mode()
def _answer_batch(
    model: nn.Module, prompts: list[Sequence[int]], limits: list[int], way: _Way
) -> Iterator[dict[int, Generated]]:
    """Answers by row, as they end."""
    batch = _open_batch(model, prompts, way.pick)
    said: list[list[int]] = [[] for _ in prompts]
    rows, open_rows, wasted = list(range(len(prompts))), set(range(len(prompts))), 0
    while True:
        ended = dict[int, Generated]()
        for row, token in zip(rows, batch.next_B.tolist(), strict=True):
            if row in open_rows and (finish := _say(said[row], token, limits[row], way.ends)):
                ended[row] = Generated(said[row], finish)
        open_rows -= ended.keys()
        if ended:
            yield ended
        if not open_rows:
            break
        wasted += len(rows) - len(open_rows)
        if wasted >= PATIENCE * len(rows):
            batch = _keep_rows(batch, [place for place, row in enumerate(rows) if row in open_rows])
            rows, wasted = [row for row in rows if row in open_rows], 0
        mask_BT = torch.cat([batch.mask_BT, batch.mask_BT.new_ones(len(rows), 1)], 1)
        next_B = way.pick(read_next(model, batch.cache, batch.next_B[:, None], mask_BT, batch.position_B1))
        batch = Batch(batch.cache, next_B, mask_BT, batch.position_B1 + 1)


def _say(said: list[int], token: int, limit: int, ends: set[int]) -> Finish | None:
    """Add the token to the answer, unless it ends it; how the answer has ended, None while it goes on."""
    if token in ends:
        return "end"
    said.append(token)
    if len(said) >= limit:
        return "length"
    return "loop" if len(said) % LOOK_EVERY == 0 and is_loop(said) else None


def is_loop(ids: Sequence[int]) -> bool:
    """Whether the last `LOOP` tokens repeat with one period, three times or more.

    A greedy answer that does so goes on like that to its limit, since the same words bring the same next one (Holtzman
    et al., ICLR 2020, arXiv 1904.09751: the probability of a repetition grows with each one). Small models do it often,
    and would take most of the time of an evaluation.
    """
    tail = list(ids[-LOOP:])
    return len(tail) == LOOP and any(tail[period:] == tail[:-period] for period in range(1, LONGEST_PERIOD + 1))


class Batch(NamedTuple):
    """Rows being answered."""

    cache: DynamicCache
    next_B: Tensor
    """The newest token of each row, not yet in the cache."""
    mask_BT: Tensor
    """0 where a row is padded."""
    position_B1: Tensor
    """Position of the newest token in its own row."""


def _open_batch(model: nn.Module, prompts: list[Sequence[int]], pick: Picker) -> Batch:
    """Read the prompts. What all of them begin with (the system prompt, a control's examples) is read once."""
    device = next(model.parameters()).device
    shared = count_shared(prompts)
    cache = open_cache(model.config)
    if shared:
        ids_1T = torch.tensor([list(prompts[0][:shared])], device=device)
        read_next(model, cache, ids_1T, torch.ones_like(ids_1T), torch.arange(shared, device=device)[None])
        cache.batch_repeat_interleave(len(prompts))
    width = max(len(prompt) for prompt in prompts) - shared
    pads = [width - len(prompt) + shared for prompt in prompts]
    ids_BT = torch.tensor([[0] * pad + list(p[shared:]) for pad, p in zip(pads, prompts, strict=True)], device=device)
    mask_BT = torch.tensor([[1] * shared + [0] * pad + [1] * (width - pad) for pad in pads], device=device)
    positions_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)[:, shared:]
    next_B = pick(read_next(model, cache, ids_BT, mask_BT, positions_BT))
    return Batch(cache, next_B, mask_BT, mask_BT.sum(-1, keepdim=True))


def count_shared(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with; 0 for a single prompt. At least one token of each is left to be read."""
    if len(prompts) == 1:
        return 0
    first, last = min(map(list, prompts)), max(map(list, prompts))
    limit = min(len(prompt) for prompt in prompts) - 1
    return next((at for at in range(limit) if first[at] != last[at]), max(limit, 0))


def _keep_rows(batch: Batch, kept: list[int]) -> Batch:
    """The batch without the rows that have ended."""
    keep = torch.tensor(kept, device=batch.next_B.device)
    batch.cache.batch_select_indices(keep)
    return Batch(batch.cache, batch.next_B[keep], batch.mask_BT[keep], batch.position_B1[keep])


def _pick_likeliest(logits_BV: Tensor) -> Tensor:
    return logits_BV.argmax(-1)


def read_next(model: Any, cache: DynamicCache, ids_BT: Tensor, mask: Tensor, positions_BT: Tensor) -> Tensor:
    """Logits of the token after the last of `ids_BT` in each row: shape (B, V).

    `mask`: 0 where a row is padded, shape (B, tokens in the cache and new ones); or which of these tokens each new one
    sees, shape (B, 1, T, all of them).
    """
    logits_B1V: Tensor = model(
        input_ids=ids_BT,
        attention_mask=mask,
        position_ids=positions_BT,
        **pass_cache(model, cache),
        use_cache=True,
        logits_to_keep=LAST.to(ids_BT.device),
    ).logits
    return logits_B1V[:, -1]
