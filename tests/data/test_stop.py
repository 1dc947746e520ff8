"""A check that is stopped leaves nothing behind: no process, no temporary file, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.check_scale import write_rows

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LONGEST_WAIT = 60.0
"""Seconds."""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a word to it")
@pytest.mark.parametrize("number", CODES, ids=lambda number: signal.Signals(number).name)
def test_a_check_that_is_stopped_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    rows, held = tmp_path / "rows.jsonl", tmp_path / "held"
    write_rows(rows, 12_000)
    held.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tuneproof", "check", str(rows)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(held)},
        text=True,
    )
    started = time.monotonic()
    while not list(held.iterdir()) and time.monotonic() - started < LONGEST_WAIT:
        time.sleep(0.05)
    time.sleep(1.0)
    workers = psutil.Process(process.pid).children()
    process.send_signal(number)
    _, told = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == CODES[number]
    assert "Traceback" not in told
    assert list(held.iterdir()) == []
    psutil.wait_procs(workers, timeout=LONGEST_WAIT)
    assert not any(worker.is_running() for worker in workers)
