"""How fast the tuned model answers: with the adapter beside the weights, folded into them, and the base alone.

    python benchmarks/folding.py                 32 and 128 answers side by side, 3 rounds; about 5 minutes on 2 cores

In one process on the demo model: 64 new tokens to prompts of equal length, the ways one after the other in each round.
Printed are tokens a second (median, lowest and highest round) and how many answers are the same. In bfloat16 nothing is
folded (`model/fold` says why): what the base is faster by is the most that folding could gain there. `--clock cpu`
counts the seconds of one thread, for a machine that does other work beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from tuneproof.model.chat import encode_prompt
from tuneproof.model.fold import fold_adapter
from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import add_adapter, load_base
from tuneproof.records import Message

NEW = 64
SPREAD = 0.002
"""Deviation of B's random values: large enough that half of the answers are others than the base's."""
RANK, ALPHA = 16, 32


def build_model(dtype: DtypeName) -> tuple[Any, Any]:
    """The demo model with a random adapter on all its linear layers, and its tokenizer."""
    base = load_base("demo", device="cpu", dtype=dtype)
    model = add_adapter(base.model, rank=RANK, alpha=ALPHA, dropout=0.0, targets="all-linear")
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = SPREAD * torch.randn(parameter.shape, generator=generator)
    return model, base.tokenizer


def measure_batch(model: Any, prompts: Sequence[Sequence[int]], rounds: int, read: Callable[[], float]) -> None:
    """Print the speed of each way."""
    ways: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "adapter": nullcontext,
        "folded": lambda: fold_adapter(model),
        "base": model.disable_adapter,
    }
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    said: dict[str, list[Generated]] = {}
    for turn in range(rounds + 1):
        for way, enter in ways.items():
            started = read()
            with enter():
                said[way] = generate_answers(
                    model, prompts, limits=[NEW] * len(prompts), ends=[], batch_size=len(prompts)
                )
            # The first round warms the kernels' caches up.
            if turn:
                speeds[way].append(NEW * len(prompts) / (read() - started))
    for way, found in speeds.items():
        same = sum(one.ids == other.ids for one, other in zip(said[way], said["adapter"], strict=True))
        told = f"{statistics.median(found):.0f} tokens/s ({min(found):.0f} to {max(found):.0f})"
        ratio = statistics.median(found) / statistics.median(speeds["adapter"])
        print(f"{len(prompts):4} side by side  {way:8} {told}  {ratio:.2f} x  same answers {same}", flush=True)


def main(sizes: Sequence[int], rounds: int, dtype: DtypeName, clock: str) -> None:
    """Measure every batch size."""
    if clock == "cpu":
        torch.set_num_threads(1)
    model, tokenizer = build_model(dtype)
    for size in sizes:
        texts = [
            f"Tell me {number + 100} things about the {number + 100} rivers of a small town." for number in range(size)
        ]
        prompts = [encode_prompt(tokenizer, [Message(role="user", content=text)]) for text in texts]
        measure_batch(model, prompts, rounds, time.process_time if clock == "cpu" else time.perf_counter)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    options = parser.parse_args()
    main(options.sizes, options.rounds, options.dtype, options.clock)
