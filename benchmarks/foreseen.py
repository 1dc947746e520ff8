"""Is what the choice foresees what the verdict finds? The same adapter's probes of both, over finished runs.

    python -m benchmarks.foreseen RUN...            a line a run, and the sums
    python -m benchmarks.foreseen RUN --origins     what one run lost and gained by how its probes were written

The adapter that was chosen answers the choice's probes and then, for the first time, the verdict's. One that was the
best of several was lucky with the former, so a little more is lost of the latter; anything beyond that, over many runs,
says that the two sets are not alike. Runs of which nothing was learnt (a gain of less than `LEARNT`) lose little of
either and are left out.

`--origins`: 280 of the English probes were written with the demo model's answers to them at hand (they are recorded in
tests/evals/probe_answers.jsonl), the others without; families of both are compared. Where a base is right by luck more
often than it would be again, another model loses more than it gains, though it is no worse.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from tuneproof.evals.task import PROBE
from tuneproof.records import Answer, Selection, Trials, Verdict
from tuneproof.rundir import RunDir

LEARNT = 0.1
RECORDED = Path(__file__).parents[1] / "tests" / "evals" / "probe_answers.jsonl"


class Pair(NamedTuple):
    """What one adapter lost and gained of the choice's probes and of the verdict's."""

    chance: float
    foreseen: tuple[int, int, int]
    """Lost, gained, asked."""
    found: tuple[int, int, int]
    decision: str


def read_pair(run: RunDir) -> Pair | None:
    """None where the choice asked no probes, nothing was learnt, or a cure had the verdict's probes asked before."""
    if run.has(Trials) and (cure := run.load(Trials).cure) is not None and cure.adopted is not None:
        return None
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


def is_ours(answer: Answer) -> bool:
    """Whether it answers one of the project's English probes."""
    return answer.scorer == PROBE and answer.language == "en"


def show_origins(run: RunDir) -> None:
    """A line for the recorded probes and one for the others."""
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    recorded = {json.loads(line)["id"] for line in lines}
    answers = [answer for answer in run.load_answers("base", "retention") if is_ours(answer)]
    both = {one.task for one in answers if one.id in recorded} & {one.task for one in answers if one.id not in recorded}
    before = {answer.id: answer.right for answer in answers if answer.task in both}
    after = {answer.id: answer.right for answer in run.load_answers("tuned", "retention")}
    print("| probes written | asked | base right | lost of right | gained of wrong | net, points |\n|" + " --- |" * 6)
    for name, ids in (("with its answers at hand", before.keys() & recorded), ("without", before.keys() - recorded)):
        right = {one for one in ids if before[one]}
        lost, gained = sum(not after[one] for one in right), sum(after[one] for one in ids - right)
        shares = [f"{part / max(1, whole):.0%}" for part, whole in (
            (len(right), len(ids)), (lost, len(right)), (gained, len(ids) - len(right)),
        )]  # fmt: skip
        print(f"| {name} | {len(ids)} | {' | '.join(shares)} | {100 * (lost - gained) / max(1, len(ids)):+.1f} |")


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--origins", action="store_true")
    given = parser.parse_args()
    if given.origins:
        return show_origins(RunDir(given.runs[0]))
    pairs = [pair for folder in given.runs if (pair := read_pair(RunDir(folder))) is not None]
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
    return None


if __name__ == "__main__":
    main()
