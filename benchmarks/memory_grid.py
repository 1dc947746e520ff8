"""The plan's promise on a CPU: predicted peak against what real steps and answers of the demo model take.

    python benchmarks/memory_grid.py                      all settings; about 6 minutes on one core
    python benchmarks/memory_grid.py --write              and write benchmarks/memory_grid.md
    python benchmarks/memory_grid.py --only 3 17          some of them

Each setting runs in a process of its own (a fork, so that imports are paid once), in float32: a step to warm up, one
whose resident peak is read, and one under the tracker, which counts live tensor bytes. `resident` is the rise
of the process over that step, and the bytes of weights, adapter and optimizer, which were there before. So that the C
library gives freed blocks back, it runs with MALLOC_MMAP_THRESHOLD_=65536 and MALLOC_ARENA_MAX=1, as the first lines
arrange; without them resident size shows the heap's habits and not the step. A cache's room for tokens to come is
written to as soon as it is there: the system gives memory to what is written only, so that a few short answers would
leave some of what is live out of what is resident (10 % with 32 answers of 12 tokens). Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
if __name__ == "__main__" and any(os.environ.get(name) != value for name, value in MALLOC.items()):
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **MALLOC})

import torch  # noqa: E402
import transformers  # noqa: E402

from tuneproof.config import LoraSection  # noqa: E402
from tuneproof.model.cache import RoomyLayer  # noqa: E402
from tuneproof.model.fold import fold_adapter  # noqa: E402
from tuneproof.model.generate import generate_answers  # noqa: E402
from tuneproof.model.hardware import read_peak, reset_peak  # noqa: E402
from tuneproof.model.load import add_adapter, enable_checkpointing, load_base, load_config  # noqa: E402
from tuneproof.model.step import build_optimizer, sum_loss  # noqa: E402
from tuneproof.plan.subject import describe_subject  # noqa: E402
from tuneproof.plan.trace import Answering, Step, lay_pack, trace_answers, trace_step  # noqa: E402
from tuneproof.plan.tracker import Tracker  # noqa: E402

MIB = 1 << 20
TABLE = Path(__file__).with_suffix(".md")
LIVE_TARGET, RESIDENT_TARGET = 0.1, 1.5
"""Percent."""
ALL = "all-linear"
ATTENTION = ("q_proj", "v_proj")


class Setting(NamedTuple):
    """A step or a batch of answers, and the adapter it is made with."""

    name: str
    shape: Step | Answering
    rank: int = 8
    targets: str | tuple[str, ...] = ALL


def list_settings() -> list[Setting]:
    """The grid: micro-batch, length, rank, targets, checkpointing, chunk, packing, accumulation, answers."""

    def train(rows: int, length: int, recomputed: bool = False, chunk: int = 256, accumulating: bool = False) -> Step:
        return Step((length,) * rows, rows * length // 2, recomputed, chunk, accumulating)

    grid = [
        Setting("1 row of 64", train(1, 64)),
        Setting("1 row of 256", train(1, 256)),
        Setting("1 row of 512, recomputed", train(1, 512, True)),
        Setting("2 rows of 128", train(2, 128)),
        Setting("2 rows of 128, recomputed", train(2, 128, True)),
        Setting("4 rows of 64", train(4, 64)),
        Setting("4 rows of 64, recomputed", train(4, 64, True)),
        Setting("8 rows of 32", train(8, 32)),
        Setting("8 rows of 48, recomputed", train(8, 48, True)),
        Setting("packed: rows of 150, 70, 20, 16", Step((150, 70, 20, 16), 100, False, 256)),
        Setting("packed: the same, recomputed", Step((150, 70, 20, 16), 100, True, 256)),
        Setting("packed: 12 rows of 16 to 27", Step(tuple(range(16, 28)), 150, False, 64)),
        Setting("chunk of 16", train(1, 256, chunk=16)),
        Setting("chunk of 64", train(1, 256, chunk=64)),
        Setting("chunk of 128, recomputed", train(1, 256, True, 128)),
        Setting("all tokens in one chunk of 512", Step((256,), 255, False, 512)),
        Setting("every token trained, recomputed", Step((256,), 255, True, 64)),
        Setting("gradients of an earlier pack", train(2, 96, accumulating=True)),
        Setting("gradients of an earlier pack, recomputed", train(2, 96, True, accumulating=True)),
        Setting("rank 1", train(1, 192), rank=1),
        Setting("rank 32", train(1, 192), rank=32),
        Setting("rank 64, recomputed", train(1, 192, True), rank=64),
        Setting("queries and values only", train(1, 192), targets=ATTENTION),
        Setting("queries and values only, recomputed", train(1, 192, True), rank=16, targets=ATTENTION),
        Setting("feed-forward only", train(1, 192), targets=("gate_proj", "up_proj", "down_proj")),
        Setting("answers: 1 prompt of 200, 16 new", Answering(1, 200, 16)),
        Setting("answers: 8 prompts of 100, 16 new", Answering(8, 100, 16)),
        Setting("answers: 32 prompts of 40, 12 new", Answering(32, 40, 12)),
        Setting("answers: 8 prompts of 100, folded", Answering(8, 100, 8, True)),
    ]
    return grid


def measure_setting(setting: Setting) -> dict[str, float]:
    """Predicted and measured bytes; run in a process of its own."""
    base = load_base("demo", device="cpu", dtype="float32")
    targets = setting.targets if isinstance(setting.targets, str) else list(setting.targets)
    model = add_adapter(base.model, rank=setting.rank, alpha=16, dropout=0.0, targets=targets)
    lora = LoraSection(rank=setting.rank, alpha=16, targets=targets)
    subject = describe_subject(load_config("demo"), dtype="float32", lora=lora)
    optimizer = build_optimizer(model.parameters(), 1e-4)
    if isinstance(setting.shape, Step):
        predicted = trace_step(subject, setting.shape, kernel="cpu").peak
        if setting.shape.checkpointing:
            enable_checkpointing(base.model)
        run = make_step(model, optimizer, setting.shape)
    else:
        predicted = trace_answers(subject, setting.shape, kernel="cpu").peak
        write_room()
        run = make_answers(model, setting.shape)
    # The first call prepares kernels and the optimizer's state, and touches code that was not read before.
    run()
    static = count_static(model, optimizer)
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = read_resident()
    reset_peak("cpu")
    run()
    resident = (read_peak("cpu") or 0) - before + static
    tracker = Tracker("cpu", vocabulary=base.model.config.vocab_size)
    follow_static(tracker, model, optimizer)
    with tracker:
        run()
    return {"predicted": predicted, "live": tracker.peak, "resident": resident}


def make_step(model: Any, optimizer: torch.optim.Optimizer, step: Step) -> Callable[[], None]:
    """An optimizer step as the trainer takes it."""

    def run() -> None:
        model.train()
        for _ in range(2 if step.accumulating else 1):
            loss = sum_loss(model, lay_pack(step, "cpu"), chunk=step.chunk)
            (loss / step.trained).backward()
            del loss
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return run


def make_answers(model: Any, shape: Answering) -> Callable[[], None]:
    """A batch of answers as the evaluation makes it, none ending before its limit."""
    prompts = [[7 + row] * shape.prompt for row in range(shape.rows)]

    def run() -> None:
        with fold_adapter(model) if shape.folded else nullcontext():
            generate_answers(model, prompts, limits=[shape.new] * shape.rows, ends=[], batch_size=shape.rows)

    return run


def write_room() -> None:
    """Let every cache write to its room at once."""
    plain = RoomyLayer._move_to_larger

    def move(layer: RoomyLayer, keys: torch.Tensor, values: torch.Tensor, length: int, capacity: int) -> None:
        plain(layer, keys, values, length, capacity)
        for buffer in layer.buffers or ():
            buffer[:, :, length:].zero_()

    RoomyLayer._move_to_larger = move  # type: ignore[assignment,method-assign]


def list_static(model: Any, optimizer: torch.optim.Optimizer) -> list[tuple[torch.Tensor, str]]:
    """What is there before a step, and its part of the plan."""
    kept = [(one, "adapter" if one.requires_grad else "weights") for one in model.parameters()]
    kept += [(one, "weights") for one in model.buffers()]
    return kept + [(one, "optimizer") for state in optimizer.state.values() for one in state.values()]


def count_static(model: Any, optimizer: torch.optim.Optimizer) -> int:
    """Bytes of what is there before a step, each storage once."""
    storages = {tensor.untyped_storage()._cdata: tensor for tensor, _ in list_static(model, optimizer)}
    return sum(tensor.untyped_storage().nbytes() for tensor in storages.values())


def follow_static(tracker: Tracker, model: Any, optimizer: torch.optim.Optimizer) -> None:
    """Tell the tracker of it."""
    for tensor, part in list_static(model, optimizer):
        tracker.follow(tensor, part)


def read_resident() -> int:
    """Resident bytes of this process now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fork_setting(setting: Setting) -> dict[str, float]:
    """`measure_setting` in a child process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(measure_setting(setting)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    found: dict[str, float] = json.loads(told)
    return found


def main(only: list[int], write: bool) -> int:
    """Measure, print the table, and write it if asked; 1 when a target is missed."""
    rows, worst = [], {"live": 0.0, "resident": 0.0}
    for number, setting in enumerate(list_settings(), start=1):
        if only and number not in only:
            continue
        found = fork_setting(setting)
        errors = {name: 100 * (found["predicted"] / found[name] - 1) for name in worst}
        for name, error in errors.items():
            worst[name] = max(worst[name], abs(error), key=abs)
        sizes = " | ".join(f"{found[name] / MIB:.1f}" for name in ("predicted", "live", "resident"))
        rows.append(f"| {number} | {setting.name} | {sizes} | {errors['live']:+.3f} | {errors['resident']:+.2f} |")
        print(rows[-1], flush=True)
    head = (
        f"{len(rows)} settings, demo model, float32, {platform.machine()}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, transformers {transformers.__version__}. Sizes in MiB.\n"
        f"Worst: {worst['live']:.3f} % of the live bytes (target {LIVE_TARGET}), {worst['resident']:.2f} % of the "
        f"resident peak (target {RESIDENT_TARGET}).\n"
    )
    print(head)
    if write:
        columns = "| | setting | predicted | live | resident | of live, % | of resident, % |"
        note = "Written by `python benchmarks/memory_grid.py --write`; what the columns mean stands in the script.\n"
        lines = ["# Predicted against measured peaks\n", note, head, columns, "| --- " * 7 + "|", *rows]
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(worst["live"] > LIVE_TARGET or worst["resident"] > RESIDENT_TARGET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", type=int, default=[])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sys.exit(main(options.only, options.write))
