"""What a setting would take on a device: traced where the model can be traced, by the closed formula where not.

In: the model's config, the lengths of the data, the run's config, the device. Out: a `Forecast` a question. Traces are
kept in memory, so that asking again is free.

    forecaster = Forecaster(model_config, lengths, config, target)
    forecaster.forecast_training(Candidate(micro_batch=8, checkpointing=False, quantization="none", max_tokens=512))
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tuneproof.config import RunConfig
from tuneproof.plan.allocator import replay_events
from tuneproof.plan.archive import Traced
from tuneproof.plan.formula import Load, Precision, estimate_answers, estimate_step, read_dimensions
from tuneproof.plan.heap import ANSWERING_HEAP, PROCESS, TRAINING_HEAP
from tuneproof.records import Parts

if TYPE_CHECKING:
    from tuneproof.plan.kernels import Kernel
    from tuneproof.plan.subject import Subject
    from tuneproof.plan.trace import Step

MIB = 1 << 20
CUDA_CONTEXT = 450 * MIB
"""CUDA's context and the kernels it loads: 273 MiB measured with lazy loading (pytorch PR 86509), 300-400 in
maintainers' answers, 619 MiB and 751 with its kernels on an H100. An assumption: no card is asked for its own."""
CUBLAS = 2 * (8_519_680 + MIB)
"""cuBLAS' workspace `:4096:2:16:8` and cuBLASLt's, for the forward and the backward thread (CublasHandlePool.cpp)."""
CUBLAS_HOPPER = 2 * (32 * MIB + MIB)
"""The same on cards of compute capability 9.0; these blocks were found on an H100 (benchmarks/RESULTS.md)."""
CUDA_MARGIN = 150 * MIB
FORMULA_MARGIN = 1.15
"""What the formula says fits comfortably must fit with this factor; for models unlike Llama its error is not known."""
REPLAY_PROMPT = 64
"""Tokens allowed for the question of a replay row, which is not among the data's rows."""

Grade = Literal["fits", "tight", "no"]
GRADES: tuple[Grade, ...] = ("fits", "tight", "no")
Quantization = Literal["none", "int8", "nf4"]
Dtype = Literal["float32", "bfloat16", "float16"]
Optimizer = Literal["adamw", "adamw8bit"]
SIMILAR = 0.9
"""Of two ways to answer, the one that is estimated below this share of the other is not traced."""


class Lengths(NamedTuple):
    """The data in tokens."""

    tokens: list[int]
    """Of each training row."""
    trained: list[int]
    """Trained tokens of each training row."""
    prompt: int
    """The longest prompt that will be answered."""
    answer: int
    """The most new tokens of an answer."""


class Target(NamedTuple):
    """The device to plan for."""

    device: Literal["cpu", "cuda", "mps"]
    dtype: Dtype
    limit_bytes: int
    """All that may be used, the device's own part included."""
    name: str = ""
    context: int | None = None
    """What the device and the process take themselves, as measured; None: as assumed."""
    host: int | None = None
    """Free bytes of the computer's own memory, for layers kept there; None: not known."""
    workspace: int = CUBLAS
    """What CUDA's matrix products take beside their results."""
    ranks: int = 1
    """Devices like this one, with a process each."""


class Candidate(NamedTuple):
    """A setting that may be chosen."""

    micro_batch: int
    checkpointing: bool
    quantization: Quantization
    max_tokens: int
    chunk: int = 256
    """Trained tokens whose logits live at a time."""
    dtype: Dtype | None = None
    """None: the device's usual one."""
    optimizer: Optimizer = "adamw"
    offload: bool = False
    """Frozen layers in host memory; those that are split only while answers are made."""
    split: bool = False
    """Frozen layers split over the ranks in training."""


class Forecast(NamedTuple):
    """What something takes, the device's own part included. Bytes."""

    peak: int
    parts: Parts
    grade: Grade
    method: Literal["trace", "formula"]


class Forecaster:
    """Answers for one model, data set, config and device."""

    def __init__(self, model_config: Any, data: Lengths, config: RunConfig, target: Target) -> None:
        self.model_config = model_config
        self.data = data
        self.config = config
        self.target = target
        assumed = CUDA_CONTEXT if target.device == "cuda" else PROCESS
        self.context = assumed if target.context is None else target.context
        if target.device == "cuda":
            self.context += target.workspace + CUDA_MARGIN
        self.dimensions = read_dimensions(model_config)

    def forecast_training(self, candidate: Candidate) -> Forecast:
        """The heaviest pack that this setting allows, with all that training holds."""
        from tuneproof.plan.trace import trace_step

        candidate = candidate._replace(offload=candidate.offload and not candidate.split)
        subject, step = self._subject(candidate), self._lay_step(candidate)
        estimate = self._estimate(candidate, step)
        kernel = self._name_kernel(candidate)
        forecast = self._forecast(lambda: trace_step(subject, step, kernel=kernel), estimate)
        if self.target.device != "cpu":
            return forecast
        whole = self._estimate(candidate, step._replace(checkpointing=False)) if step.checkpointing else forecast.parts
        return self._add_heap(forecast, TRAINING_HEAP.keep(_count_passing(whole)))

    def estimate_training(self, candidate: Candidate) -> int:
        """The same by the closed formula alone: instant, for sorting out what cannot fit."""
        candidate = candidate._replace(offload=candidate.offload and not candidate.split)
        return self._estimate(candidate, self._lay_step(candidate)).total() + self.context

    def forecast_answers(self, rows: int, candidate: Candidate, *, folded: bool = False) -> Forecast:
        """Answering `rows` of the longest prompts at a time, or as many tokens of the few-shot control's longer ones.

        `folded`: with the adapter folded into the weights.
        """
        from tuneproof.plan.trace import Answering, trace_answers

        candidate = candidate._replace(split=False)
        subject, kernel = self._subject(candidate), self._name_kernel(candidate)
        answer, prompts = self.data.answer, self._list_prompts(rows)
        shapes = [Answering(shape, prompt, answer, folded, joining=True) for shape, prompt in prompts]
        estimates = [self._estimate_answers(candidate, shape, prompt, answer, folded) for shape, prompt in prompts]
        most = max(estimate.total() for estimate in estimates)
        found = [
            self._forecast(lambda shape=shape: trace_answers(subject, shape, kernel=kernel), estimate)  # type: ignore[misc]
            for shape, estimate in zip(shapes, estimates, strict=True)
            if estimate.total() >= SIMILAR * most
        ]
        heaviest = max(found, key=lambda one: (GRADES.index(one.grade), one.peak))
        if self.target.device != "cpu":
            return heaviest
        return self._add_heap(heaviest, ANSWERING_HEAP.keep(_count_passing(heaviest.parts)))

    def estimate_answers(self, rows: int, candidate: Candidate) -> int:
        """The same by the closed formula alone."""
        candidate, shapes = candidate._replace(split=False), self._list_prompts(rows)
        estimates = [self._estimate_answers(candidate, shape, prompt, self.data.answer) for shape, prompt in shapes]
        return max(estimate.total() for estimate in estimates) + self.context

    def forecast_load(self, candidate: Candidate) -> Forecast:
        """Reading the weights, before anything else is there."""
        from tuneproof.plan.trace import count_load

        weights, largest = count_load(self._subject(candidate._replace(split=False)), self._name_kernel(candidate))
        parts = Parts(weights=weights, temporaries=largest, context=self.context)
        grade: Grade = "fits" if parts.total() <= self.target.limit_bytes else "no"
        return Forecast(parts.total(), parts, grade, "trace")

    def count_host(self, candidate: Candidate) -> int:
        """Bytes of frozen layers in the computer's own memory; all weights pass it on their way to be split."""
        from tuneproof.plan.trace import count_host, count_load

        streamed = count_host(self._subject(candidate)) if candidate.offload else 0
        if not candidate.split or self.target.device != "cuda":
            return streamed
        return max(streamed, count_load(self._subject(candidate._replace(split=False, offload=False)))[0])

    def _list_prompts(self, rows: int) -> list[tuple[int, int]]:
        """(rows, tokens of their prompts): of the run's own questions, and of the few-shot control's."""
        examples = max(self.config.evaluate.few_shot, default=0)
        if not examples:
            return [(rows, self.data.prompt)]
        typical = int(statistics.median(self.data.tokens)) if self.data.tokens else 0
        longer = self.data.prompt + examples * typical
        fewer = rows * (self.data.prompt + self.data.answer) // (longer + self.data.answer)
        return [(rows, self.data.prompt), (max(1, fewer), longer)]

    def _estimate_answers(self, candidate: Candidate, rows: int, prompt: int, new: int, folded: bool = False) -> Parts:
        return estimate_answers(self.dimensions, self._precision(candidate), rows, prompt, new, folded)

    def _forecast(self, trace: Callable[[], Traced], estimate: Parts) -> Forecast:
        """Trace and grade; the estimate where an operator has no meta kernel."""
        try:
            traced = trace()
        except (NotImplementedError, RuntimeError):
            estimate.context = self.context
            peak = estimate.total()
            return Forecast(peak, estimate, self._grade_estimate(peak), "formula")
        parts = traced.parts.model_copy(update={"context": self.context})
        return Forecast(parts.total(), parts, self._grade(traced, parts.total()), "trace")

    def _add_heap(self, forecast: Forecast, kept: int) -> Forecast:
        """With what the process keeps of the bytes that come and go."""
        parts = forecast.parts.model_copy(update={"context": forecast.parts.context + kept})
        peak = parts.total()
        traced: Grade = "fits" if peak <= self.target.limit_bytes else "no"
        grade = traced if forecast.method == "trace" else self._grade_estimate(peak)
        return forecast._replace(peak=peak, parts=parts, grade=grade)

    def _grade(self, traced: Traced, peak: int) -> Grade:
        if peak > self.target.limit_bytes:
            return "no"
        if self.target.device != "cuda":
            return "fits"
        return replay_events(traced.static, traced.events, capacity=self.target.limit_bytes - self.context).grade

    def _grade_estimate(self, peak: int) -> Grade:
        if peak * FORMULA_MARGIN <= self.target.limit_bytes:
            return "fits"
        return "tight" if peak <= self.target.limit_bytes else "no"

    def _estimate(self, candidate: Candidate, step: Step) -> Parts:
        load = Load(
            rows=len(step.segments),
            tokens=sum(step.segments),
            trained=step.trained,
            chunk=step.chunk,
            checkpointing=step.checkpointing,
            accumulating=step.accumulating,
        )
        return estimate_step(self.dimensions, self._precision(candidate), load)

    def _lay_step(self, candidate: Candidate) -> Step:
        """The heaviest pack: full of the longest rows, as far as a batch has that many tokens.

        Replay is made after the plan: any row of the batch may be a replay row, a short question and a whole answer.
        """
        from tuneproof.plan.trace import Step

        replay = self.config.replay.max_new_tokens if self.config.replay.fraction else 0
        least = min(replay + REPLAY_PROMPT, candidate.max_tokens) if replay else 1
        batch = self.config.train.batch_size
        lengths = sorted((max(one, least) for one in self.data.tokens if one <= candidate.max_tokens), reverse=True)
        longest = lengths[0] if lengths else least
        of_batch = sum(lengths[:batch]) + longest * max(0, batch - len(lengths))
        room = candidate.micro_batch * candidate.max_tokens
        tokens = max(longest, min(room, of_batch))
        whole, rest = divmod(tokens, longest)
        segments = (longest,) * whole + ((rest,) if rest else ())
        trained = sum(sorted((max(one, replay) for one in self.data.trained), reverse=True)[:batch]) or tokens
        return Step(
            segments=segments,
            trained=max(1, min(trained, tokens - len(segments))),
            checkpointing=candidate.checkpointing,
            chunk=candidate.chunk,
            accumulating=of_batch > room,
        )

    def _subject(self, candidate: Candidate) -> Subject:
        from tuneproof.plan.subject import describe_subject

        subject = describe_subject(
            self.model_config,
            dtype=candidate.dtype or self.target.dtype,
            lora=self.config.lora,
            quantization=candidate.quantization,
        )
        ranks = self.target.ranks if candidate.split else 1
        return subject._replace(optimizer=candidate.optimizer, offload=candidate.offload, ranks=ranks)

    def _precision(self, candidate: Candidate) -> Precision:
        assert self.config.lora.rank is not None
        dtype = candidate.dtype or self.target.dtype
        ranks = self.target.ranks if candidate.split else 1
        held = (candidate.quantization, candidate.optimizer, candidate.offload)
        return Precision(dtype, self.config.lora.rank, *held, ranks)

    def _name_kernel(self, candidate: Candidate) -> Kernel:
        """The attention of the device; flash needs bfloat16's generation of GPUs (sm80)."""
        if self.target.device != "cuda":
            return "cpu"
        return "flash" if (candidate.dtype or self.target.dtype) == "bfloat16" else "efficient"


def _count_passing(parts: Parts) -> int:
    """Bytes that come and go in a step or a batch of answers."""
    return parts.activations + parts.logits + parts.temporaries + parts.gradients + parts.cache
