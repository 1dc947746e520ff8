"""One reader fuzzed by coverage: libFuzzer, by way of atheris, keeps each input that takes a branch not seen before.

    python -m tests.faults.coverage config --seconds 60 --seed 1

Only what reads is instrumented, before it is imported; all of torch would take more than a minute. libFuzzer ends the
process: exit code 0, or another one for a finding, whose input it leaves in the folder and prints.

In: the name of a reader. Out, on stderr: what libFuzzer tells, with `stat::` lines at the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tuneproof", "yaml"]):
    from tests.faults.fuzz import MEMORY, SLOWEST, TARGETS, feed

LARGEST = 1 << 14
"""Bytes of an input."""


def main() -> None:
    """Fuzz until the time is over; does not return."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp())
    corpus, work = place / "corpus", place / "work"
    corpus.mkdir()
    work.mkdir()
    (corpus / "valid").write_bytes(TARGETS[options.name][1])
    limits = [f"-max_total_time={options.seconds}", f"-timeout={SLOWEST:.0f}", f"-rss_limit_mb={MEMORY >> 20}"]
    how = [f"-seed={options.seed}", f"-max_len={LARGEST}", f"-artifact_prefix={place}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *limits, *how, str(corpus)], lambda content: feed(options.name, work, content))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
