"""Peaks that PEFT's maintainers measured on a GPU, predicted here without one.

    python benchmarks/memory_peft.py                      four LoRA runs, about a minute on one core
    python benchmarks/memory_peft.py --write              and write benchmarks/memory_peft.md

Their runs (huggingface/peft at 5d602fd, method_comparison/MetaMathQA): Llama-3.2-3B in bfloat16 with an fp32 adapter on
an L40S, torch 2.13, transformers 5.13, batch 4, plain AdamW, no checkpointing, `model(**batch).loss` with padding, and
`accelerator_memory_max` = `max_memory_reserved` over the whole run. It is their step that is traced, not ours: PEFT's
own layers, all logits in fp32, and `outputs` kept until the next forward has made new ones, as their loop does.

The length of the longest batch is not published, and decides the peak. `max_seq_length` is 768, but rows above 1,300
characters are left out, which few of them fill. All runs see the same batches (one seed), so it is one number for all:
it is fitted to the first run, and the others are predicted with it. What 4 x 768 would have taken is shown beside.
Batches are padded (they are cut from rows of nearly, not exactly, the same length), so that attention runs by the
memory-efficient kernel with a mask. `reserved` is what tensors take, replayed on the allocator's rules, and cuBLAS'
workspace. The adapters are of different rank and on different layers, so that what is held is how the peak depends on
them, and not its height alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.plan.allocator import replay_events
from tuneproof.plan.catalogue import find_known
from tuneproof.plan.forecast import CUBLAS
from tuneproof.plan.kernels import name_kernels
from tuneproof.plan.tracker import Tracker

TABLE = Path(__file__).with_suffix(".md")
GIB = 1 << 30
TARGET = 3.0
"""Percent."""
BATCH, LONGEST = 4, 768
TRIED = (640, 704)
"""Lengths between which the fitted one is sought: the peak is a straight line there, but for the allocator's steps."""


class Published(NamedTuple):
    """A run of theirs: its file of results is `lora--llama-3.2-3B-NAME.json`."""

    name: str
    rank: int
    targets: tuple[str, ...]
    peak: int
    """`accelerator_memory_max`, in bytes."""


RUNS = (
    Published("rank32", 32, ("q_proj", "v_proj"), 22_292_725_760),
    Published("rank64", 64, ("q_proj", "v_proj"), 22_552_772_608),
    Published("rank64-rslora", 64, ("q_proj", "v_proj"), 22_561_161_216),
    Published("rank10-target-mlp", 10, ("gate_proj", "up_proj", "down_proj"), 24_698_159_104),
)


class Predicted(NamedTuple):
    """Bytes."""

    live: int
    reserved: int

    def miss(self, run: Published) -> float:
        """Percent that what would be reserved is off what was measured."""
        return 100 * (self.reserved / run.peak - 1)


def fit_length(run: Published) -> int:
    """Tokens of the longest row with which this run's peak is what it was."""
    low, high = (predict_run(run, length).reserved for length in TRIED)
    return round(TRIED[0] + (run.peak - low) / (high - low) * (TRIED[1] - TRIED[0]))


def predict_run(run: Published, length: int) -> Predicted:
    """Two of their steps on `meta`, with the optimizer's state there."""
    known = find_known("meta-llama/Llama-3.2-3B")
    assert known is not None
    config = AutoConfig.for_model(**known.config)
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
        targets = list(run.targets)
        model: Any = get_peft_model(base, LoraConfig(r=run.rank, target_modules=targets, task_type="CAUSAL_LM"))
    model.train()
    tracker = Tracker("meta", vocabulary=config.vocab_size, round_to=512, answer=False, workspaces=True)
    state = [torch.empty(2 * one.numel(), device="meta") for one in model.parameters() if one.requires_grad]
    for tensor, part in [
        *((one, "adapter" if one.requires_grad else "weights") for one in model.parameters()),
        *((one, "weights") for one in model.buffers()),
        *((one, "optimizer") for one in state),
    ]:
        tracker.follow(tensor, part)
    static = len(tracker.events)
    with name_kernels("efficient"), tracker:
        for _ in range(2):
            ids_BT = torch.zeros(BATCH, length, dtype=torch.long, device="meta")
            model.zero_grad(set_to_none=True)
            outputs = model(input_ids=ids_BT, attention_mask=torch.ones_like(ids_BT), labels=ids_BT.clone())
            outputs.loss.backward()
        del outputs, ids_BT
        model.zero_grad(set_to_none=True)
    events = tracker.events
    reserved = replay_events(events[:static], events[static:], capacity=None).reserved
    return Predicted(tracker.peak + CUBLAS, reserved + CUBLAS)


def main(write: bool) -> int:
    """Print the table, and write it if asked; 1 when a target is missed."""
    length = fit_length(RUNS[0])
    lines, worst = [], 0.0
    for run in RUNS:
        predicted, longest = predict_run(run, length), predict_run(run, LONGEST)
        miss = predicted.miss(run)
        worst = max(worst, miss, key=abs)
        sizes = [run.peak, predicted.live, predicted.reserved]
        told = " | ".join(f"{size / GIB:.2f}" for size in sizes)
        at_longest = f"{longest.live / GIB:.2f} | {longest.reserved / GIB:.2f}"
        lines.append(f"| {run.name} | {run.rank} on {', '.join(run.targets)} | {told} | {miss:+.2f} | {at_longest} |")
        print(lines[-1], flush=True)
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"
    head = (
        f"Predicted by {versions}. Sizes in GiB. Longest batch: {BATCH} x {length}, fitted to the first run. "
        f"Worst: {worst:+.2f} % (target {TARGET} %)."
    )
    print(head)
    if write:
        at = f"live at {LONGEST} | reserved at {LONGEST}"
        columns = f"| run | rank | published | live | reserved | reserved, % off | {at} |"
        note = "Written by `python benchmarks/memory_peft.py --write`; what was assumed stands in the script.\n"
        text = ["# Published peaks, predicted\n", note, head, "", columns, "| --- " * 8 + "|", *lines]
        TABLE.write_text("\n".join(text) + "\n", encoding="utf-8")
    return int(abs(worst) > TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    sys.exit(main(parser.parse_args().write))
