"""Logits -> the next token of each row, by its own temperature, nucleus and generator.

A row's draw is one number of its own generator, looked up in its own distribution, so what other rows do changes
nothing of it but the last bits of batched arithmetic. In: logits of shape (B, V). Out: tokens, and log probabilities
for rows that want them.

    sampler = Sampler(question, device)
    tokens = pick_tokens(logits_BV, [sampler])
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tuneproof.serve.question import Question, Scored
from tuneproof.serve.transcript import Speller

NUCLEUS = 512
"""Likeliest tokens that are looked at first: they hold nearly every nucleus, and need no sorting of the others."""


class Sampler:
    """How one row's tokens are chosen."""

    def __init__(self, question: Question) -> None:
        self.temperature = question.temperature
        self.top_p = question.top_p
        self.generator = torch.Generator()
        if question.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(question.seed)

    def draw(self, logits_V: Tensor) -> int:
        """A token by nucleus sampling (Holtzman et al., ICLR 2020, arXiv 1904.09751)."""
        share = torch.rand((), generator=self.generator, dtype=torch.float64).item()
        # The largest is taken off first, so that a temperature near zero does not overflow.
        probability_V = ((logits_V - logits_V.max()) / self.temperature).softmax(-1)
        if self.top_p >= 1:
            return _look_up(probability_V, share)
        likely_N, token_N = probability_V.topk(min(NUCLEUS, len(probability_V)))
        if float(likely_N.sum()) < self.top_p:
            likely_N, token_N = probability_V.sort(descending=True)
        before_N = likely_N.cumsum(-1) - likely_N
        kept = int((before_N < self.top_p).sum().clamp(min=1))
        return int(token_N[_look_up(likely_N[:kept], share)])


def _look_up(probability_N: Tensor, share: float) -> int:
    """The token at `share` (0 to 1) of the summed probabilities."""
    sum_N = probability_N.double().cumsum(-1)
    place = int(torch.searchsorted(sum_N, sum_N[-1] * share, right=True))
    return min(place, len(probability_N) - 1)


def pick_tokens(logits_BV: Tensor, samplers: Sequence[Sampler]) -> list[int]:
    """The next token of each row. Raises FloatingPointError where logits are not finite: no such answer is sent."""
    likeliest_B = logits_BV.argmax(-1)
    best_B = logits_BV.gather(-1, likeliest_B[:, None])[:, 0]
    if not bool(best_B.isfinite().all()):
        raise FloatingPointError("logits are not finite")
    picked: list[int] = likeliest_B.tolist()
    for row, sampler in enumerate(samplers):
        if sampler.temperature > 0:
            picked[row] = sampler.draw(logits_BV[row].float().cpu())
    return picked


def score_token(logits_V: Tensor, token: int, likely: int, speller: Speller) -> Scored:
    """Log probabilities of a token and of the `likely` likeliest ones."""
    logprob_V = logits_V.float().log_softmax(-1)
    best = logprob_V.topk(likely) if likely else None
    likeliest = [] if best is None else zip(best.indices.tolist(), best.values.tolist(), strict=True)
    spelled = tuple((speller.spell(other), float(value)) for other, value in likeliest)
    return Scored(token, speller.spell(token), float(logprob_V[token]), spelled)
