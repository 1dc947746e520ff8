"""What a process takes on a CPU beside the tensors that a trace follows: itself, and what is not given back at once.

Measured with the demo model, one setting at a time on a heap that had been given back before (glibc 2.36, 32 kernels in
the caches). No torch.

    TRAINING_HEAP.keep(800 << 20)       # bytes that stay of 800 MiB that come and go in a step
"""

from __future__ import annotations

from typing import NamedTuple

MIB = 1 << 20
PROCESS = 400 * MIB
"""This process where it is not measured: 387 MiB resident once torch 2.13, transformers 5.23, peft 0.21 and this
package are there. A run measures it when it plans: with rows, split and traces 530 to 640 MiB."""


class Heap(NamedTuple):
    """Kernels' scratch memory and the C library's freed blocks: a floor and a share of the bytes that come and go."""

    floor: int
    share: float

    def keep(self, passing: int) -> int:
        """Bytes that stay of those that come and go; never more than those."""
        return min(passing, self.floor + int(self.share * passing))


TRAINING_HEAP = Heap(120 * MIB, 0.30)
"""Of a step without recomputation, in MiB. bfloat16: 91, 109, 184, 262 where this says 198, 237, 380, 380; float32:
12, 134, 389, 493 where it says 242, 312, 565, 565. Over a run, whose packs have many shapes, up to 455 for 423."""
ANSWERING_HEAP = Heap(40 * MIB, 0.36)
"""bfloat16: 61, 87 and 143 MiB where this says 73, 88 and 203; float32: 68, 103, 361 where it says 105, 138, 365."""
