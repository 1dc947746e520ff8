"""Work that is recorded once and launched as one: CUDA graphs.

A step is thousands of small kernels, and Python takes longer to launch them than a fast card to run them: 65 ms for one
token of 128 answers side by side on an H100, whatever the model's size (benchmarks/RESULTS.md). What is recorded reads
and writes fixed memory, which is given new numbers before each replay.

Not everything can be recorded: weights that are streamed from the host, a choice that Python makes by what a tensor
holds. A recording that breaks off leaves PyTorch's allocator as if it still went on (until its pull requests 180395 and
190348), so work is tried out first, and recorded only if it neither waited for the card nor drew numbers. A recorder
that fails once does not try again, and the work is done as before, kernel by kernel.

    recorder = Recorder(model)
    recorder.prove(work)                     # does the work, and finds out; False where it failed
    recording = recorder.record(work)        # None where it cannot be
    recording.replay()
"""

from __future__ import annotations

import linecache
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from tuneproof.model.hardware import is_out_of_memory

SWITCH = "TUNEPROOF_GRAPHS"
"""Environment variable; with `0` nothing is recorded."""
WAITS = "synchronizing CUDA operation"
"""What PyTorch says of work that waits for the card (`torch.cuda.set_sync_debug_mode`)."""
ASKED = "packed_sequence_mask"
"""What stands in the line where transformers asks whether rows are packed; it does not ask while work is recorded."""
WATCHING = threading.Lock()
"""Warnings and PyTorch's switch for them belong to the process."""

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

    def prove(self, work: Callable[[], None]) -> bool:
        """Do the work, launched kernel by kernel, and find out whether it can be recorded; False where it failed.

        Raises what says that memory has run out. Another failure is one of recording: done in the usual way, the work
        will raise it again if it is its own.
        """
        self.proven, drawn = True, read_draws()
        try:
            with watch_waits() as waits:
                work()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._give_up(f"{type(error).__name__}: {error}")
            return False
        if waits:
            self._give_up(f"waits for the card at {', '.join(waits[:3])}")
        if drawn is not None and not torch.equal(drawn, torch.cuda.get_rng_state()):
            torch.cuda.set_rng_state(drawn)
            self._give_up("draws numbers")
        return True

    def record(self, work: Callable[[], None], beside: Recording | None = None) -> Recording | None:
        """`work` as one launch, not run yet, in the memory of `beside`; None where it cannot be recorded.

        Raises what says that memory has run out.
        """
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
            if is_out_of_memory(error):
                raise
            self._give_up(str(error))
            return None
        return Recording(graph.replay, graph.pool())

    def _give_up(self, why: str) -> None:
        self.works, self.why = False, " ".join(why.split())[:300]
        log.info("kernels are launched one by one: %s", self.why)


def read_draws() -> torch.Tensor | None:
    """Where the card's random numbers stand; None without a card."""
    return torch.cuda.get_rng_state() if torch.cuda.is_available() else None


@contextmanager
def watch_waits() -> Iterator[list[str]]:
    """Where Python waits for the card meanwhile, as `file:line`, told at the end."""
    places: list[str] = []
    with WATCHING, warnings.catch_warnings(record=True) as caught:
        before = torch.cuda.get_sync_debug_mode()
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield places
        finally:
            torch.cuda.set_sync_debug_mode(before)
    for one in caught:
        if WAITS in str(one.message) and ASKED not in linecache.getline(one.filename, one.lineno):
            places.append(f"{one.filename}:{one.lineno}")


def lies_on_one_card(model: nn.Module) -> bool:
    """Whether all weights are whole and on one CUDA device.

    None is streamed from the host, where it has no elements between two uses (model/offload), or shared out to other
    processes (model/split).
    """
    places = {weight.device for weight in model.parameters()}
    whole = all(weight.numel() and not hasattr(weight, "device_mesh") for weight in model.parameters())
    return whole and len(places) == 1 and places.pop().type == "cuda"
