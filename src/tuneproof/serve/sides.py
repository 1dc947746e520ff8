"""The proof of sides: that the base's answer is the base's, and the tuned one's is not.

Logits of one prompt are taken three times: by the base, with no adapter near it; by the adapter's own path at scale 0;
by the adapter as asked for. The first two must be the same bits, the third others. In: a prompt and scales. Out: the
three hashes.

    prove_sides(engine, prompt, {0: 1.0})     # Sides(base="9f..", off="9f..", tuned="41..")
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tuneproof.model.batch import read_prompt
from tuneproof.model.cache import open_cache
from tuneproof.model.mixture import Mixture


class Sides(NamedTuple):
    """Hashes of the logits of the next token."""

    base: str
    off: str
    """By the adapter's path, at scale 0."""
    tuned: str

    @property
    def proven(self) -> bool:
        """Whether the base is itself bit for bit, and the tuned model is not the base."""
        return self.base == self.off != self.tuned


def prove_sides(model: Any, mixture: Mixture, prompt: Sequence[int], scales: Mapping[int, float]) -> Sides:
    """Read the prompt by each side; to be called where nothing else uses the model."""

    def read(use: Mapping[int, float], *, forced: bool = False) -> str:
        mixture.use([use], forced=forced)
        with torch.inference_mode():
            return hash_logits(read_prompt(model, open_cache(model.config), prompt, 0))

    return Sides(read({}), read(dict.fromkeys(scales, 0.0), forced=True), read(scales))


def hash_logits(logits: Tensor) -> str:
    """SHA-256 of their bits, the first 16 digits."""
    packed = logits.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return hashlib.sha256(packed).hexdigest()[:16]
