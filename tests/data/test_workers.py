"""Several processes find what one finds, in the same order and language, and leave nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from benchmarks.check_scale import write_rows
from tests.data.test_check import DEFECTS, SOUND
from tuneproof.data.check import Examination, Limits
from tuneproof.data.jobs import do_job
from tuneproof.data.read import make_reader, read_files
from tuneproof.data.store import PART_ROWS
from tuneproof.data.workers import SMALL, Workers, count_workers
from tuneproof.messages import use_language
from tuneproof.progress import Quiet
from tuneproof.records import DataReport


def write_file(path: Path) -> None:
    """Rows of the benchmark, and in the second part of them every planted defect."""
    write_rows(path, 2 * PART_ROWS + 300)
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = [*SOUND, *(pair for _, pair in DEFECTS)]
    planted = [json.dumps({"instruction": asked, "input": "", "output": said}) for asked, said in pairs]
    lines[PART_ROWS + 50 : PART_ROWS + 50] = [*planted, "{", planted[0]]
    path.write_text("\n".join(lines), encoding="utf-8")


def check_with(path: Path, workers: int) -> tuple[DataReport, dict[str, str]]:
    reader = make_reader(columns=None, task=None, system_prompt=None, encoding=None)
    with Examination(Quiet(), workers) as examination:
        checked = examination.finish(read_files([path], reader, Quiet(), examination.watch), Limits())
        return checked.report, checked.clusters


@pytest.mark.parametrize("language", ["en", "zh"])
def test_any_number_of_workers_finds_the_same(tmp_path: Path, language: str) -> None:
    use_language("zh" if language == "zh" else "en")
    path = tmp_path / "rows.jsonl"
    write_file(path)
    alone, clusters = check_with(path, 0)
    assert {kind for kind, _ in DEFECTS} <= alone.counts.keys()
    for workers in (1, 3):
        assert check_with(path, workers) == (alone, clusters)


def test_few_rows_are_worth_no_process() -> None:
    assert count_workers(SMALL) == 0
    assert count_workers(10**6) <= 8


def test_a_worker_that_ends_is_told_and_none_is_left() -> None:
    before = len(psutil.Process().children())
    workers = Workers(1)
    try:
        with pytest.raises(RuntimeError, match="a process that checks rows ended"):
            workers.submit("no such job", {}).result()
    finally:
        workers.close()
    assert len(psutil.Process().children()) == before


def test_a_job_that_fails_here_is_a_bug() -> None:
    with pytest.raises(KeyError):
        do_job({"job": "no such job", "language": "en"})
