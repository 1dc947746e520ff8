"""How fast answers are made: ours beside `model.generate` with padded batches in file order, on the same questions.

    python benchmarks/answering.py                           the demo's test rows and probes; about 5 minutes on 2 cores
    python benchmarks/answering.py --run RUN --items 60      that run's adapter on its own test rows

The demo's rows are checked and split as a run does it; a held-out part and the retention probes are asked together, 16
side by side, with at most 128 new tokens each, greedily. Printed: answers a second of both, their ratio, and how many
answers are the same. An answer that only repeats itself is stopped here, so it counts as the same where the other
begins with it; so does one where two next tokens are equally likely to the last digits that the dtype holds, which is
told apart: `near` answers part where the two best logits differ by less than 2 % of the largest.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tuneproof.config import RunConfig
from tuneproof.evals.probes import load_probes
from tuneproof.evals.task import make_probe_items, spread_items
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import Generated, generate_answers
from tuneproof.model.hardware import inspect_hardware
from tuneproof.model.load import add_adapter, load_base, set_adapter
from tuneproof.pipeline.rows import prepare_rows
from tuneproof.progress import Quiet

NEAR = 0.02


def list_prompts(tokenizer: Any, items: int | None) -> list[list[int]]:
    """Prompts of the demo's test rows and of the English probes, in the order of their files."""
    config = RunConfig()
    config.data.files = [str(Path(__file__).parents[1] / "src/tuneproof/demo/service_desk.jsonl")]
    prepared = prepare_rows(config, Quiet())
    tests = [row for row in prepared.rows if prepared.split.rows[row.id].side == "test"]
    probes = make_probe_items(load_probes("en"))
    half = len(tests) if items is None else items // 2
    every = len(tests) / half
    asked = [tests[int(at * every)].prompt for at in range(half)]
    asked += [item.messages for item in spread_items(probes, 2 * half if items is None else half)]
    return [encode_prompt(tokenizer, messages) for messages in asked]


def generate_padded(
    model: Any, prompts: Sequence[Sequence[int]], limit: int, ends: list[int], batch: int
) -> list[list[int]]:
    """transformers' own way, as its docs show it: padded on the left, a batch after the other."""
    answers = []
    for start in range(0, len(prompts), batch):
        some = prompts[start : start + batch]
        width = max(map(len, some))
        ids_BT = torch.tensor([[0] * (width - len(one)) + list(one) for one in some])
        mask_BT = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in some])
        made_BT = model.generate(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=ends,
            pad_token_id=ends[0],
        )[:, width:]
        for row in made_BT.tolist():
            stop = next((at for at, token in enumerate(row) if token in ends), len(row))
            answers.append(row[:stop])
    return answers


@torch.inference_mode()
def is_near(
    model: Any, prompt: Sequence[int], first: Sequence[int], second: Sequence[int], ends: Sequence[int]
) -> bool:
    """Whether two answers part where their next tokens are about as likely as each other."""
    at = next((at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), None)
    at = min(len(first), len(second)) if at is None else at
    logits = model(input_ids=torch.tensor([[*prompt, *first[:at]]]), use_cache=False).logits[0, -1].float()
    tokens = [said[at] if at < len(said) else max(ends, key=lambda end: float(logits[end])) for said in (first, second)]
    return abs(float(logits[tokens[0]] - logits[tokens[1]])) < NEAR * float(logits.abs().max())


def compare_answers(
    model: Any, prompts: Any, ours: Sequence[Generated], theirs: Any, ends: Sequence[int]
) -> tuple[int, int]:
    """(the same, the others that part at two tokens that are about equally likely)."""
    same = near = 0
    for prompt, mine, other in zip(prompts, ours, theirs, strict=True):
        cut = other[: len(mine.ids)] if mine.finish == "loop" else other
        if mine.ids == cut:
            same += 1
        else:
            near += is_near(model, prompt, mine.ids, cut, ends)
    return same, near


def main() -> None:
    """Measure both ways, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="a run folder, whose adapter answers")
    parser.add_argument("--items", type=int, help="questions in all; default: every test row and twice as many probes")
    parser.add_argument("--new", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default=inspect_hardware("cpu").dtype)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: one thread, its own seconds")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.clock == "cpu":
        torch.set_num_threads(1)
    read: Callable[[], float] = time.process_time if options.clock == "cpu" else time.perf_counter
    base = load_base("demo", device="cpu", dtype=options.dtype)
    model: Any = base.model
    if options.run:
        model = add_adapter(base.model, rank=16, alpha=32, dropout=0.0, targets="all-linear")
        set_adapter(model, options.run / "adapter")
    model.eval()
    prompts = list_prompts(base.tokenizer, options.items)
    ends = end_ids(base.tokenizer, base.model.generation_config)
    print(f"{len(prompts)} questions, {options.dtype}, {options.clock} clock, {os.cpu_count()} cores", flush=True)
    for _ in range(options.rounds):
        started = read()
        limits = [options.new] * len(prompts)
        ours = generate_answers(model, prompts, limits=limits, ends=ends, batch_size=options.batch)
        middle = read()
        theirs = generate_padded(model, prompts, options.new, ends, options.batch)
        ended = read()
        fast, slow = len(prompts) / (middle - started), len(prompts) / (ended - middle)
        same, near = compare_answers(model, prompts, ours, theirs, ends)
        told = f"ours {fast:.2f}, model.generate {slow:.2f} answers a second: {fast / slow:.2f} x"
        print(f"{told}; {same} the same, {near} near, {len(prompts) - same - near} others", flush=True)


if __name__ == "__main__":
    main()
