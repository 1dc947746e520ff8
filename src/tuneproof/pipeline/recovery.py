"""Memory at run time: what was measured is held against the plan, and what had to be lightened is written down.

Every change stands in three places: plan.json (`recoveries`), config.yaml (so that a resumed run begins with it), and
events.jsonl; and it is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Literal

from tuneproof.figures import format_bytes, to_plain
from tuneproof.model.crew import join_crew
from tuneproof.model.hardware import is_out_of_memory, read_peak
from tuneproof.model.recovery import release_memory
from tuneproof.pipeline.crew import follow_me, rehearse_share
from tuneproof.pipeline.work import Work
from tuneproof.records import Recovery
from tuneproof.training.dataset import RowSet
from tuneproof.training.recovery import Lighter, lighten
from tuneproof.training.rehearse import Rehearsal, rehearse_step
from tuneproof.training.train import set_course
from tuneproof.training.trainer import StepReport

WORTH_SAYING = 0.15
"""Share by which a measured peak must be off the plan to be said aloud; it stands in the report in any case."""
USUAL_STEPS = 5
"""Steps whose median speed is the usual one."""
SPILLING = 3.0
"""Times slower than usual at which a step is suspected: PCIe is some 10 times slower than a card's own memory, and a
step that spills part of its tensors lies in between. An assumption; three such steps in a row are told."""
IN_A_ROW = 3


def rehearse_within_memory(work: Work, rows: RowSet) -> Rehearsal:
    """Rehearse the heaviest step; where it runs out of memory, lighten it until it does not. Raises FitError.

    A model that is split over the ranks is rehearsed by all of them, as planned or not at all.
    """
    if work.plan.settings.strategy == "fsdp" and join_crew().size > 1:
        with follow_me(work, "rehearse"):
            return rehearse_share(work, rows)
    heaviest = sorted(rows.encoded, key=lambda row: -len(row.ids))[: work.config.train.batch_size]
    while True:
        try:
            return rehearse_step(work.model, rows, work.shape, set_course(len(rows), work.config))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            told = str(error)
        work.model.zero_grad(set_to_none=True)
        release_memory()
        shape, change = lighten(work.model, heaviest, work.shape, told)
        work.shape = shape
        note_lighter(work, "rehearse", None, change)


def note_lighter(work: Work, where: Literal["rehearse", "train"], step: int | None, change: Lighter) -> None:
    """Write down that a step ran out of memory, and take the lighter way from now on."""
    settings, train = work.plan.settings, work.config.train
    if change.lever == "memory.checkpointing":
        settings.checkpointing = work.config.memory.checkpointing = True
        before, after = change.before, change.after
    else:
        before = settings.micro_batch
        after = max(1, min(before - 1, change.after // settings.max_tokens))
        settings.micro_batch = train.micro_batch = after
        settings.accumulation = -(-train.batch_size // after)
        work.shape = work.shape._replace(pack_tokens=change.after)
    _keep(work, Recovery(where=where, step=step, lever=change.lever, before=before, after=after))


def hear_fewer(work: Work) -> Callable[[int, int], None]:
    """Who hears that answers ran out of memory: fewer are made side by side from now on."""

    def note(before: int, now: int) -> None:
        settings, knobs = work.plan.settings, work.config.evaluate
        settings.answer_tokens = settings.answer_tokens * now // before
        knobs.batch_size = max(now, knobs.batch_size * now // before)
        settings.answer_batch = knobs.batch_size
        _keep(work, Recovery(where="evaluate", lever="evaluate.batch_size", before=before, after=now))

    return note


def _keep(work: Work, recovery: Recovery) -> None:
    work.plan.recoveries.append(recovery)
    work.run.save(work.plan)
    work.save_config()
    work.run.log_event("out_of_memory", **recovery.model_dump())
    place = "" if recovery.step is None else f" ({recovery.step})"
    stage = {"rehearse": "rehearse", "train": "train", "evaluate": "base"}[recovery.where] + place
    told = {"lever": recovery.lever, "before": recovery.before, "after": recovery.after}
    work.progress.say("memory.lighter", stage=stage, **told)


def measure_phase(work: Work, phase: Literal["load", "rehearsal", "first_step", "train", "evaluate"]) -> None:
    """Write the peak since `reset_peak` beside the plan's, and say it where the two are far apart.

    On a GPU the allocator's peak is told; what the device itself takes is added as planned, so that they compare.
    """
    peak = read_peak(work.hardware.device)
    note_peak(work, phase, peak)


def note_peak(
    work: Work, phase: Literal["load", "rehearsal", "first_step", "train", "evaluate"], peak: int | None
) -> None:
    """As `measure_phase`, of a peak that was read before."""
    plan = work.plan
    if peak is None:
        return
    if work.hardware.device == "cuda":
        peak += plan.parts.context
    if phase == "evaluate":
        peak = max(peak, plan.measured.evaluate or 0)
    setattr(plan.measured, phase, peak)
    work.run.save(plan)
    predicted = getattr(plan.phases, phase, plan.phases.train)
    work.run.log_event("memory", phase=phase, predicted=predicted, measured=peak)
    if phase in ("first_step", "evaluate") and predicted and peak > (1 + WORTH_SAYING) * predicted:
        planned, measured = to_plain(format_bytes(predicted)), to_plain(format_bytes(peak))
        work.progress.say("memory.more_than_planned", planned=planned, measured=measured)


class StepWatch:
    """Watches steps as they end: the peak of the first one, and, on Windows, whether the driver has begun to spill.

    There a full card does not fail: the driver moves tensors to the computer's own memory, and steps take several times
    as long. That is seen by time alone.
    """

    def __init__(self, work: Work, *, clock: Callable[[], float] = time.perf_counter, spills: bool = False) -> None:
        self.work, self.clock, self.spills = work, clock, spills
        self.last: float | None = None
        self.usual: list[float] = []
        self.slow = 0

    def note(self, report: StepReport) -> None:
        """A step that has ended."""
        now = self.clock()
        if self.last is None:
            self.last = now
            return
        if not self.usual:
            measure_phase(self.work, "first_step")
        seconds, self.last = (now - self.last) / max(1, report.tokens), now
        if len(self.usual) < USUAL_STEPS:
            self.usual.append(seconds)
        elif self.spills:
            self._suspect(seconds, report.step)

    def _suspect(self, seconds: float, step: int) -> None:
        """Tell of several slow steps in a row, once."""
        factor = seconds / median(self.usual)
        self.slow = self.slow + 1 if factor >= SPILLING else 0
        if self.slow == IN_A_ROW:
            self.work.run.log_event("spill", step=step, factor=round(factor, 1))
            self.work.progress.say("memory.spilling", factor=f"{factor:.1f}")
            self.work.progress.say("memory.spilling.setting")
