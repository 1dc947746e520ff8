"""Fuzzing: bytes into everything that reads what a stranger wrote. Only a user's error may come out, in time.

    python -m tests.faults.fuzz --seconds 60         # one JSON object on stdout; exits with 1 on a finding

By coverage where atheris is installed (coverage.py), else by random changes to valid files; in the suite hypothesis
does the same with fewer examples (test_fuzz.py, tests/data/test_broken.py, tests/config/test_load.py).

In: bytes. Out: nothing, or whatever the reader raised.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tests.data.rows import read_file
from tests.data.test_broken import FILES, check_whole
from tuneproof.config.load import load_config
from tuneproof.errors import TuneproofError
from tuneproof.model.trust import vet_folder
from tuneproof.rundir import PLACES, RunDir
from tuneproof.training.checkpoint import MANIFEST, check_checkpoint

SLOWEST = 10.0
"""Seconds that one input may take."""
MEMORY = 2 << 30
"""Bytes that a process which reads may have, the libraries' own included (torch: 0.4 GiB)."""
Target = Callable[[Path, bytes], None]


def read_rows_of(name: str) -> Target:
    """A data file of this name."""

    def read(folder: Path, content: bytes) -> None:
        (folder / name).write_bytes(content)
        read_file(folder / name)

    return read


def check_rows(folder: Path, content: bytes) -> None:
    """A data file that is read and then checked: expressions over a stranger's text may not take for ever."""
    (folder / "rows.jsonl").write_bytes(content)
    check_whole(read_file(folder / "rows.jsonl"))


def read_config(folder: Path, content: bytes) -> None:
    """A config file."""
    (folder / "run.yaml").write_bytes(content)
    load_config(folder / "run.yaml")


def read_record(folder: Path, content: bytes) -> None:
    """Every record of a run folder, its rows, answers and events."""
    run = RunDir(folder)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "eval" / "base").mkdir(parents=True, exist_ok=True)
    for name in ("data/train.jsonl", "eval/base/test.jsonl", "events.jsonl"):
        (folder / name).write_bytes(content)
    run.load_events()
    readers: list[Callable[[], object]] = [lambda: run.load_rows("train"), lambda: run.load_answers("base", "test")]
    for kind, place in PLACES.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)
        readers.append(partial(run.load, kind))
    for read in readers:
        try:
            read()
        except TuneproofError:
            continue


def read_manifest(folder: Path, content: bytes) -> None:
    """A checkpoint whose manifest is anything."""
    path = folder / "checkpoint-3"
    path.mkdir(exist_ok=True)
    (path / MANIFEST).write_bytes(content)
    assert check_checkpoint(path) is not None


def read_description(folder: Path, content: bytes) -> None:
    """A model's config.json, as it is looked at before transformers sees it."""
    (folder / "config.json").write_bytes(content)
    vet_folder("model", folder)


RECORD = (
    b'{"status": "done", "command": "c", "fingerprint": {}, "versions": {}, "device": "cpu", "seed": 1, "created": 0}'
)
YAML = b"model: {name: demo}\ntrain:\n  epochs: 2\n  learning_rate: 1e-4\ndata: {files: [a.jsonl]}\n"
DESCRIBED = b'{"model_type": "llama", "auto_map": {"AutoModel": "m.M"}, "text_config": {"_attn_implementation": "a/b"}}'
LISTED = b'{"step": 3, "files": {"optimizer.pt": {"sha256": "ab", "bytes": 3}}, "training": {}}'
TARGETS: dict[str, tuple[Target, bytes]] = {
    **{f"rows of {name}": (read_rows_of(name), content) for name, content in FILES.items()},
    "check": (check_rows, FILES["r.jsonl"]),
    "config": (read_config, YAML),
    "run folder": (read_record, RECORD),
    "checkpoint": (read_manifest, LISTED),
    "model": (read_description, DESCRIBED),
}


UNGUIDED = {"check"}
"""Never by coverage: atheris 3.0 keeps every array that instrumented code has compared, a MiB a row that is checked."""


class Fuzzed(NamedTuple):
    """What came of fuzzing one reader, where nothing was found."""

    engine: str
    runs: int
    slowest: float
    """Seconds of the slowest input."""
    peak_bytes: int
    """Of the process, libraries included."""


def feed(name: str, folder: Path, content: bytes) -> float:
    """One input to one reader: its seconds. Raises what is no user's error, AssertionError for one that took long."""
    started = time.monotonic()
    with suppress(TuneproofError):
        TARGETS[name][0](folder, content)
    took = time.monotonic() - started
    assert took < SLOWEST, f"{took:.1f} s"
    return took


def change(content: bytes, dice: random.Random) -> bytes:
    """A valid file with a few changes."""
    made = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made) + 1)
        made[at : at + dice.choice((0, 1, 1, 8, 40))] = dice.randbytes(dice.choice((0, 1, 1, 2, 9)))
    return bytes(made)


def fuzz_randomly(name: str, seconds: float, seed: int) -> Fuzzed:
    """Change a valid file until the time is over. Raises what a reader raised that is no user's error."""
    dice, count, slowest, end = random.Random(f"{seed} {name}"), 0, 0.0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as place:
        while time.monotonic() < end:
            content = change(TARGETS[name][1], dice)
            try:
                slowest = max(slowest, feed(name, Path(place), content))
            except Exception:
                sys.stderr.write(f"{name}: {content!r}\n")
                raise
            count += 1
    return Fuzzed("random changes", count, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def fuzz_by_coverage(name: str, seconds: float, seed: int) -> Fuzzed:
    """Let libFuzzer look for inputs that take new branches, in a process of its own. Raises RuntimeError."""
    module = [sys.executable, "-m", "tests.faults.coverage", name]
    with tempfile.TemporaryDirectory() as place:
        command = [*module, "--seconds", str(max(1, round(seconds))), "--seed", str(seed)]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env={**os.environ, "TMPDIR": place}
        )
    found = {key: int(value) for key, value in re.findall(r"^stat::(\w+):\s+(\d+)$", done.stderr, re.M)}
    if done.returncode != 0 or "number_of_executed_units" not in found:
        raise RuntimeError(f"{name}: exit code {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return Fuzzed(
        "coverage", found["number_of_executed_units"], float(found["slowest_unit_time_sec"]), found["peak_rss_mb"] << 20
    )


def fuzz(name: str, seconds: float, seed: int) -> Fuzzed:
    """By coverage where that can be had. Raises as the two ways do."""
    guided = find_spec("atheris") is not None and name not in UNGUIDED
    return (fuzz_by_coverage if guided else fuzz_randomly)(name, seconds, seed)


def main() -> int:
    """Fuzz every reader for a like time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    each = options.seconds / len(TARGETS)
    found = {name: fuzz(name, each, options.seed) for name in TARGETS}
    json.dump({name: one._asdict() for name, one in found.items()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
