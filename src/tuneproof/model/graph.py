"""Work that is recorded once and launched as one: CUDA graphs.

A step is thousands of small kernels, and Python takes longer to launch them than a fast card to run them: 65 ms for one
token of 128 answers side by side on an H100, whatever the model's size (benchmarks/RESULTS.md). What is recorded reads
and writes fixed memory, which is given new numbers before each replay.

Not everything can be recorded: weights that are streamed from the host, a choice that Python makes by what a tensor
holds. A recorder that fails once does not try again, and the work is done as before, kernel by kernel.

    recorder = Recorder(model)
    recording = recorder.record(work)        # None where it cannot be
    recording.replay()
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

SWITCH = "TUNEPROOF_GRAPHS"
"""Environment variable; with `0` nothing is recorded."""

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
        self.why = ""
        """What was raised where recording has failed."""

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
            self.works, self.why = False, " ".join(str(error).split())[:300]
            # PyTorch leaves its own stream where a recording breaks off.
            torch.cuda.set_stream(stream)
            log.info("kernels are launched one by one: %s", self.why)
            return None
        return Recording(graph.replay, graph.pool())


def lies_on_one_card(model: nn.Module) -> bool:
    """Whether all weights are on one CUDA device: none is streamed from the host, or held by another process."""
    places = {weight.device for weight in model.parameters()}
    return len(places) == 1 and places.pop().type == "cuda"
