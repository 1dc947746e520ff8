"""A decoder's forward and backward pass over packs, recorded: what Python launched once, a card launches again.

One recording serves all packs of about a length: they are padded to it by rows of their own, which nothing sees and of
which nothing is learnt. All recordings work in the same memory, that of the longest pack; the loss, whose trained
tokens differ from pack to pack, is made outside (model/step). Gradients by the adapter are added up in buffers of their
own, which are its `grad` while a step is taken.

    decoder = RecordedDecoder(model, Room(tokens=8192, rows=16, longest=1024))
    decoder.begin()                                            # gradients are zero
    loss = sum_loss(model, pack, chunk=256, decoder=decoder)
    loss.backward()
"""

from __future__ import annotations

import logging
import math
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tuneproof.model.attention import Laid
from tuneproof.model.graph import Recorder, Recording
from tuneproof.model.liger import fused
from tuneproof.model.step import Pack, get_base

log = logging.getLogger(__name__)

FINEST = 8
"""Lengths that are recorded between one power of two and the next, at most: packs are 4 % longer than they need be."""
COST = 6
"""Packs in whose time one more length is recorded (0.42 s of 61 ms, Qwen1.5-1.8B on an H100)."""
SHORTEST = 64
"""Tokens: a recorded length is a multiple of it."""


class Room(NamedTuple):
    """What the packs of a training have at most."""

    tokens: int
    rows: int
    longest: int
    """Tokens of a row."""
    packs: int = 1000
    """Packs in all."""


class RecordedPack(NamedTuple):
    """Both passes over a pack of some length."""

    forward: Recording
    backward: Recording


class RecordedDecoder:
    """See the module's docstring. As long as `works`; then its caller takes the model's own way."""

    def __init__(self, model: nn.Module, room: Room, recorder: Recorder | None = None) -> None:
        self.decoder = get_base(model).get_decoder()
        self.recorder = recorder or Recorder(model)
        self.trained = [weight for weight in model.parameters() if weight.requires_grad]
        # Whole multiples: kernels may be made for such lengths alone.
        self.room = room._replace(tokens=-(-room.tokens // SHORTEST) * SHORTEST)
        self.fused = False
        """Whether Liger's kernels are used, where they can be."""
        self.fineness = choose_fineness(room.packs)
        self.segments = room.rows + -(-max(SHORTEST, self.room.tokens // self.fineness) // room.longest)
        """Rows of a pack, and those that pad it."""
        self.recorded: dict[int, RecordedPack] = {}
        self.output_TH: Tensor | None = None
        if self.works:
            self._lay_memory(get_base(model).config.get_text_config().hidden_size)

    @property
    def works(self) -> bool:
        """Whether packs can be recorded, as far as is known."""
        return self.recorder.works

    def _lay_memory(self, hidden: int) -> None:
        """The memory that recordings read and write."""
        weight = next(self.decoder.parameters())
        place: dict[str, Any] = {"device": weight.device}
        self.ids_1T, self.positions_1T = (torch.zeros(1, self.room.tokens, dtype=torch.long, **place) for _ in range(2))
        self.ends = torch.zeros(self.segments + 1, dtype=torch.int32, **place)
        wide = (self.room.tokens, hidden)
        self.hidden_TH, self.by_hidden_TH = (torch.zeros(wide, dtype=weight.dtype, **place) for _ in range(2))
        self.gradients = [torch.zeros_like(weight) for weight in self.trained]
        self.anchor = torch.zeros((), requires_grad=True, **place)

    def begin(self) -> None:
        """Let the adapter's gradients be the buffers, at zero."""
        torch._foreach_zero_(self.gradients)
        for weight, gradient in zip(self.trained, self.gradients, strict=True):
            weight.grad = gradient

    def read(self, pack: Pack) -> Tensor | None:
        """Last hidden states of all tokens, (T, H), good until the next pack; None where they cannot be recorded.

        Raises what says that memory has run out.
        """
        length = min(round_up(len(pack.ids_T), self.fineness), self.room.tokens)
        if not self.works or len(pack.segments) > self.room.rows or len(pack.ids_T) > length:
            return None
        # The longest first: what is let go of between passes is cut up for shorter ones, and never joined for longer.
        for missing in (self.room.tokens, length):
            if missing not in self.recorded and not self._record(missing):
                self.recorded.clear()
                return None
        self._load(pack, length)
        hidden_TH: Tensor = Replayed.apply(self.anchor, self, length)  # type: ignore[no-untyped-call]
        return hidden_TH

    def _load(self, pack: Pack, length: int) -> None:
        """Put a pack, padded, where recordings read it."""
        tokens, longest = len(pack.ids_T), self.room.longest
        pads = [min(longest, length - start) for start in range(tokens, length, longest)]
        ends = [0, *accumulate([*pack.segments, *pads])]
        ends += [length] * (len(self.ends) - len(ends))
        self.ends.copy_(torch.tensor(ends, dtype=torch.int32))
        self.ids_1T[0, :tokens] = pack.ids_T
        self.positions_1T[0, :tokens] = pack.positions_T
        if pads:
            self.ids_1T[0, tokens:length] = 0
            places = torch.arange(length - tokens, device=self.ends.device) % longest
            self.positions_1T[0, tokens:length] = places

    def _record(self, length: int) -> bool:
        """Record both passes over packs of this length; whether that went well."""
        if not self.recorded and not self._prepare():
            return False
        beside = next(iter(self.recorded.values())).forward if self.recorded else None
        try:
            forward = self.recorder.record(lambda: self._go(length), beside)
            backward = self.recorder.record(lambda: self._return(length), forward) if forward else None
        finally:
            # With it what the forward pass kept: the next recording has that memory.
            self.output_TH = None
        if forward and backward:
            self.recorded[length] = RecordedPack(forward, backward)
        return length in self.recorded

    def _prepare(self) -> bool:
        """Make what must not be made while work is recorded, handles and kernels; whether work can be."""
        self.ends.copy_(torch.tensor([0, *[SHORTEST] * (len(self.ends) - 1)], dtype=torch.int32))
        return self.recorder.prove(self._warm_up) and self.recorder.works

    def _warm_up(self) -> None:
        """Both passes; without Liger's kernels where these fail, as without a compiler, or on an older card."""
        try:
            self._pass_over()
        except Exception as error:
            if not self.fused:
                raise
            log.info("without Liger's kernels: %s", error)
            self.fused = False
            self._pass_over()

    def _pass_over(self) -> None:
        """Both passes, not recorded, of no consequence: gradients are multiplied by zeros."""
        self.by_hidden_TH[:SHORTEST] = 0
        try:
            self._go(SHORTEST)
            self._return(SHORTEST)
        finally:
            self.output_TH = None

    def _go(self, length: int) -> None:
        laid = Laid(self.ends, self.room.longest)
        inputs = {"input_ids": self.ids_1T[:, :length], "position_ids": self.positions_1T[:, :length]}
        with torch.enable_grad(), fused(wanted=self.fused):
            self.output_TH = self.decoder(**inputs, use_cache=False, segments=laid).last_hidden_state[0]
        assert self.output_TH is not None
        self.hidden_TH[:length] = self.output_TH.detach()

    def _return(self, length: int) -> None:
        assert self.output_TH is not None
        with fused(wanted=self.fused):
            made = torch.autograd.grad(self.output_TH, self.trained, self.by_hidden_TH[:length], allow_unused=True)
        pairs = [(held, new) for held, new in zip(self.gradients, made, strict=True) if new is not None]
        torch._foreach_add_([held for held, _ in pairs], [new for _, new in pairs])


class Replayed(torch.autograd.Function):
    """A recorded pack as autograd sees it. The anchor has no gradient: it makes the backward pass come by."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, decoder: RecordedDecoder, length: int) -> Tensor:
        """Last hidden states, (T, H)."""
        decoder.recorded[length].forward.replay()
        ctx.decoder, ctx.length = decoder, length
        return decoder.hidden_TH[:length].detach()

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[None, None, None]:
        """Add to the adapter's gradients."""
        decoder: RecordedDecoder = ctx.decoder
        decoder.by_hidden_TH[: ctx.length] = outer[0]
        decoder.recorded[ctx.length].backward.replay()
        return None, None, None


def round_up(tokens: int, fineness: int = FINEST) -> int:
    """The recorded length for packs of so many tokens: `fineness` of them to the next power of two."""
    step = max(SHORTEST, (1 << max(tokens - 1, 1).bit_length() - 1) // fineness)
    return -(-tokens // step) * step


def choose_fineness(packs: int) -> int:
    """The power of two that costs such a training least.

    f lengths to a power of two cost f recordings and a third of 1 / f of all packs, for tokens that pad them: packs of
    1.3 powers of two (16 rows of alpaca_en) cost COST 1.3 f + packs / (3 f) packs, least at f^2 = packs / (3.9 COST).
    """
    return min(FINEST, 1 << max(0, round(math.log2(packs / (3.9 * COST)) / 2)))
