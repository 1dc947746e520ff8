"""Work that is recorded once and launched as one: CUDA graphs.

A step is thousands of small kernels, and Python takes longer to launch them than a fast card to run them: 65 ms for one
token of 128 answers side by side on an H100, whatever the model's size (benchmarks/RESULTS.md). What is recorded reads
and writes fixed memory, which is given new numbers before each replay.

Not everything can be recorded: weights that are streamed from the host, a choice that Python makes by what a tensor
holds. A recording that breaks off leaves PyTorch's allocator as if it still went on (until its pull requests 180395 and
190348), so work is tried out first, and recorded only if it did not wait for the card. A recorder that fails once does
not try again, and the work is done as before, kernel by kernel.

    recorder = Recorder(model)
    recorder.prove(work)                     # does the work, and finds out
    recording = recorder.record(work)        # None where it cannot be
    recording.replay()
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

SWITCH = "TUNEPROOF_GRAPHS"
"""Environment variable; with `0` nothing is recorded."""
WAITS = "synchronizing CUDA operation"
"""What PyTorch says of work that waits for the card (`torch.cuda.set_sync_debug_mode`)."""
ASKED = "masking_utils.py"
"""Where transformers asks whether rows are packed; it does not ask while work is recorded."""

log = logging.getLogger(__name__)


class Recording(NamedTuple):
    """Work that was recorded."""

    replay: Callable[[], None]
    pool: Any
    """The memory that it works in: others that are never replayed meanwhile may share it."""


class Recorder:
    """Records work of one model, as long as that goes well."""

    def __init__(self, model: nn.Module) -> None:
        self.works = os.environ.get(SWITCH, "1") != "0" and lies_on_one_card(model)
        self.proven = False
        """Whether work was tried out."""
        self.why = ""
        """Why nothing is recorded, where that was found out."""

    def prove(self, work: Callable[[], None]) -> None:
        """Do the work, launched kernel by kernel, and find out whether it can be recorded. Raises what it raises."""
        with watch_waits() as waits:
            work()
        self.proven = True
        if waits:
            self._give_up(f"waits for the card at {', '.join(waits[:3])}")

    def record(self, work: Callable[[], None], beside: Recording | None = None) -> Recording | None:
        """`work` as one launch, not run yet, in the memory of `beside`; None where it cannot be recorded."""
        if not self.works:
            return None
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            # Other threads (a server's, those that score answers) go on meanwhile.
            with torch.cuda.graph(graph, beside.pool if beside else None, capture_error_mode="thread_local"):
                work()
        except RuntimeError as error:
            # PyTorch leaves its own stream where a recording breaks off.
            torch.cuda.set_stream(stream)
            self._give_up(" ".join(str(error).split())[:300])
            return None
        return Recording(graph.replay, graph.pool())

    def _give_up(self, why: str) -> None:
        self.works, self.why = False, why
        log.info("kernels are launched one by one: %s", why)


@contextmanager
def watch_waits() -> Iterator[list[str]]:
    """Where Python waits for the card meanwhile, as `file:line`, told at the end."""
    places: list[str] = []
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield places
        finally:
            torch.cuda.set_sync_debug_mode(before)
    told = [one for one in caught if WAITS in str(one.message) and not one.filename.endswith(ASKED)]
    places += [f"{one.filename}:{one.lineno}" for one in told]


def lies_on_one_card(model: nn.Module) -> bool:
    """Whether all weights are on one CUDA device: none is streamed from the host, or held by another process."""
    places = {weight.device for weight in model.parameters()}
    return len(places) == 1 and places.pop().type == "cuda"
