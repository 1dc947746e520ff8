"""Answers in batches: the longest first, a common beginning read once, and who has ended makes room for the next.

In: prompts as token ids. Out: new token ids and how each ended, in the order of the prompts. Everything that is
measured is greedy, so an answer depends on its prompt alone (up to the last bits of batched arithmetic).
`sample_answers` draws instead, where texts of the model's own kind are wanted.

    answers = generate_answers(model, prompts, limits=[64] * len(prompts), ends=end_ids(tokenizer))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from tuneproof.model.batch import Batch, Picker, Reader, forget_ended, keep_rows
from tuneproof.model.stepping import Stepper

LOOK_EVERY = 16
"""New tokens between two looks for a loop."""
LOOP = 96
"""Tokens at an answer's end that must repeat with one period for it to be a loop."""
LONGEST_PERIOD = LOOP // 3
JOINING = 0.5
"""Share of a batch's rows that are read at once to take the places of ended ones, at most: beside a full cache."""


Finish = Literal["end", "length", "loop"]
"""`end`: the model ended it; `length`: cut at the limit; `loop`: it only repeated itself, and was stopped."""


class Generated(NamedTuple):
    """New tokens, the end token not among them."""

    ids: list[int]
    finish: Finish


def generate_answers(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    batch_size: int = 32,
    on_answers: Callable[[Mapping[int, Generated]], None] | None = None,
) -> list[Generated]:
    """Answer each prompt greedily with at most `limits[i]` new tokens, one at least.

    `on_answers` hears answers as they end, by their prompts' indices.
    """
    return _generate(model, prompts, limits, _Way(set(ends), batch_size, _pick_likeliest), on_answers)


def sample_answers(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    limits: Sequence[int],
    ends: Sequence[int],
    seed: int,
    batch_size: int = 32,
) -> list[Generated]:
    """Draw an answer to each prompt from the model's own distribution (temperature 1), the same for the same seed."""
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)

    def draw(logits_BV: Tensor) -> Tensor:
        return torch.multinomial(logits_BV.float().softmax(-1), 1, generator=generator)[:, 0]

    return _generate(model, prompts, limits, _Way(set(ends), batch_size, draw), None)


class _Way(NamedTuple):
    """How answers are made."""

    ends: set[int]
    batch_size: int
    pick: Picker


def _generate(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    way: _Way,
    on_answers: Callable[[Mapping[int, Generated]], None] | None,
) -> list[Generated]:
    answers = [Generated([], "length")] * len(prompts)
    training = model.training
    model.eval()
    try:
        for ended in _Flow(model, prompts, limits, way).run():
            for index, answer in ended.items():
                answers[index] = answer
            if on_answers:
                on_answers(ended)
    finally:
        model.train(training)
    return answers


class _Flow:
    """Prompts on their way through the places of a batch."""

    def __init__(self, model: nn.Module, prompts: Sequence[Sequence[int]], limits: Sequence[int], way: _Way) -> None:
        self.model, self.prompts, self.limits, self.way = model, prompts, limits, way
        self.reader = Reader(model, way.pick)
        self.stepper = Stepper(model, way.pick)
        # The longest first, by the best guess there is: what comes last fills the gaps, memory is short at once or
        # never, and prompts of a length are read together.
        order = sorted(range(len(prompts)), key=lambda i: (-limits[i], -len(prompts[i]), i))
        self.waiting = deque(order)
        self.batch: Batch | None = None
        self.rows: list[int] = []
        """Prompt of each place of the batch."""
        self.busy: set[int] = set()
        """Places whose answers go on."""
        self.idle = 0
        """New tokens that ended rows have taken up since the places were last filled or dropped."""
        self.said: dict[int, list[int]] = {}

    @torch.inference_mode()
    def run(self) -> Iterator[dict[int, Generated]]:
        """Answers by prompt, as they end."""
        while self.waiting or self.busy:
            # A group costs about a step of its own, dropping rows copies the cache, about a step's work as well: so
            # when ended rows have taken up a step, neither waiting nor changing takes more than twice the better one.
            due = self.idle >= len(self.rows) * self.stepper.change_cost
            if (not self.busy or due) and (ended := self._hear(self._change())):
                yield ended
            if self.busy and self.batch is not None:
                self.batch = self.stepper.read_on(self.batch)
                self.idle += len(self.rows) - len(self.busy)
                if ended := self._hear(sorted(self.busy)):
                    yield ended

    def _change(self) -> Sequence[int]:
        """Begin a batch, fill free places, or drop them where nobody comes; the places that are new."""
        size, free = self.way.batch_size, [place for place in range(len(self.rows)) if place not in self.busy]
        if not self.busy or self.batch is None:
            # Before the next one is read: two caches at once are not in the plan.
            self.batch = None
            self.stepper.forget()
            self.rows = self._call(size)
            self.batch = self.reader.read([self.prompts[index] for index in self.rows])
            free = list(range(len(self.rows)))
        elif self.waiting and self.reader.fills:
            called = self._call(min(len(free), count_joining(size)))
            free = free[: len(called)]
            prompts = [self.prompts[index] for index in called]
            self.stepper.make_way(self.batch, max(map(len, prompts)))
            self.batch = self.reader.fill(self.batch, free, prompts)
            for place, index in zip(free, called, strict=True):
                self.rows[place] = index
        elif self.reader.drops and len(self.busy) * self.stepper.drop_factor <= len(self.rows):
            kept, free = sorted(self.busy), []
            self.batch = keep_rows(self.batch, kept)
            self.rows, self.busy = [self.rows[place] for place in kept], set(range(len(kept)))
        else:
            free = []
        self.busy.update(free)
        self.idle = 0
        return free

    def _call(self, count: int) -> list[int]:
        """The next prompts in line."""
        return [self.waiting.popleft() for _ in range(min(count, len(self.waiting)))]

    def _hear(self, places: Iterable[int]) -> dict[int, Generated]:
        """Add the newest tokens of these places to their answers; those that have ended."""
        assert self.batch is not None
        tokens, ended = self.batch.next_B.tolist(), dict[int, Generated]()
        for place in places:
            index = self.rows[place]
            said = self.said.setdefault(index, [])
            if finish := _say(said, tokens[place], self.limits[index], self.way.ends):
                ended[index] = Generated(self.said.pop(index), finish)
                self.busy.remove(place)
        if ended and self.busy:
            self.batch = forget_ended(self.batch, sorted(self.busy))
        return ended


def count_joining(rows: int) -> int:
    """Rows that may join a batch of so many at once."""
    return max(1, int(JOINING * rows))


def _say(said: list[int], token: int, limit: int, ends: set[int]) -> Finish | None:
    """Add the token to the answer, unless it ends it; how the answer has ended, None while it goes on."""
    if token in ends:
        return "end"
    said.append(token)
    if len(said) >= limit:
        return "length"
    return "loop" if len(said) % LOOK_EVERY == 0 and is_loop(said) else None


def is_loop(ids: Sequence[int]) -> bool:
    """Whether the last `LOOP` tokens repeat with one period, three times or more.

    A greedy answer that does so goes on like that to its limit, since the same words bring the same next one (Holtzman
    et al., ICLR 2020, arXiv 1904.09751: the probability of a repetition grows with each one). Small models do it often,
    and would take most of the time of an evaluation.
    """
    tail = list(ids[-LOOP:])
    return len(tail) == LOOP and any(tail[period:] == tail[:-period] for period in range(1, LONGEST_PERIOD + 1))


def _pick_likeliest(logits_BV: Tensor) -> Tensor:
    return logits_BV.argmax(-1)
