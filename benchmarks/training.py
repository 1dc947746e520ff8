"""How fast training is: ours beside a plain Trainer, TRL, and TRL with packing, on the same work, in one run.

    python benchmarks/training.py --data rows.json --keep rounds.jsonl      one round, 3 to 4 minutes on 2 cores
    python benchmarks/training.py --data rows.json --rounds 5               several
    python benchmarks/training.py --show rounds.jsonl                       the table of all rounds so far

One model, the same rows as the same token ids, the same trained tokens, LoRA, optimizer and learning rate; each trainer
in a process of its own, one after the other (`contenders.py`). `--data` takes any file that tuneproof reads and may be
repeated; rows are drawn evenly from all of it, so that `--steps` see the lengths that the whole has. The first step of
each is warm-up and not timed. Ratios are within a round, since a machine's speed drifts between rounds; it does within
a round as well, so beside each ratio stands what it would be at one speed of matrix products, which is measured after
every step on a processor. `--clock cpu` counts the seconds of one thread instead of the wall's, for a machine that does
other work beside it.

    python benchmarks/training.py --device cuda --random qwen1.5-1.8b --tokenizer FOLDER --data rows.json --batch 8

On a GPU without a hub: a model of known dimensions whose weights are random numbers, with any tokenizer of fewer words.

The share of the machine's matrix-product rate (on a processor the rate at the time of each step) counts what the model
needs and nothing else: two operations a weight and token in the forward, two for the gradient by the inputs, six a
weight of the adapter, the head at trained tokens alone, attention within rows. TRL is no dependency of this project:
`pip install trl datasets`. LLaMA-Factory and soup-cli want other versions of what we share, so each has an environment
of its own, with its own torch:

    python -m venv factory && factory/bin/pip install llamafactory
    python -m venv soup && soup/bin/pip install "soup-cli[all]"
    python -m benchmarks.training --data a.json --peer LLaMA-Factory=factory/bin/python --peer soup-cli=soup/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from benchmarks.contenders import CONTENDERS, Job, Mark, list_versions, measure_rate
from tuneproof.data.read import read_rows
from tuneproof.model.chat import encode_row
from tuneproof.model.find import find_model
from tuneproof.model.hardware import DtypeName, inspect_hardware
from tuneproof.model.load import load_tokenizer
from tuneproof.plan.catalogue import find_known
from tuneproof.plan.formula import Dimensions, count_adapter, count_linear, read_dimensions

ROOT = Path(__file__).parents[1]
ELSEWHERE = ("LLaMA-Factory", "soup-cli")
"""Contenders that need an environment of their own."""
LONGEST = 1024
"""Longer rows are left out: TRL would cut them at this length by default."""
OURS = "tuneproof"
DTYPES: tuple[DtypeName, ...] = ("float32", "bfloat16")


class Measured(NamedTuple):
    """One contender in one round."""

    trained: float
    """Trained tokens a second."""
    tokens: float
    peak: float
    """GB."""
    loss: float
    """Mean over all trained tokens of the round, in nats."""
    rate: float
    """Of the machine's matrix products in its faster dtype, over the timed steps, in operations a second."""
    share: float
    """Of that rate."""
    wall: float
    """Seconds of the whole process: imports, loading, every step."""


def draw_rows(files: Sequence[Path], model: str, count: int, pool: int) -> list[tuple[list[int], list[bool]]]:
    """`count` rows spread evenly over the first `pool` of each file, in the files' order, as ids and mask."""
    tokenizer = load_tokenizer(model)
    found = []
    for file in files:
        rows = read_rows([file], columns=None, task=None, system_prompt=None, encoding=None).rows
        found += [encode_row(tokenizer, row.messages) for row in rows[:pool]]
    short = [row for row in found if len(row.ids) <= LONGEST and sum(row.mask[1:])]
    every = len(short) / count
    return [(row.ids, row.mask) for row in (short[int(at * every)] for at in range(count))]


def write_random(name: str, tokenizer: Path, folder: Path) -> str:
    """A model folder with the dimensions of a known model, random bfloat16 weights and the tokenizer of `tokenizer`."""
    known = find_known(name)
    if known is None:
        raise SystemExit(f"{name}: not among the models whose dimensions are known")
    config = AutoConfig.for_model(**known.config)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    return str(folder)


def count_operations(sizes: Dimensions, job: Job, rows: Sequence[tuple[list[int], list[bool]]]) -> float:
    """Floating-point operations that a LoRA step on these rows needs."""
    tokens, trained = sum(len(ids) for ids, _ in rows), sum(sum(mask[1:]) for _, mask in rows)
    body = 4 * count_linear(sizes) * tokens + 6 * count_adapter(sizes, job.rank) * tokens
    head = 4 * sizes.vocabulary * sizes.hidden * trained
    # Scores and values over half the square, and 2.5 times that backward.
    pairs = sum(len(ids) ** 2 / 2 for ids, _ in rows)
    return body + head + 3.5 * 4 * pairs * sizes.layers * sizes.heads * sizes.head_size


def run_contender(name: str, job: Job, python: str = sys.executable) -> dict[str, Any] | None:
    """What a contender did, in a process of its own; None where it fails, with its last words told."""
    with tempfile.TemporaryDirectory() as folder:
        job_file, out = Path(folder, "job.json"), Path(folder, "out.json")
        told = job._replace(out=str(Path(folder, "run")))._asdict()
        job_file.write_text(json.dumps(told), encoding="utf-8")
        command = [python, str(Path(__file__).with_name("contenders.py")), name, str(job_file), str(out)]
        paths = [str(ROOT / "src"), str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        place = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        if job.clock == "cpu":
            place |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=place)
        if done.returncode or not out.is_file():
            print(f"{name}: failed\n{done.stderr[-1500:]}", file=sys.stderr, flush=True)
            return None
        result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return result


def weigh_rate(marks: Sequence[Mark]) -> float:
    """The machine's rate over the steps after the first: of each, the mean of what was measured at its two ends."""
    timed = list(pairwise(marks))
    done = sum((end.seconds - start.seconds) * (start.rate + end.rate) / 2 for start, end in timed)
    return done / (marks[-1].seconds - marks[0].seconds)


def run_round(job: Job, names: Sequence[str], pythons: Mapping[str, str]) -> dict[str, Any]:
    """Run each contender once, by an interpreter of its own if it has one; one that fails is told and left out."""
    sizes = read_dimensions(AutoConfig.from_pretrained(job.model))
    rates = {name: measure_rate(job, name, times=5) for name in DTYPES}
    fastest: DtypeName = max(DTYPES, key=lambda name: rates[name])
    job = job._replace(product=fastest)
    found: dict[str, Any] = {"clock": job.clock, "rates": rates, "measured": {}, "versions": list_versions()}
    found["hardware"] = inspect_hardware(job.device).name
    timed = job.rows[job.batch :]
    needed = count_operations(sizes, job, timed) / sum(len(ids) for ids, _ in timed)
    for name in names:
        started = time.perf_counter()
        result = run_contender(name, job, pythons.get(name, sys.executable))
        wall = time.perf_counter() - started
        if result is None:
            continue
        first, *marks = result["marks"]
        seconds = marks[-1][0] - first[0]
        tokens, trained = sum(mark[1] for mark in marks), sum(mark[2] for mark in marks)
        every = [first, *marks]
        loss = sum(mark[3] * mark[2] for mark in every) / sum(mark[2] for mark in every)
        rate = weigh_rate([Mark(*mark) for mark in every]) or max(rates.values())
        share = needed * tokens / seconds / rate
        measured = Measured(trained / seconds, tokens / seconds, result["peak"] / 1e9, loss, rate, share, wall)
        found["measured"][name] = measured._asdict()
        if name in pythons:
            found["versions"] |= {f"{name}: {package}": told for package, told in result["versions"].items()}
        print(f"{name:20} {measured.trained:7.1f} trained tokens/s, {trained} timed, {wall:.0f} s", flush=True)
    return found


def show_rounds(rounds: Sequence[dict[str, Any]]) -> None:
    """Print the table: medians, and the ratio to ours with its lowest and highest round."""
    rates = {name: statistics.median(one["rates"][name] for one in rounds) / 1e9 for name in rounds[0]["rates"]}
    versions = ", ".join(f"{name} {version}" for name, version in rounds[-1]["versions"].items())
    unit = "seconds of one thread's work" if rounds[0]["clock"] == "cpu" else f"{torch.get_num_threads()} threads"
    print(f"{rounds[0]['hardware']}, {unit}; Python {platform.python_version()}, {versions}")
    told = ", ".join(f"{rate:.0f} GFLOP/s in {name}" for name, rate in rates.items())
    print(f"matrix products: {told}; {len(rounds)} rounds")
    heads = ("trainer", "trained tokens/s", "all tokens/s", "ours is faster by", "at one rate", "peak GB")
    more = ("GFLOP/s of products", "share of rate", "mean loss", "wall s")
    print(f"| {' | '.join((*heads, *more))} |\n|{' --- |' * len((*heads, *more))}")
    for name in CONTENDERS:
        kept = [one for one in rounds if name in one["measured"] and OURS in one["measured"]]
        if not kept:
            continue
        middle = {field: statistics.median(one["measured"][name][field] for one in kept) for field in Measured._fields}
        pairs = [(one["measured"][OURS], one["measured"][name]) for one in kept]
        ratios = [ours["trained"] / its["trained"] for ours, its in pairs]
        even = [ratio * its["rate"] / ours["rate"] for ratio, (ours, its) in zip(ratios, pairs, strict=True)]
        shares = [its["share"] for _, its in pairs]
        print(
            f"| {name} | {middle['trained']:.0f} | {middle['tokens']:.0f} "
            f"| {tell_spread(ratios)} | {tell_spread(even)} | {middle['peak']:.2f} "
            f"| {middle['rate'] / 1e9:.0f} | {tell_spread(shares)} | {middle['loss']:.4f} | {middle['wall']:.0f} |"
        )


def tell_spread(found: Sequence[float]) -> str:
    """Their median, with the lowest and the highest."""
    return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def main() -> None:
    """Rounds, or the table of those that were kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--random", help="a model of the table `plan` knows, with random weights, instead of --model")
    parser.add_argument("--tokenizer", type=Path, help="its tokenizer's folder")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--pool", type=int, default=400, help="rows of each file that are drawn from")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: one thread, its own seconds")
    parser.add_argument("--limit", type=float, default=3600, help="seconds that a contender may take")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS)
    parser.add_argument("--peer", action="append", default=[], help="NAME=PYTHON: a contender of another environment")
    parser.add_argument("--keep", type=Path, help="file that rounds are added to")
    parser.add_argument("--show", type=Path, help="print the table of a file of rounds")
    options = parser.parse_args()
    if options.show:
        kept = [json.loads(line) for line in options.show.read_text(encoding="utf-8").splitlines()]
        if any("rate" not in measured for one in kept for measured in one["measured"].values()):
            raise SystemExit(
                f"{options.show}: has rounds whose rate was measured once, before them; keep new ones apart"
            )
        return show_rounds(kept)
    files = options.data or [Path(__file__).parents[1] / "src/tuneproof/demo/service_desk.jsonl"]
    with tempfile.TemporaryDirectory() as folder:
        model = write_random(options.random, options.tokenizer, Path(folder)) if options.random else options.model
        rows = draw_rows(files, model, options.steps * options.batch, options.pool)
        lora = (options.rank, 2 * options.rank)
        how = (options.clock, options.device, options.limit)
        job = Job(find_model(model), rows, options.batch, *lora, 5e-4, 17, "", *how)
        if options.clock == "cpu":
            torch.set_num_threads(1)
        pythons = dict(peer.split("=", 1) for peer in options.peer)
        there = [name for name in CONTENDERS if name not in ELSEWHERE or name in pythons]
        names = options.only or [name for name in there if options.device == "cuda" or "Liger" not in name]
        rounds = []
        for _ in range(options.rounds):
            rounds.append(run_round(job, names, pythons))
            if options.keep:
                with options.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rounds[-1]) + "\n")
    return show_rounds(rounds)


if __name__ == "__main__":
    main()
