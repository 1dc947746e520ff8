"""What recording saves on a card: training steps and answers, launched kernel by kernel and replayed, in one run.

    python -m benchmarks.recording                       on a CUDA device, two minutes

Random bfloat16 weights of Qwen1.5-1.8B's and of the demo model's dimensions, an adapter of rank 8 on all linear layers,
nothing recomputed. A training step is forward, backward and optimizer of 16 rows: 8,192 tokens in rows of 96 to 1,024,
of which 30 % are trained, and 3,413 in rows of 90 to 400. Answers: 128 prompts of 20 to 89 tokens at once, 64 new
tokens each; and 300 prompts, 64 at a time, 4 to 100 new tokens each.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.model.attention import ATTENTION
from tuneproof.model.chat import Encoded
from tuneproof.model.decoder import RecordedDecoder, Room
from tuneproof.model.fused import fuse_layers
from tuneproof.model.generate import generate_answers
from tuneproof.model.graph import SWITCH
from tuneproof.model.hardware import inspect_hardware
from tuneproof.model.liger import load_kernels
from tuneproof.model.load import add_adapter
from tuneproof.model.step import build_optimizer, build_pack, count_trained, sum_loss
from tuneproof.plan.catalogue import find_known

MODELS = ("qwen1.5-1.8b", "smollm2-135m")
RANK, WARM, TIMED = 8, 3, 10
LENGTHS = (1024, 512, 300, 700, 128, 96, 900, 436)
"""Rows of a pack of 4,096 tokens."""
SHORT = (213, 120, 300, 90, 400, 213, 150, 180, 260, 310, 100, 213, 140, 280, 333, 111)


def build_tuned(config: Any, rank: int) -> PeftModel:
    """A model of random bfloat16 weights on the card, with an adapter of twice the rank's strength."""
    torch.manual_seed(0)
    with torch.device("cuda"):
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation=ATTENTION)
    base.requires_grad_(False)
    fuse_layers(base)
    return add_adapter(base, rank=rank, alpha=2 * rank, dropout=0.0, targets="all-linear")


def build_stirred(config: Any, rank: int) -> PeftModel:
    """The same, to be trained, with something in B, so that no gradient is zero."""
    model = build_tuned(config, rank)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.02)
    return model.train()


def make_rows(lengths: Sequence[int], vocabulary: int, share: float = 0.3) -> list[Encoded]:
    """Rows of these lengths, of which the last share is trained, a token at least."""
    generator = torch.Generator().manual_seed(1)
    rows = []
    for length in lengths:
        trained = max(1, int(share * length))
        ids = torch.randint(0, vocabulary, (length,), generator=generator).tolist()
        rows.append(Encoded(ids, [False] * (length - trained) + [True] * trained))
    return rows


def time_steps(model: PeftModel, rows: Sequence[Encoded], decoder: RecordedDecoder | None) -> float:
    """Seconds of a step: the median of some, after others."""
    optimizer = build_optimizer(model.parameters(), 1e-5)
    times = []
    for _ in range(WARM + TIMED):
        torch.cuda.synchronize()
        started = time.perf_counter()
        if decoder:
            decoder.begin()
        loss = sum_loss(model, build_pack(rows, "cuda"), chunk=256, decoder=decoder) / count_trained(rows)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return statistics.median(times[WARM:])


def compare_steps(model: PeftModel, lengths: Sequence[int], vocabulary: int) -> list[str]:
    """Milliseconds of a step: launched, recorded, and with Liger's kernels in the recording where they are there."""
    rows = make_rows(lengths, vocabulary)
    seconds = [time_steps(model, rows, None)]
    for kernels in (False, True):
        if kernels and load_kernels() is None:
            seconds.append(float("nan"))
            continue
        decoder = RecordedDecoder(model, Room(sum(lengths), len(lengths), max(lengths)))
        decoder.fused = kernels
        seconds.append(time_steps(model, rows, decoder))
        if not decoder.works or decoder.fused != kernels:
            raise SystemExit(f"not recorded: {decoder.recorder.why or 'Liger failed'}")
    return [f"{1000 * one:.0f}" for one in seconds] + [f"{seconds[0] / seconds[1]:.1f}"]


def time_answers(model: Any, prompts: Sequence[Sequence[int]], limits: Sequence[int], batch_size: int) -> float:
    """Seconds of all answers."""
    torch.cuda.synchronize()
    started = time.perf_counter()
    generate_answers(model, prompts, limits=limits, ends=[], batch_size=batch_size)
    torch.cuda.synchronize()
    return time.perf_counter() - started


def compare_answers(model: PeftModel, count: int, new: Sequence[int], batch_size: int, vocabulary: int) -> list[str]:
    """Seconds of answers, launched and recorded, each after a first few that load what they compute with."""
    draw = random.Random(1)
    prompts = [[draw.randrange(5, vocabulary) for _ in range(draw.randrange(20, 90))] for _ in range(count)]
    limits = [draw.choice(new) for _ in prompts]
    seconds = []
    for switch in ("0", "1"):
        os.environ[SWITCH] = switch
        time_answers(model, prompts[:2], [3, 3], 2)
        seconds.append(time_answers(model, prompts, limits, batch_size))
    return [f"{one:.2f}" for one in seconds] + ["", f"{seconds[0] / seconds[1]:.1f}"]


def main() -> None:
    """Print the table."""
    if not torch.cuda.is_available():
        raise SystemExit("no CUDA device")
    lines = [
        f"{inspect_hardware('cuda').name}, Python {sys.version.split()[0]}, torch {torch.__version__}",
        "",
        "| work | launched | recorded | with Liger | times as fast |",
        "| --- | --- | --- | --- | --- |",
    ]

    for name in MODELS:
        known = find_known(name)
        assert known is not None
        model = build_stirred(AutoConfig.for_model(**known.config), RANK)
        vocabulary = model.config.vocab_size
        for lengths in (LENGTHS * 2, SHORT):
            told = compare_steps(model, lengths, vocabulary)
            lines.append(f"| {name}: ms a step of {sum(lengths):,} tokens | {' | '.join(told)} |")
        for count, new, batch in ((128, (64,), 128), (300, (4, 8, 16, 30, 60, 100), 64)):
            told = compare_answers(model, count, new, batch, vocabulary)
            lines.append(f"| {name}: s for {count} answers, {batch} at a time | {' | '.join(told)} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
