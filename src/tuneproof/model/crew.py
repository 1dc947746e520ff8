"""Processes that work on one run side by side, each on a device of its own: the process group of PyTorch.

Rank 0 leads: it walks the chain, writes every record and hands out the work; the others take their share of it. The
model is whole in each of them. A share never depends on who is how fast, so the same rows are summed in every training,
whatever the number of ranks: only the order of the additions differs.

In: the environment that torchrun sets (RANK, WORLD_SIZE, ...), `--gpus`, or Ray Train. Out: one `Crew` a process;
of one, where there is none.

    crew = join_crew()
    mine = [rows[at] for at in crew.share([len(row.ids) for row in rows])]
    loss = crew.sum_step(loss, weights)         # the loss of all ranks, and so are the gradients now
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as group
from torch import Tensor

from tuneproof.errors import RunError

Told = TypeVar("Told")

PATIENCE = timedelta(days=7)
"""How long a rank waits for another: all that is not shared out is done by the lead alone. One that has died is noticed
by its closed connection, and by who started it."""

SAME_SIGNAL = 1.0
"""Seconds within which a signal to all ranks has reached each."""


class Crew:
    """One rank among `size`; alone, every call gives back what it was given."""

    def __init__(self, rank: int = 0, size: int = 1, beside: int | None = None) -> None:
        self.rank = rank
        self.size = size
        self.beside = size if beside is None else beside
        """Ranks of this machine."""

    @property
    def leads(self) -> bool:
        """Whether this is the rank that writes."""
        return self.rank == 0

    def share(self, sizes: Sequence[int]) -> list[int]:
        """Indices of this rank's share of things of these sizes, ascending: near the same total for each rank.

        The largest go first, each to the rank with the least so far (Graham 1969: at most 4/3 of the best split).
        """
        totals, mine = [0] * self.size, []
        for at in sorted(range(len(sizes)), key=lambda at: (-sizes[at], at)):
            rank = min(range(self.size), key=lambda rank: (totals[rank], rank))
            totals[rank] += sizes[at]
            if rank == self.rank:
                mine.append(at)
        return sorted(mine)

    def sum_step(self, loss: Tensor, weights: Sequence[Tensor]) -> Tensor:
        """The sum of all ranks' losses (a scalar); the gradients of `weights` become their sums as well, in place.

        A rank without rows has no gradients: its are zero. One message in float32, since an adapter is small.
        """
        if self.size == 1:
            return loss
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        sent = torch.cat([loss.reshape(1).float(), *(gradient.reshape(-1).float() for gradient in gradients)])
        with expect_all():
            group.all_reduce(sent)
        for gradient, part in zip(gradients, sent[1:].split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))
        return sent[0].to(loss.dtype)

    def copy_weights(self, weights: Sequence[Tensor]) -> None:
        """Give every rank the lead's values of `weights`, in place."""
        if self.size > 1:
            with expect_all():
                for weight in weights:
                    group.broadcast(weight.data, src=0)

    def agree(self, number: int | None) -> int | None:
        """The highest number that a rank has, on all of them: all stop at the same step, whoever got the signal, and
        compute as many packs where that is asked for."""
        if self.size == 1:
            return number
        found = torch.tensor([number or 0])
        with expect_all():
            group.all_reduce(found, op=group.ReduceOp.MAX)
        return int(found) or None

    def tell(self, make: Callable[[], Told]) -> Told:
        """What `make` gives to the lead, on every rank; the others do not call it."""
        if self.size == 1:
            return make()
        told = [make() if self.leads else None]
        with expect_all():
            group.broadcast_object_list(told, src=0)
        return told[0]  # type: ignore[return-value]

    def gather(self, mine: Told) -> list[Told]:
        """What each rank has, by rank, for the lead; nothing for the others."""
        if self.size == 1:
            return [mine]
        found: list[Told] | None = [mine] * self.size if self.leads else None
        with expect_all():
            group.gather_object(mine, found, dst=0)
        return found or []


@contextmanager
def expect_all() -> Iterator[None]:
    """Raise RunError where another rank has gone: what it failed by is told there.

    A signal that ended it comes to this one as well, and is the better reason.
    """
    try:
        yield
    except RuntimeError as error:
        time.sleep(SAME_SIGNAL)
        raise RunError("crew.lost", why=str(error).splitlines()[0][:200]) from error


@cache
def join_crew() -> Crew:
    """The crew of this process, joined on the first call; blocks until all ranks have come.

    Call it before anything touches a GPU: each rank is shown one only. The libraries above are told of no ranks, since
    each would split the work in its own way (accelerate's even batches repeat rows).
    """
    size, rank = int(os.environ.pop("WORLD_SIZE", "1")), int(os.environ.pop("RANK", "0"))
    local, meeting = int(os.environ.pop("LOCAL_RANK", "0")), os.environ.pop("TUNEPROOF_MEETING", None)
    beside = int(os.environ.pop("LOCAL_WORLD_SIZE", str(size)))
    if size == 1 or group.is_initialized():  # By Ray Train, which has given each worker its GPU as well.
        return Crew(rank, size, beside)
    shown = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    os.environ["CUDA_VISIBLE_DEVICES"] = shown[local] if local < len(shown) else str(local)
    # Objects and numbers go over gloo, gradients of a GPU over NCCL.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    place = "env://" if meeting is None else Path(meeting).as_uri()
    with expect_all():
        group.init_process_group(backend, place, rank=rank, world_size=size, timeout=PATIENCE)
    return Crew(rank, size, beside)
