"""The cache of answers while they are traced: it books what it holds (plan/trace).

cache = WatchedCache(tracker, config)
fill_cache(cache, 500)                # as after 500 tokens of each row
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache

from tuneproof.model.cache import RoomyLayer, open_cache
from tuneproof.plan.tracker import Tracker


class WatchedCache(DynamicCache):
    """The cache of answers, booking what it holds."""

    def __init__(self, tracker: Tracker, config: Any) -> None:
        super().__init__(config=config)
        self.layers = open_cache(config).layers
        self.tracker = tracker

    def update(self, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Take in one layer's new keys and values."""
        keys, values = super().update(*args, **kwargs)
        self.tracker.follow(keys, "cache")
        self.tracker.follow(values, "cache")
        return keys, values


def fill_cache(cache: WatchedCache, length: int) -> None:
    """Let every layer that keeps all tokens hold `length` of them; a sliding window stays as it is."""
    for layer in cache.layers:
        if isinstance(layer, RoomyLayer) and layer.is_initialized:
            layer.reserve(length)
            for buffer in layer.buffers or ():
                cache.tracker.follow(buffer, "cache")
