"""How fast this device is with a model, before the model is there: what earlier runs measured, or a two-second probe.

In: the model's sizes and the device. Out: `Speeds` for `plan.budget`, always an estimate. A run measures the real ones
in its first seconds and leaves them here for the next plan (`remember_speeds`); for another model they are scaled by
the products that a token takes.

    found = find_speeds(Setting(sizes, "cpu", "AMD EPYC", 2, "bfloat16")) or probe_speeds(...)
    found.speeds.train, found.source        # 260.0, "remembered"
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from platformdirs import user_cache_path

from tuneproof.plan.budget import Speeds
from tuneproof.plan.formula import Dimensions, count_cache, count_linear
from tuneproof.rundir import write_atomic

KEPT = 64
"""Measurements that are remembered, the newest."""
PROBE = 0.6
"""Seconds for each of the three things that are probed."""
TOKENS, ROWS = 512, 32
"""Tokens of a pack, and answers side by side, as probed."""
TRAIN_SHARE, PREFILL_SHARE, GENERATE_SHARE = 0.5, 0.8, 0.45
"""Speed of the model's own step, reading and answering, over that of its largest product alone. Measured with the demo
model in both types, on one core of a busy machine: 0.34 to 0.67, 0.55 to 1.09 and 0.24 to 0.87. On a GPU: assumed."""
HICCUP = 4.0
"""Times faster than reading a prompt that making new tokens, which is slower on every device, is not believed."""
COPIES = 6
"""Matrices that the probe of answers goes through in turn, so that none is still in a cache."""


class Setting(NamedTuple):
    """A model on a device, as far as its speed depends on it."""

    sizes: Dimensions
    device: Literal["cpu", "cuda", "mps"]
    name: str
    """Of the device."""
    threads: int
    dtype: str
    quantization: str = "none"
    offload: bool = False
    checkpointing: bool = False
    split: bool = False
    """Whether it is split over several devices in training."""

    @property
    def place(self) -> list[object]:
        """What two measurements must have in common."""
        return [self.device, self.name, self.threads, self.dtype, self.quantization, self.offload, self.split]

    @property
    def products(self) -> int:
        """Weights that a token is multiplied with: all linear layers, and the head."""
        return count_linear(self.sizes) + self.sizes.vocabulary * self.sizes.hidden

    @property
    def passes(self) -> int:
        """Products by each weight in a training step: forward, backward to the input, and the recomputed forward."""
        return 3 if self.checkpointing else 2


class Pace(NamedTuple):
    """Estimated speeds, and where they are from."""

    speeds: Speeds
    source: Literal["remembered", "probed"]


def remember_speeds(setting: Setting, speeds: Speeds) -> None:
    """Keep what a run has measured; the newest of a model on a device stands. Nothing is said where it cannot be.

    Not kept is what can only be a machine's hiccup: new tokens are a difference of two times, and that of a short probe
    may vanish.
    """
    if not (math.isfinite(speeds.train) and speeds.generate <= HICCUP * speeds.prefill):
        return
    key = [*setting.place, setting.checkpointing, setting.products]
    entry = {"key": key, "cache": count_cache(setting.sizes, setting.dtype), "speeds": speeds._asdict()}
    others = [one for one in _read() if one.get("key") != key]
    try:
        path = _locate()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps([*others, entry][-KEPT:]))
    except OSError:
        return


def find_speeds(setting: Setting) -> Pace | None:
    """Speeds of the most alike model that ran here before, scaled to this one; None where none did."""
    found = [one for one in _read() if one["key"][: len(setting.place)] == setting.place]
    if not found:
        return None

    def differ(entry: dict[str, Any]) -> tuple[float, bool]:
        checkpointing, products = entry["key"][-2:]
        return abs(math.log(products / setting.products)), checkpointing != setting.checkpointing

    nearest = min(reversed(found), key=differ)
    checkpointing, products = nearest["key"][-2:]
    known, ratio = Speeds(**nearest["speeds"]), products / setting.products
    passes = setting._replace(checkpointing=checkpointing).passes / setting.passes
    grown = count_cache(setting.sizes, setting.dtype) / nearest["cache"]
    speeds = known._replace(
        train=known.train * ratio * passes,
        generate=known.generate * ratio,
        prefill=known.prefill * ratio,
        attend=known.attend * grown,
    )
    return Pace(speeds, "remembered")


def probe_speeds(setting: Setting) -> Pace:
    """Speeds guessed from products of this model's sizes, timed on the device that is here: about two seconds."""
    import torch

    dtype, sizes = getattr(torch, setting.dtype), setting.sizes
    weights_IH = [torch.randn(sizes.intermediate, sizes.hidden, device=setting.device).to(dtype) for _ in range(COPIES)]
    packed_TH = torch.randn(TOKENS, sizes.hidden, device=setting.device).to(dtype)
    multiply = 2 * sizes.hidden * sizes.intermediate
    wide = TOKENS * multiply * _count_calls(lambda at: packed_TH @ weights_IH[0].t(), setting.device)
    few_BH = packed_TH[:ROWS]
    narrow = ROWS * multiply * _count_calls(lambda at: few_BH @ weights_IH[at % COPIES].t(), setting.device)
    copied = weights_IH[0].nbytes * _count_calls(lambda at: weights_IH[at % COPIES].clone(), setting.device)
    # In LoRA the weights take no gradient: a training token passes each forward and backward, and no more.
    train = TRAIN_SHARE * wide / (2 * setting.passes * count_linear(sizes))
    prefill = PREFILL_SHARE * wide / (2 * count_linear(sizes))
    generate = GENERATE_SHARE * narrow / (2 * setting.products)
    attend = count_cache(sizes, setting.dtype) / (2 * copied)
    return Pace(Speeds(train, generate, prefill, attend), "probed")


def _count_calls(call: Callable[[int], object], device: str) -> float:
    """Calls a second."""
    import torch

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    call(0)
    wait()
    started, done = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < PROBE:
        call(done)
        wait()
        done += 1
    return done / seconds


def _locate() -> Path:
    return user_cache_path("tuneproof") / "speeds.json"


def _read() -> list[dict[str, Any]]:
    """What is remembered; nothing where the file is not there or not ours."""
    try:
        kept = json.loads(_locate().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    whole = isinstance(kept, list) and all(
        isinstance(one, dict) and {"key", "cache", "speeds"} <= one.keys() for one in kept
    )
    return kept if whole else []
