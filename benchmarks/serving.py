"""What the server bears: streaming clients, time to the first token, no answer in another's place, nothing left behind.

    python benchmarks/serving.py runs/demo                   1,000 requests of 32 clients; about 7 minutes on 2 cores
    python benchmarks/serving.py runs/demo --requests 200    a shorter look

`tuneproof serve` runs as a process of its own, clients in this one; both share the machine. First `--alone` requests
one at a time, then all of them by 32 clients, each with an order number of its own in its question, which the tuned
demo model copies into its answer: a number of another request is cross-talk. Last, 100 requests by base, tuned, half
tuned and switched off at once, each held against the answer that its side gives alone; one that differs is looked up
among the other sides' answers. Memory, threads and files of the server are read before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil
import torch

SIDES = ("base", "{name}", "{name}@0.5", "{name}@0")
TEXTS = (
    "Where is my order QM-{number}? I was charged twice.",
    "My parcel QM-{number} is damaged, please send a new one.",
    "I want to return order QM-{number}, how long do I have?",
    "Please change the delivery address of QM-{number}.",
)
NUMBER = re.compile(r"QM-(\d+)")
NEW = 16
CLIENTS = 32
QUESTIONS = 10
"""Different questions that the mixed sides are asked."""


class Said(NamedTuple):
    """An answer, and what it took."""

    text: str
    tokens: int
    first: float
    seconds: float


class Speed(NamedTuple):
    """A line of the table."""

    what: str
    requests: int
    seconds: float
    answers: float
    """A second, as the tokens."""
    tokens: float
    p50: float
    """Seconds to the first token, half of them sooner."""
    p95: float


class Asked(NamedTuple):
    """A request: which model, which order."""

    model: str
    number: int

    @property
    def text(self) -> str:
        """The question."""
        return TEXTS[self.number % len(TEXTS)].format(number=self.number)


async def ask(client: httpx2.AsyncClient, asked: Asked) -> Said:
    """Stream one answer."""
    body = {
        "model": asked.model,
        "messages": [{"role": "user", "content": asked.text}],
        "max_tokens": NEW,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    started, first, parts, tokens = time.perf_counter(), 0.0, [], 0
    async with client.stream("POST", "/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            event: dict[str, Any] = json.loads(line.removeprefix("data: "))
            if event["choices"] and (text := event["choices"][0]["delta"].get("content")):
                first = first or time.perf_counter() - started
                parts.append(text)
            elif event.get("usage"):
                tokens = event["usage"]["completion_tokens"]
    return Said("".join(parts), tokens, first, time.perf_counter() - started)


async def ask_all(client: httpx2.AsyncClient, asked: Sequence[Asked], clients: int) -> tuple[list[Said], float]:
    """All answers, in the order of the requests, by so many clients at once; seconds in all."""
    said: list[Said | None] = [None] * len(asked)
    places = iter(range(len(asked)))

    async def work() -> None:
        for place in places:
            said[place] = await ask(client, asked[place])

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    return [one for one in said if one is not None], time.perf_counter() - started


def weigh(what: str, said: Sequence[Said], seconds: float) -> Speed:
    """What it came to."""
    first = sorted(one.first for one in said if one.first)
    late = first[min(int(0.95 * len(first)), len(first) - 1)]
    tokens = sum(one.tokens for one in said) / seconds
    speed = Speed(what, len(said), seconds, len(said) / seconds, tokens, statistics.median(first), late)
    print(f"{what}: {len(said)} answers in {seconds:.0f} s", file=sys.stderr, flush=True)
    return speed


def count_crossed(asked: Sequence[Asked], said: Sequence[Said]) -> tuple[int, int]:
    """(answers with their own number, answers with a number of another request)."""
    numbers = {str(one.number) for one in asked}
    own = crossed = 0
    for question, answer in zip(asked, said, strict=True):
        found = set(NUMBER.findall(answer.text))
        own += str(question.number) in found
        crossed += bool((found & numbers) - {str(question.number)})
    return own, crossed


async def measure_sides(client: httpx2.AsyncClient, sides: Sequence[str], count: int) -> str:
    """`count` requests, all sides mixed, against what each side says alone; each question comes several times."""
    asked = [Asked(sides[at % len(sides)], 9000 + at // len(sides) % QUESTIONS) for at in range(count)]
    kinds = sorted(set(asked))
    alone, _ = await ask_all(client, kinds, 1)
    mixed, _ = await ask_all(client, asked, CLIENTS)
    expected = {question: answer.text for question, answer in zip(kinds, alone, strict=True)}
    same = rounded = mixed_up = 0
    for question, answer in zip(asked, mixed, strict=True):
        others = {expected.get(Asked(side, question.number)) for side in sides} - {expected[question]}
        same += answer.text == expected[question]
        mixed_up += answer.text in others
        rounded += answer.text != expected[question] and answer.text not in others
    numbers = {one.number for one in asked}
    off = sum(expected[Asked(sides[0], number)] == expected.get(Asked(sides[3], number)) for number in numbers)
    return (
        f"{count} requests to {', '.join(sides)} mixed: {same} as each says alone, {rounded} otherwise (rounding), "
        f"{mixed_up} of another side; switched off as the base {off} of {len(numbers)}."
    )


def look(server: psutil.Process) -> str:
    """What the server holds."""
    memory = server.memory_info().rss / 2**20
    return f"{memory:.0f} MiB, {server.num_threads()} threads, {server.num_fds()} files"


async def measure(url: str, name: str, server: psutil.Process, options: argparse.Namespace) -> None:
    """All of it, printed as RESULTS.md has it."""
    sides = [side.format(name=name) for side in SIDES]
    limits = httpx2.Limits(max_connections=CLIENTS)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=300) as client:
        await ask_all(client, [Asked(sides[at % 4], 100 + at) for at in range(8)], 8)
        alone = [Asked(sides[at % 3], 2000 + at) for at in range(options.alone)]
        single = weigh("one at a time", *await ask_all(client, alone, 1))
        await ask_all(client, [Asked(sides[at % 3], 3000 + at) for at in range(CLIENTS)], CLIENTS)
        many = [Asked(sides[at % 3], 10_000 + at) for at in range(options.requests)]
        before = look(server)
        said, seconds = await ask_all(client, many, CLIENTS)
        after = look(server)
        several = weigh(f"{CLIENTS} clients", said, seconds)
        own, crossed = count_crossed(many, said)
        told = await measure_sides(client, sides, options.sides)
    show_table([single, several])
    print(
        f"\n{several.answers / single.answers:.2f} times one at a time. Own number in {own} of {len(many)} answers, "
        f"another request's in {crossed}.\nThe server before: {before}; after: {after}.\n{told}"
    )


def show_table(speeds: Sequence[Speed]) -> None:
    """A line each."""
    print("| requests | answers | seconds | answers/s | tokens/s | first token p50, s | p95, s |\n|" + " --- |" * 7)
    for one in speeds:
        print(
            f"| {one.what} | {one.requests:,} | {one.seconds:.0f} | {one.answers:.2f} | {one.tokens:.0f} "
            f"| {one.p50:.2f} | {one.p95:.2f} |"
        )


def tell_machine(device: str, dtype: str, rows: int) -> str:
    """Where and with what it was measured."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True, check=False).stdout
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft", "uvicorn"))
    cores = f"{os.cpu_count()} cores, {torch.cpu.get_capabilities().get('cpu_name', platform.machine())}"
    where = f"{device} {dtype}, {rows} rows at once, {cores}"
    return f"{where}; Python {platform.python_version()}, {versions}; commit {commit}"


def main(options: argparse.Namespace) -> None:
    """Start a server, measure, stop it."""
    command = [sys.executable, "-m", "tuneproof", "serve", options.run, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            told = ""
            while not told.rstrip().endswith("\n}"):
                told += process.stdout.readline()
            ready = json.loads(told)
            print(tell_machine(ready["device"], ready["dtype"], ready["rows"]), flush=True)
            asyncio.run(measure(ready["url"], ready["models"][1], psutil.Process(process.pid), options))
        finally:
            process.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=40, help="requests one at a time")
    parser.add_argument("--sides", type=int, default=100, help="requests of all sides mixed")
    main(parser.parse_args())
