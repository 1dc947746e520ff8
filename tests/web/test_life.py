"""Whether somebody works in a run folder: a living holder, a dead one, a number that is used again."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.report.conftest import write_begun
from tests.web.conftest import Visit, serve_folder
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir
from tuneproof.web.launch import Launches, stop_worker
from tuneproof.web.life import find_process, find_worker, measure_resident, state_of

TRAINER = """
import sys, time
from pathlib import Path
from tuneproof.rundir import RunDir
run = RunDir(Path(sys.argv[1]))
with run.lock():
    for step in range(1, 10_000):
        run.log_event("step", step=step, loss=2.0 / step, tokens=100, trained_tokens=40)
        time.sleep(0.05)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return write_begun(tmp_path / "runs" / "one")


@pytest.fixture
def trainer(run: RunDir) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the folder and takes steps, as training does, without weights."""
    process = subprocess.Popen([sys.executable, "-c", TRAINER, str(run.path)])
    while len(run.load_events()) < 3:
        time.sleep(0.02)
    yield process
    process.kill()
    process.wait()


def test_a_living_holder_is_found(run: RunDir, trainer: subprocess.Popen[bytes]) -> None:
    worker = find_worker(run)
    assert worker is not None
    assert worker.pid == trainer.pid
    assert (measure_resident(worker) or 0) > 2**20
    assert state_of(run, run.load(RunRecord)) == "running"


def test_one_that_goes_on_after_a_stop_runs_whatever_its_record_says(
    run: RunDir, trainer: subprocess.Popen[bytes]
) -> None:
    record = run.load(RunRecord)
    assert state_of(run, record.model_copy(update={"status": "stopped"})) == "running"
    assert state_of(run, record.model_copy(update={"status": "done"})) == "done"


def test_a_dead_holder_is_none(run: RunDir, trainer: subprocess.Popen[bytes]) -> None:
    trainer.kill()
    trainer.wait()
    assert find_worker(run) is None
    assert state_of(run, run.load(RunRecord)) == "lost"


def test_a_holder_that_nobody_has_waited_for_is_none(run: RunDir, trainer: subprocess.Popen[bytes]) -> None:
    os.kill(trainer.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert find_worker(run) is None


@pytest.mark.parametrize("note", ["", "pid x on y\n", "pid 1 on elsewhere\n", "pid 999999999 on {}\n", "\xff\xfe"])
def test_a_note_that_names_nobody_here_is_none(run: RunDir, note: str) -> None:
    (run.path / ".owner").write_bytes(note.format(platform.node()).encode("latin-1"))
    assert find_worker(run) is None
    assert not stop_worker(run)


def test_a_number_that_is_used_again_is_another_process() -> None:
    assert find_process(os.getpid(), time.time()) is not None
    assert find_process(os.getpid(), time.time() - 10**6) is None


def test_stop_asks_the_holder_to_end(run: RunDir, trainer: subprocess.Popen[bytes]) -> None:
    assert stop_worker(run)
    assert trainer.wait(10) == -signal.SIGTERM


def test_a_killed_run_is_let_go_of_at_once(tmp_path: Path) -> None:
    """While this process, its parent, goes on: nobody has to look for it to leave the list of processes."""
    launch = Launches(tmp_path).start("one", ["config", "show"], "en")
    os.kill(launch.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while psutil.pid_exists(launch.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not psutil.pid_exists(launch.pid)


def test_the_page_says_within_five_seconds_that_the_trainer_is_dead(
    run: RunDir, trainer: subprocess.Popen[bytes], visit: Visit, tmp_path: Path
) -> None:
    """P33, the second half."""
    with serve_folder(run.path.parent, home=tmp_path) as served:
        page = visit(served.url("/runs/one"))
        head = page.locator("[data-piece=head]")
        expect(head).to_have_attribute("data-state", "running")
        points = page.locator("[data-piece=loss] .curve").count()
        expect(page.locator("[data-piece=loss] .curve").nth(points + 1)).to_be_attached()
        expect(page.locator(".numbers .big").nth(1)).not_to_have_text("–")
        page.locator("[data-piece=loss] summary").click()
        trainer.kill()
        trainer.wait()
        expect(head).to_have_attribute("data-state", "lost", timeout=5000)
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        assert page.locator("[data-piece=loss] details").get_attribute("open") is not None, "an open fold stays open"
