"""Fuzzing: bytes into everything that reads what a stranger wrote. Only a user's error may come out, in time.

    python -m tests.faults.fuzz --seconds 60         # one JSON object on stdout; exits with 1 on a finding

By random changes to valid files; in the suite hypothesis does the same with fewer examples (test_fuzz.py,
tests/data/test_broken.py, tests/config/test_load.py).

In: bytes. Out: nothing, or whatever the reader raised.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.data.rows import read_file
from tests.data.test_broken import FILES
from tuneproof.config.load import load_config
from tuneproof.errors import TuneproofError
from tuneproof.rundir import PLACES, RunDir
from tuneproof.training.checkpoint import MANIFEST, check_checkpoint

SLOWEST = 10.0
"""Seconds that one input may take."""
Target = Callable[[Path, bytes], None]


def read_rows_of(name: str) -> Target:
    """A data file of this name."""

    def read(folder: Path, content: bytes) -> None:
        (folder / name).write_bytes(content)
        read_file(folder / name)

    return read


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


RECORD = (
    b'{"status": "done", "command": "c", "fingerprint": {}, "versions": {}, "device": "cpu", "seed": 1, "created": 0}'
)
YAML = b"model: {name: demo}\ntrain:\n  epochs: 2\n  learning_rate: 1e-4\ndata: {files: [a.jsonl]}\n"
LISTED = b'{"step": 3, "files": {"optimizer.pt": {"sha256": "ab", "bytes": 3}}, "training": {}}'
TARGETS: dict[str, tuple[Target, bytes]] = {
    **{f"rows of {name}": (read_rows_of(name), content) for name, content in FILES.items()},
    "config": (read_config, YAML),
    "run folder": (read_record, RECORD),
    "checkpoint": (read_manifest, LISTED),
}


def feed(name: str, folder: Path, content: bytes) -> None:
    """One input to one reader. Raises what is no user's error, and AssertionError for one that took too long."""
    started = time.monotonic()
    with suppress(TuneproofError):
        TARGETS[name][0](folder, content)
    took = time.monotonic() - started
    assert took < SLOWEST, f"{took:.1f} s"


def change(content: bytes, dice: random.Random) -> bytes:
    """A valid file with a few changes."""
    made = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(made) + 1)
        made[at : at + dice.choice((0, 1, 1, 8, 40))] = dice.randbytes(dice.choice((0, 1, 1, 2, 9)))
    return bytes(made)


def fuzz_randomly(name: str, seconds: float, seed: int) -> int:
    """Change a valid file until the time is over. Returns the number of inputs."""
    dice, count, end = random.Random(f"{seed} {name}"), 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as place:
        while time.monotonic() < end:
            content = change(TARGETS[name][1], dice)
            try:
                feed(name, Path(place), content)
            except Exception:
                sys.stderr.write(f"{name}: {content!r}\n")
                raise
            count += 1
    return count


def main() -> int:
    """Fuzz every reader for a like time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    each = options.seconds / len(TARGETS)
    runs = {name: fuzz_randomly(name, each, options.seed) for name in TARGETS}
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    json.dump({"engine": "random changes", "runs": runs, "peak_bytes": used}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
