"""What idle threads of OpenMP should do while they wait, alone on the machine and beside a process that wants a core.

    python benchmarks/waiting.py                 3 rounds, about 4 minutes on 2 cores; nothing else should run

Each measurement is a process of its own, since the policy is read when torch is loaded: the demo model in the type that
runs take here, forward and backward of 4 x 128 tokens, and 24 tokens of 16 answers, each after one that is not counted.
`spin` is the libraries' default, `sleep` is `OMP_WAIT_POLICY=passive`, `one thread` needs no waiting. Printed are the
seconds, median of the rounds, as ratios to `spin` alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLICIES = {"spin": {}, "sleep": {"OMP_WAIT_POLICY": "passive"}, "one thread": {"OMP_NUM_THREADS": "1"}}
NAMES = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "GOMP_SPINCOUNT")
WORKS = ("training", "answering")


def time_work() -> None:
    """Print the seconds of each work."""
    import torch

    from tuneproof.model.generate import generate_answers
    from tuneproof.model.hardware import inspect_hardware
    from tuneproof.model.load import load_base

    model = load_base("demo", device="cpu", dtype=inspect_hardware("cpu").dtype).model
    tokens_BT = torch.arange(512).view(4, 128)

    def train() -> None:
        embedded_BTD = model.get_input_embeddings()(tokens_BT).detach().requires_grad_(True)
        model.model(inputs_embeds=embedded_BTD).last_hidden_state.pow(2).mean().backward()

    def answer() -> None:
        generate_answers(model, tokens_BT.tolist() * 4, limits=[24] * 16, ends=[], batch_size=16)

    print(*(time_second(work) for work in (train, answer)))


def time_second(work: Callable[[], None]) -> float:
    """Seconds that it takes, the second time."""
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def crowd(busy: bool) -> Iterator[None]:
    """With a process beside that computes all the time, if asked for."""
    if not busy:
        yield
        return
    beside = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        beside.kill()
        beside.wait()


def main(rounds: int) -> None:
    """Measure all and print the table."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    seconds: dict[tuple[str, bool], list[list[float]]] = defaultdict(list)
    for _ in range(rounds):
        for busy in (False, True):
            for policy, settings in POLICIES.items():
                with crowd(busy):
                    command = [sys.executable, __file__, "--inside"]
                    done = subprocess.run(command, env=clean | settings, stdout=subprocess.PIPE, text=True, check=True)
                seconds[policy, busy].append([float(part) for part in done.stdout.split()])
    medians = {key: [statistics.median(part) for part in zip(*found, strict=True)] for key, found in seconds.items()}
    alone = medians["spin", False]
    columns = [f"{work}, {where}" for work in WORKS for where in ("alone", "beside")]
    print("| waiting threads | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for policy in POLICIES:
        cells = [f"{medians[policy, busy][at] / alone[at]:.2f}" for at in range(len(WORKS)) for busy in (False, True)]
        print(f"| {policy} | " + " | ".join(cells) + " |")
    print(f"\nSeconds of `spin` alone: {alone[0]:.2f} and {alone[1]:.2f}; {rounds} rounds, {os.cpu_count()} cores.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        time_work()
    else:
        main(options.rounds)
