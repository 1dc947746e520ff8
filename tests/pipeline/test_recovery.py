"""What was made lighter is written down everywhere; measured peaks stand beside the plan; a spilling driver is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneproof.config import RunConfig
from tuneproof.config.load import load_config
from tuneproof.figures import format_bytes, to_plain
from tuneproof.messages import tell
from tuneproof.model.hardware import Hardware
from tuneproof.pipeline.asking import fit_batch
from tuneproof.pipeline.recovery import StepWatch, hear_fewer, note_lighter, note_peak
from tuneproof.pipeline.work import Work
from tuneproof.progress import Quiet
from tuneproof.records import Parts, Phases, Plan, Recovery, Settings
from tuneproof.rundir import RunDir
from tuneproof.training.recovery import Lighter, Shape
from tuneproof.training.trainer import StepReport

GB = 10**9
SETTINGS: dict[str, Any] = {
    "micro_batch": 8,
    "accumulation": 1,
    "max_tokens": 100,
    "checkpointing": False,
    "quantization": "none",
    "dtype": "float32",
    "packing": True,
    "loss_chunk": 256,
    "answer_batch": 32,
    "answer_tokens": 3200,
}


class Listening(Quiet):
    """Notes what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, object]]] = []

    def say(self, key: str, **values: object) -> None:
        self.said.append((key, values))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A run that was planned with all eight rows at once."""
    config = RunConfig()
    config.train.micro_batch, config.evaluate.batch_size = 8, 32
    work = Work(RunDir(tmp_path / "run"), config, Listening())
    work.plan = Plan(
        model="demo",
        device="cpu",
        limit_bytes=4 * GB,
        fits=True,
        grade="fits",
        peak_bytes=2 * GB,
        phases=Phases(load=GB // 2, train=2 * GB, evaluate=GB),
        parts=Parts(context=GB // 4, activations=2 * GB - GB // 4),
        settings=Settings(**SETTINGS),
        steps=10,
        disk_bytes=GB,
    )
    work.shape = Shape(800, 256, True)
    work.hardware = Hardware("cpu", "CPU", 8 * GB, 8 * GB, 2, "float32")
    return work


def said(work: Work) -> list[tuple[str, dict[str, object]]]:
    assert isinstance(work.progress, Listening)
    return work.progress.said


def test_smaller_packs_are_kept_for_the_next_process_too(work: Work) -> None:
    note_lighter(work, "train", 3, Lighter("train.micro_batch", 800, 400))
    plan, (config, _) = work.run.load(Plan), load_config(work.run.config)
    assert (plan.settings.micro_batch, plan.settings.accumulation, config.train.micro_batch) == (4, 2, 4)
    assert work.shape.pack_tokens == 400
    recovery = Recovery(where="train", step=3, lever="train.micro_batch", before=8, after=4)
    assert plan.recoveries == [recovery]
    (event,) = [one for one in work.run.load_events() if one["kind"] == "out_of_memory"]
    assert event.items() >= recovery.model_dump().items()
    assert said(work)[0][0] == "memory.lighter"


def test_recomputing_is_kept_as_a_switch(work: Work) -> None:
    note_lighter(work, "rehearse", None, Lighter("memory.checkpointing", 0, 1))
    plan, (config, _) = work.run.load(Plan), load_config(work.run.config)
    assert plan.settings.checkpointing
    assert config.memory.checkpointing
    assert plan.settings.micro_batch == 8


def test_fewer_answers_side_by_side_are_kept(work: Work) -> None:
    hear_fewer(work)(32, 16)
    plan, (config, _) = work.run.load(Plan), load_config(work.run.config)
    assert (plan.settings.answer_batch, plan.settings.answer_tokens, config.evaluate.batch_size) == (16, 1600, 16)
    # Long prompts went 4 at a time: half of that is 2, and short ones still go 8 at a time.
    hear_fewer(work)(4, 2)
    assert (work.config.evaluate.batch_size, work.plan.settings.answer_tokens) == (8, 800)
    assert fit_batch(work, 100) == 8
    assert fit_batch(work, 400) == 2
    assert [one.lever for one in work.run.load(Plan).recoveries] == ["evaluate.batch_size"] * 2


def test_measured_peaks_stand_beside_the_plan(work: Work) -> None:
    note_peak(work, "train", int(2.1 * GB))
    note_peak(work, "evaluate", GB)
    note_peak(work, "evaluate", GB // 2)
    note_peak(work, "first_step", None)
    measured = work.run.load(Plan).measured
    assert (measured.train, measured.evaluate, measured.first_step) == (int(2.1 * GB), GB, None)
    assert said(work) == []


def test_what_the_device_takes_itself_is_added_to_what_its_allocator_tells(work: Work) -> None:
    work.hardware = work.hardware._replace(device="cuda")
    note_peak(work, "train", GB)
    assert work.plan.measured.train == GB + GB // 4


def test_a_first_step_far_above_the_plan_is_said(work: Work) -> None:
    note_peak(work, "first_step", 3 * GB)
    ((key, values),) = said(work)
    assert key == "memory.more_than_planned"
    assert values == {"planned": to_plain(format_bytes(2 * GB)), "measured": to_plain(format_bytes(3 * GB))}


def watch_steps(work: Work, seconds: list[float], *, spills: bool) -> None:
    """Steps of 100 tokens that take so long each."""
    times = iter([sum(seconds[:count]) for count in range(len(seconds) + 1)])
    watch = StepWatch(work, clock=lambda: next(times), spills=spills)
    for step in range(1, len(seconds) + 2):
        watch.note(StepReport(step, 1.0, 100, 50))


def test_a_driver_that_spills_is_told_once(work: Work) -> None:
    watch_steps(work, [1.0] * 6 + [4.0] * 5, spills=True)
    spilling = [values for key, values in said(work) if key == "memory.spilling"]
    assert spilling == [{"factor": "4.0"}]
    # The switch that makes the driver fail instead, by its name in both languages.
    assert "memory.spilling.setting" in [key for key, _ in said(work)]
    assert "Sysmem Fallback" in tell("memory.spilling.setting", "en")
    assert "系统内存回退" in tell("memory.spilling.setting", "zh")
    assert len([one for one in work.run.load_events() if one["kind"] == "spill"]) == 1


@pytest.mark.parametrize("seconds", [[1.0] * 12, [1.0] * 6 + [4.0, 1.0] * 4])
def test_single_slow_steps_are_no_spill(work: Work, seconds: list[float]) -> None:
    watch_steps(work, seconds, spills=True)
    assert [key for key, _ in said(work) if key == "memory.spilling"] == []


def test_elsewhere_slow_steps_mean_something_else(work: Work) -> None:
    watch_steps(work, [1.0] * 6 + [9.0] * 5, spills=False)
    assert [key for key, _ in said(work) if key == "memory.spilling"] == []
