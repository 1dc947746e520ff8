"""How long `tuneproof check` takes on a large file, and how much memory, against a reader and a MinHash index.

    python benchmarks/check_scale.py --rows 100000      about 80 MB; --rows 1200000 is 1 GB

The file is generated: questions and answers in English and Chinese, some exact and some near copies. Then, one after
the other, each in a process of its own and on the same file:

- `check`: `tuneproof check FILE --json`, all of it: reading, every finding, clusters, the split.
- `datasets`: `datasets.load_dataset("json")`, into an empty cache folder.
- `datasketch`: MinHash of 128 permutations and its LSH at 0.8 over the questions' character 5-grams.

Time is that of the whole process, by the clock and of all cores; memory is the largest resident size of the process,
and of all its children at once for `check`, which checks a quarter of the rows too: what does not grow from there is no
index. datasets and datasketch are no dependencies of this project:
`pip install datasets datasketch`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

SYLLABLES = ("ba", "ke", "li", "mon", "nur", "pra", "sto", "tri", "vel", "wen", "zo", "dar", "fi", "gu", "hal", "jo")
HAN = "".join(chr(0x4E00 + 7 * number) for number in range(600))
OPENINGS = ("Explain", "Describe", "Summarise", "List the main points of", "Write a short note about", "Compare")
OPENINGS_ZH = ("请解释", "请描述", "请总结", "请列出要点：", "请写一段话介绍", "请比较")
READ = """
import sys, time
from datasets import load_dataset
print(len(load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])))
"""
INDEX = """
import json, sys
from datasketch import MinHash, MinHashLSH
lsh, near = MinHashLSH(threshold=0.8, num_perm=128), 0
with open(sys.argv[1], encoding="utf-8") as file:
    for number, line in enumerate(file):
        row = json.loads(line)
        text = " ".join((row["instruction"] + "\\n" + row["input"]).casefold().split())
        one = MinHash(num_perm=128)
        one.update_batch({text[at:at + 5].encode() for at in range(max(1, len(text) - 4))})
        near += bool(lsh.query(one))
        lsh.insert(number, one)
print(near)
"""


def write_rows(path: Path, count: int, seed: int = 0) -> None:
    """A JSON lines file of `count` rows of about 830 bytes: one in fifty a copy, one in fifty nearly one."""
    with path.open("w", encoding="utf-8") as file:
        for row in make_rows(count, random.Random(seed)):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def make_rows(count: int, generator: random.Random) -> Iterator[dict[str, str]]:
    """The rows, one after the other; a copy follows a row that came at most a thousand rows before."""
    words = ["".join(generator.choices(SYLLABLES, k=generator.randint(1, 4))) for _ in range(20_000)]
    recent: list[dict[str, str]] = []
    for number in range(count):
        if recent and number % 50 == 7:
            row = generator.choice(recent)
        elif recent and number % 50 == 33:
            row = generator.choice(recent)
            row = {**row, "instruction": f"{row['instruction']} Thanks!", "output": make_text(generator, words, 400)}
        elif number % 4 == 3:
            row = {
                "instruction": generator.choice(OPENINGS_ZH) + make_chinese(generator, 24),
                "input": make_chinese(generator, 60),
                "output": make_chinese(generator, 170),
            }
        else:
            row = {
                "instruction": f"{generator.choice(OPENINGS)} {make_text(generator, words, 70)}",
                "input": make_text(generator, words, 240),
                "output": make_text(generator, words, 480),
            }
        recent = [*recent[-999:], row] if number % 10 == 0 else recent
        yield row


def make_text(generator: random.Random, words: list[str], length: int) -> str:
    """Sentences of about `length` characters."""
    text: list[str] = []
    size = 0
    while size < length:
        sentence = " ".join(generator.choices(words, k=generator.randint(5, 14))).capitalize() + "."
        text.append(sentence)
        size += len(sentence) + 1
    return " ".join(text)


def make_chinese(generator: random.Random, length: int) -> str:
    """Chinese signs in sentences of 8 to 20."""
    text: list[str] = []
    size = 0
    while size < length:
        sentence = "".join(generator.choices(HAN, k=generator.randint(8, 20))) + "。"
        text.append(sentence)
        size += len(sentence)
    return "".join(text)


class Cost(NamedTuple):
    """What a command took, its child processes included."""

    seconds: float
    cpu: float
    """Seconds of all cores: unlike the clock, hardly changed by other work on the machine."""
    largest: int
    """Resident bytes at the peak."""


def measure(command: list[str], folder: Path) -> tuple[Cost, str]:
    """What a command took, and what it printed."""
    environment = {**os.environ, "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    started, before, largest = time.perf_counter(), os.times(), 0
    with (folder / "out").open("w+", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, env=environment)
        while process.poll() is None:
            largest = max(largest, sum_memory(process.pid))
            time.sleep(0.05)
        took, after = time.perf_counter() - started, os.times()
        out.seek(0)
        printed = out.read()
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(took, cpu, largest), printed


def sum_memory(process: int) -> int:
    """Resident bytes of a process and all below it; memory that they share is counted for one of them only."""
    try:
        top = psutil.Process(process)
        family = [top, *top.children(recursive=True)]
        if len(family) == 1:
            return int(top.memory_info().rss)
        return sum(
            int(one.memory_full_info().pss if hasattr(psutil, "LINUX") and psutil.LINUX else one.memory_info().rss)
            for one in family
        )
    except psutil.Error:
        return 0


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", choices=("check", "datasets", "datasketch"))
    parser.add_argument("--folder", type=Path, help="where the file is generated; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        path = folder / f"rows-{options.rows}.jsonl"
        if not path.exists():
            write_rows(path, options.rows)
        print(f"{options.rows:,} rows, {path.stat().st_size / 1e6:.1f} MB")
        commands = {
            "check": [sys.executable, "-m", "tuneproof", "check", str(path), "--json", "--lang", "en"],
            "datasets": [sys.executable, "-c", READ, str(path), str(Path(temporary) / "cache")],
            "datasketch": [sys.executable, "-c", INDEX, str(path)],
        }
        costs: dict[str, Cost] = {}
        for name, command in commands.items():
            if options.only in (None, name):
                cost, printed = measure(command, Path(temporary))
                costs[name] = cost
                said = json.loads(printed)["counts"] if name == "check" else printed.strip()
                print(
                    f"{name:11} {cost.seconds:8.1f} s  {cost.cpu:8.1f} s CPU  {cost.largest / 1e6:8.0f} MB  "
                    f"{options.rows / cost.seconds:8.0f} rows/s  {said}"
                )
        if "check" in costs:
            write_rows(part := folder / f"rows-{options.rows // 4}.jsonl", options.rows // 4)
            fewer, _ = measure([*commands["check"][:4], str(part), *commands["check"][5:]], Path(temporary))
            row = (costs["check"].largest - fewer.largest) / (options.rows - options.rows // 4)
            rest = fewer.largest - row * (options.rows // 4)
            print(f"of this {rest / 1e6:.0f} MB do not grow with the rows, and the index takes {row:.0f} bytes a row")
        if len(costs) == len(commands):
            pair = costs["datasets"].seconds + costs["datasketch"].seconds
            work = costs["datasets"].cpu + costs["datasketch"].cpu
            print(f"check is {pair / costs['check'].seconds:.1f} times as fast as datasets and datasketch together,")
            print(f"with {work / costs['check'].cpu:.1f} times less work of the cores")


if __name__ == "__main__":
    main()
