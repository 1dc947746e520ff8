"""Is what the choice foresees what the verdict finds? The same adapter's probes of both, over finished runs.

    python -m benchmarks.foreseen RUN...          a line a run, and the sums

The adapter that was chosen answers the choice's probes and then, for the first time, the verdict's. One that was the
best of several was lucky with the former, so a little more is lost of the latter; anything beyond that, over many runs,
says that the two sets are not alike. Runs of which nothing was learnt (a gain of less than `LEARNT`) lose little of
either and are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from tuneproof.records import Selection, Verdict
from tuneproof.rundir import RunDir

LEARNT = 0.1


class Pair(NamedTuple):
    """What one adapter lost and gained of the choice's probes and of the verdict's."""

    chance: float
    foreseen: tuple[int, int, int]
    """Lost, gained, asked."""
    found: tuple[int, int, int]
    decision: str


def read_pair(run: RunDir) -> Pair | None:
    """None where the choice asked no probes, or nothing was learnt."""
    selection, verdict = run.load(Selection), run.load(Verdict)
    chosen = (selection.checkpoint, selection.scale)
    candidate = next((one for one in selection.candidates if (one.checkpoint, one.scale) == chosen), None)
    if candidate is None or candidate.lost is None or candidate.gained is None or (verdict.task.delta or 0) < LEARNT:
        return None
    retention = verdict.retention
    found = (retention.lost, retention.gained, retention.n)
    return Pair(candidate.chance or 0.0, (candidate.lost, candidate.gained, candidate.probes), found, verdict.decision)


def tell(counts: tuple[int, int, int]) -> str:
    """Lost, gained, and the net loss in points."""
    lost, gained, asked = counts
    return f"{lost}, {gained} of {asked} ({100 * (lost - gained) / max(1, asked):+.1f})"


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    pairs = [pair for folder in parser.parse_args().runs if (pair := read_pair(RunDir(folder))) is not None]
    print("| chance foreseen | choice: lost, gained (net, points) | verdict: lost, gained (net, points) | verdict |")
    print("|" + " --- |" * 4)
    for pair in sorted(pairs):
        print(f"| {pair.chance:.2f} | {tell(pair.foreseen)} | {tell(pair.found)} | {pair.decision} |")
    columns = [
        tuple(sum(one) for one in zip(*side, strict=True)) for side in zip(*[p[1:3] for p in pairs], strict=True)
    ]
    shipped = sum(pair.decision == "ship" for pair in pairs)
    chance = sum(pair.chance for pair in pairs) / max(1, len(pairs))
    sums = " | ".join(tell((one[0], one[1], one[2])) for one in columns)
    print(f"| mean {chance:.2f} | {sums} | {shipped} of {len(pairs)} SHIP |")


if __name__ == "__main__":
    main()
