"""Real data files that no one of this project wrote: read without a flag, with few false alarms."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.data.rows import read_file
from tuneproof.data.check import check_rows
from tuneproof.data.near import cluster_rows
from tuneproof.data.split import SplitSizes, split_rows

ROWS = {"alpaca_en.json": 999, "alpaca_zh.json": 1000, "gsm8k_1000.jsonl": 1000, "toolcall_sharegpt.json": 150}


@pytest.mark.parametrize("name", ROWS)
def test_a_real_file_is_read_without_a_flag(data_dir: Path, name: str) -> None:
    result = read_file(data_dir / name)
    assert (len(result.rows), result.total, result.findings) == (ROWS[name], ROWS[name], [])
    assert len({row.id for row in result.rows}) == ROWS[name]
    assert all(row.messages[-1].role == "assistant" and row.question for row in result.rows)


@pytest.mark.parametrize(
    ("name", "share"), [("alpaca_en.json", 0.03), ("alpaca_zh.json", 0.03), ("gsm8k_1000.jsonl", 0.01)]
)
def test_false_alarms_are_rare(data_dir: Path, name: str, share: float) -> None:
    report, _ = check_rows(read_file(data_dir / name))
    alarms = {
        finding.line
        for finding in report.findings
        if finding.severity != "info" and finding.kind not in ("duplicate", "near_duplicate")
    }
    assert len(alarms) <= share * report.rows


def test_tool_turns_and_definitions_are_kept(data_dir: Path) -> None:
    rows = read_file(data_dir / "toolcall_sharegpt.json").rows
    roles = {message.role for row in rows for message in row.messages}
    assert roles == {"system", "user", "assistant", "tool"}
    calls = [row for row in rows if any(message.role == "tool" for message in row.messages)]
    assert calls
    assert all('"name"' in row.messages[0].content for row in calls)


def test_wrong_sums_of_a_real_file_are_wrong(data_dir: Path) -> None:
    report, _ = check_rows(read_file(data_dir / "gsm8k_1000.jsonl"))
    found = [(finding.line, finding.values["sum"]) for finding in report.findings if finding.kind == "wrong_arithmetic"]
    assert found == [(168, "192*100=$1920"), (199, "6/3=.5"), (503, "3/1=1"), (717, "100 * 0.75 = $0.75")]


def test_a_real_mixture_is_split_fairly(data_dir: Path) -> None:
    rows = [row for name in ROWS for row in check_rows(read_file(data_dir / name))[1]]
    made = split_rows(rows, cluster_rows(rows), seed=0, sizes=SplitSizes())
    assert made.sizes["test"] == 200
    assert made.largest_stratum_gap is not None
    assert made.largest_stratum_gap < 0.03


@pytest.mark.parametrize("name", ["alpaca_en.json", "alpaca_zh.json"])
@pytest.mark.parametrize(("appended", "most"), [(0.01, 0.01), (0.05, 0.01)])
def test_a_real_split_stays_when_rows_are_appended(data_dir: Path, name: str, appended: float, most: float) -> None:
    rows = check_rows(read_file(data_dir / name))[1]
    Random(3).shuffle(rows)
    kept = int(len(rows) / (1 + appended))
    old, new = cluster_rows(rows[:kept]), cluster_rows(rows)
    for seed in range(4):
        before = split_rows(rows[:kept], old, seed=seed, sizes=SplitSizes())
        after = split_rows(rows, new, seed=seed, sizes=SplitSizes())
        assert sum(after.rows[name].side != place.side for name, place in before.rows.items()) <= most * kept
        sides = {name: place.side for name, place in before.rows.items()}
        given = split_rows(rows, new, seed=seed, sizes=SplitSizes(), earlier=sides)
        assert len(given.moved) <= 0.01 * kept
        assert all(was != "test" for was, _ in given.moved.values())
        assert after.largest_stratum_gap is not None
        assert after.largest_stratum_gap < 0.03
