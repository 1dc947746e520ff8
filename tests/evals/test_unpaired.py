"""Means over different items: their gap's interval covers the truth, and clusters count as one."""

from __future__ import annotations

import numpy as np
import pytest

from tuneproof.evals.unpaired import Sample, compare_unpaired


@pytest.mark.parametrize(("first", "second"), [(0.9, 0.9), (1.0, 0.95), (0.9, 0.5)])
def test_the_interval_of_two_unpaired_means_covers_the_truth(first: float, second: float) -> None:
    """30 training and 100 test rows of 5 tasks, as a run has them; 600 experiments."""
    chance = np.random.default_rng(7)
    names = [f"item{at}" for at in range(100)]
    covered = 0
    for _ in range(600):
        seen = Sample(chance.binomial(1, first, 30).tolist(), [f"t{at % 5}" for at in range(30)], names[:30])
        held_out = Sample(chance.binomial(1, second, 100).tolist(), [f"t{at % 5}" for at in range(100)], names)
        low, high = compare_unpaired(seen, held_out).interval
        covered += low <= first - second <= high
    assert covered / 600 >= 0.94


def test_a_cluster_counts_as_one_item_where_means_are_unpaired() -> None:
    alone = Sample([1.0, 0.0] * 20, ["t"] * 40, [str(at) for at in range(40)])
    together = alone._replace(clusters=[str(at // 8 * 2 + at % 2) for at in range(40)])
    other = Sample([0.5] * 40, ["t"] * 40, [str(at) for at in range(40)])
    narrow, wide = compare_unpaired(alone, other).interval, compare_unpaired(together, other).interval
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])
