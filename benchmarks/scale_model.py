"""The cost model of docs/scale.md: what each stage takes by rows, model and workers, and what breaks first.

Nobody here has run 1e8 rows or 1,024 GPUs. What can be measured on one machine is (`--measure`, and the figures of
RESULTS.md that are named beside the constants); what cannot is assumed, and said to be. The shares of the workers are
simulated by the code's own rule (`model/crew`), for as many ranks as there would be.

    python -m benchmarks.scale_model                # the table
    python -m benchmarks.scale_model --write        # into docs/scale.md and docs/scale.zh-CN.md
    python -m benchmarks.scale_model --measure      # the constants of this machine, in about 20 seconds
"""

from __future__ import annotations

import argparse
import heapq
import math
import time
import tracemalloc
from functools import cache
from statistics import NormalDist
from typing import NamedTuple

from benchmarks.pages import fill_page, list_pages
from tuneproof.plan.recipe import choose_epochs

MARK = "cost"

# Measured; the lines of RESULTS.md that they are from.
CHECKED = 1_200_000 / 328  # rows a second of `check` on 2 cores ("1,200,000 rows")
INDEX = 1_024  # bytes a row of its index, same line
USEFUL = 0.34 * 791e12  # FLOP/s of a training step on an H100 ("On an H100", speed)
STEP_FLOOR = 3_400 / 16_100 / 24  # seconds a layer that a short step waits for Python (same section, real lengths)
ANSWERS = 470 / 46  # answers a second of a 0.135 B model on an H100 (same section, the whole product)

# Measured by `--measure` on 2 cores of an AMD EPYC, 2026-11-27, other jobs beside it.
ENCODED = 2_446 * 66  # tokens a second that the demo's tokenizer encodes, template and mask included, one process
HELD = 7_207  # bytes that an encoded row of 200 tokens takes in memory
SHUFFLED = 1.14e7  # indices a second that torch.randperm puts in order
HASHED = 6.98e8  # bytes a second of a checkpoint that are hashed; a disk's own speed is not counted

# Assumed.
TOKENS = 200  # of a row
BATCH = 16  # rows a step: LoRA bears larger ones badly (docs/evidence.md, rule 5)
NEAR, FAR = 200e9, 25e9  # bytes a second between GPUs of a machine, and between machines of 8
MEMORY = 3.35e12  # bytes a second of an H100's memory
ITEMS = 1_500  # answers of a run: base, candidates, tuned model
ANSWER = 60  # tokens of an answer
HOST = 256e9  # bytes of the lead's own memory
CARD = 80e9  # bytes of a GPU
PRICE = 3.0  # dollars a GPU hour
RANK = 16

# Weights in billions, layers, hidden size of the usual shapes.
MODELS = ((0.135, 30, 576), (1.8, 24, 2_048), (7.6, 28, 3_584), (70.0, 80, 8_192))
ROWS = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
WORKERS = (1, 8, 1_024)


class Model(NamedTuple):
    """A model's size."""

    billions: float
    layers: int
    hidden: int

    @property
    def adapter_bytes(self) -> float:
        """Gradients of an adapter on all linear layers, float32: 20 r h a layer (q, k, v, o, gate, up, down)."""
        return 4.0 * 20 * RANK * self.layers * self.hidden

    @property
    def weight_bytes(self) -> float:
        """In 16 bits where they fit a card beside a step, else in 4 (NF4 with its scales)."""
        return 1e9 * self.billions * (2.0 if 2.4e9 * self.billions < CARD else 0.55)


class Times(NamedTuple):
    """Seconds of each stage, and what is used up."""

    read: float
    """Check, tokenise, shuffle: the lead alone."""
    train: float
    answer: float
    save: float
    waits_for: str
    """What a step spends most of its time on."""
    host: float
    """Bytes of the lead's memory."""


@cache
def find_share(workers: int, pieces: int, spread: float) -> float:
    """Share of the work that the busiest rank has, by the rule of `Crew.share` (the largest first, each to who has
    least); `spread`: of the sizes, in logarithm."""
    # Quantiles of a log-normal distribution, so that the table is the same each time.
    sizes = [math.exp(spread * NormalDist().inv_cdf((at + 0.5) / pieces)) for at in range(pieces)]
    totals = [0.0] * workers
    for size in reversed(sizes):
        heapq.heapreplace(totals, totals[0] + size)
    return max(totals) / sum(sizes)


def reduce_seconds(model: Model, workers: int) -> float:
    """A ring's all-reduce of the adapter's gradients: 2 (w - 1) / w of their bytes over the slowest link."""
    if workers == 1:
        return 0.0
    return 2 * (workers - 1) / workers * model.adapter_bytes / (NEAR if workers <= 8 else FAR)


def time_run(rows: int, model: Model, workers: int) -> Times:
    """What a run takes."""
    steps = choose_epochs(rows) * rows / BATCH
    share = find_share(workers, BATCH, 0.6)
    compute = share * BATCH * TOKENS * 4e9 * model.billions / USEFUL
    wait, reduce = STEP_FLOOR * model.layers, reduce_seconds(model, workers)
    parts = {"arithmetic": max(compute - wait, 0.0), "Python": min(wait, compute + wait), "network": reduce}
    step = max(compute, wait) + reduce
    each = max(1 / ANSWERS, ANSWER * model.weight_bytes / MEMORY / 32)
    return Times(
        read=rows / CHECKED + rows * TOKENS / ENCODED + choose_epochs(rows) * rows / SHUFFLED,
        train=steps * step,
        answer=ITEMS * each * find_share(workers, ITEMS, 0.8),
        save=8 * 3 * model.adapter_bytes / HASHED,
        waits_for=max(parts, key=lambda name: parts[name]),
        host=rows * (INDEX + HELD),
    )


BREAKS = {
    "host": ("the lead's memory: {need:.0f} GB of rows", "主进程的内存：数据占 {need:.0f} GB"),
    "read": ("reading and checking, by one process", "由一个进程读取和检查数据"),
    "weights": ("weights: 4 bits, or split over GPUs", "权重：用 4 位，或拆到多块 GPU 上"),
    "batch": ("the batch: {batch} rows keep {batch} workers busy", "批大小：{batch} 条数据只够 {batch} 个进程"),
    "nothing": ("nothing", "无"),
}
WAITS = {"arithmetic": "计算", "Python": "Python", "network": "网络"}


def find_break(rows: int, model: Model) -> str:
    """What breaks first when the run is given more workers."""
    one, many = time_run(rows, model, 8), time_run(rows, model, WORKERS[-1])
    if many.host > HOST:
        return "host"
    if many.read > many.train:
        return "read"
    if 2.4e9 * model.billions >= CARD:
        return "weights"
    return "batch" if one.train > 600 else "nothing"


def show_time(seconds: float) -> str:
    """The largest unit that leaves two figures."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"


def draw_table(*, chinese: bool) -> str:
    """The table as Markdown."""
    english = "rows|model|read, check|training by 1, 8, 1,024|answers by 1, 8, 1,024|cost (8)|waits for|breaks first"
    chinese_heads = "行数|模型|读取、检查|训练：1、8、1,024 个进程|回答：1、8、1,024|8 个的费用|一步在等什么|最先到头的"
    heads = f"| {' | '.join((chinese_heads if chinese else english).split('|'))} |"
    lines = [heads, "|" + " --- |" * 8]
    for rows in ROWS:
        for model in (Model(*one) for one in MODELS):
            runs = [time_run(rows, model, workers) for workers in WORKERS]
            eight = runs[1]
            hours = (eight.read + eight.train + eight.answer + eight.save) / 3600
            told = BREAKS[find_break(rows, model)][chinese].format(need=eight.host / 1e9, batch=BATCH)
            cells = [
                f"{rows:,}",
                f"{model.billions:g} B",
                show_time(eight.read),
                ", ".join(show_time(one.train) for one in runs),
                ", ".join(show_time(one.answer) for one in runs),
                f"{8 * hours * PRICE:,.0f} $",
                WAITS[eight.waits_for] if chinese else eight.waits_for,
                told,
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measure() -> None:
    """Print the constants of this machine that are measured here."""
    import hashlib
    import json

    import torch

    from tuneproof.demo import demo_data_path, demo_model_path
    from tuneproof.model.chat import encode_row
    from tuneproof.model.load import load_tokenizer
    from tuneproof.records.data import Message

    lines = [json.loads(line) for line in demo_data_path().read_text(encoding="utf-8").splitlines()]
    asked = [(line.get("instruction"), line.get("output")) for line in lines]
    rows = [
        [Message(role="user", content=question), Message(role="assistant", content=answer)]
        for question, answer in asked
        if isinstance(question, str) and isinstance(answer, str) and question and answer
    ]
    tokenizer = load_tokenizer(str(demo_model_path()))
    encode_row(tokenizer, rows[0])
    begun = time.perf_counter()
    tracemalloc.start()
    kept = [encode_row(tokenizer, messages) for messages in rows]
    size, tokens = tracemalloc.get_traced_memory()[0], sum(len(one.ids) for one in kept)
    tracemalloc.stop()
    print(f"held: {size / tokens * TOKENS:,.0f} bytes a row of {TOKENS} tokens")
    begun = time.perf_counter()
    kept = [encode_row(tokenizer, messages) for messages in rows]
    seconds = time.perf_counter() - begun
    print(f"encoded: {len(rows) / seconds:,.0f} rows/s of {tokens / len(rows):.0f} tokens")
    begun = time.perf_counter()
    torch.randperm(10**7)
    print(f"shuffled: {1e7 / (time.perf_counter() - begun):,.0f} indices/s")
    data = bytes(1 << 28)
    begun = time.perf_counter()
    hashlib.sha256(data)
    print(f"hashed: {len(data) / (time.perf_counter() - begun):,.0f} bytes/s (a checkpoint is written besides)")


def main() -> None:
    """The table, the pages, or the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--measure", action="store_true")
    given = parser.parse_args()
    if given.measure:
        measure()
        return
    if given.write:
        for language, page in list_pages("scale").items():
            table = draw_table(chinese=language == "zh")
            page.write_text(fill_page(page.read_text(encoding="utf-8"), MARK, table), encoding="utf-8")
    print(draw_table(chinese=False))


if __name__ == "__main__":
    main()
