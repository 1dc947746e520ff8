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
from tuneproof.plan.formula import Load, Precision, estimate_answers, estimate_step, read_dimensions
from tuneproof.records import Parts

if TYPE_CHECKING:
    from tuneproof.plan.kernels import Kernel
    from tuneproof.plan.subject import Subject
    from tuneproof.plan.trace import Step, Traced

MIB = 1 << 20
CUDA_CONTEXT = 450 * MIB
"""CUDA's context and the kernels it loads: 273 MiB measured with lazy loading (pytorch PR 86509), 300-400 in
maintainers' answers; assumed until a device is measured."""
CUBLAS = 2 * 8_519_680
"""cuBLAS' workspace `:4096:2:16:8` for the forward and the backward thread."""
CUDA_MARGIN = 150 * MIB
PROCESS = 400 * MIB
"""This process on a CPU: 387 MiB resident once torch 2.13, transformers 5.23, peft 0.21 and this package are there."""
HEAP_FLOOR, HEAP_SHARE = 330 * MIB, 0.35
"""What a process keeps in training on a CPU beside the live tensors: kernels' scratch memory and the C library's freed
blocks, as a floor and a share of the bytes that a step without recomputation holds beside its weights, and never more
than those. Measured with the demo model (glibc 2.36, 32 kernels in the caches): in bfloat16 326 to 655 MiB in five
shapes where this says 315 to 683, in float32 686 MiB where it says 531."""
FORMULA_MARGIN = 1.15
"""What the formula says fits comfortably must fit with this factor; for models unlike Llama its error is not known."""
REPLAY_PROMPT = 64
"""Tokens allowed for the question of a replay row, which is not among the data's rows."""

Grade = Literal["fits", "tight", "no"]
Quantization = Literal["none", "nf4"]


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
    dtype: Literal["float32", "bfloat16", "float16"]
    limit_bytes: int
    """All that may be used, the device's own part included."""
    name: str = ""


class Candidate(NamedTuple):
    """A setting that may be chosen."""

    micro_batch: int
    checkpointing: bool
    quantization: Quantization
    max_tokens: int


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
        self.context = CUDA_CONTEXT + CUBLAS + CUDA_MARGIN if target.device == "cuda" else PROCESS
        self.dimensions = read_dimensions(model_config)

    def forecast_training(self, candidate: Candidate) -> Forecast:
        """The heaviest pack that this setting allows, with all that training holds."""
        from tuneproof.plan.trace import trace_step

        subject, step = self._subject(candidate.quantization), self._lay_step(candidate)
        estimate = self._estimate(candidate, step)
        forecast = self._forecast(lambda: trace_step(subject, step, kernel=self._kernel), estimate)
        if self.target.device != "cpu":
            return forecast
        whole = self._estimate(candidate, step._replace(checkpointing=False)) if step.checkpointing else forecast.parts
        return self._add_heap(forecast, _count_passing(whole))

    def estimate_training(self, candidate: Candidate) -> int:
        """The same by the closed formula alone: instant, for sorting out what cannot fit."""
        return self._estimate(candidate, self._lay_step(candidate)).total() + self.context

    def forecast_answers(self, rows: int, quantization: Quantization, *, folded: bool = False) -> Forecast:
        """Answering `rows` of the longest prompts at a time; `folded`: with the adapter folded into the weights."""
        from tuneproof.plan.trace import Answering, trace_answers

        subject, shape = self._subject(quantization), Answering(rows, self._prompt, self.data.answer, folded)
        estimate = estimate_answers(self.dimensions, self._precision(quantization), *shape)
        return self._forecast(lambda: trace_answers(subject, shape, kernel=self._kernel), estimate)

    def estimate_answers(self, rows: int, quantization: Quantization) -> int:
        """The same by the closed formula alone."""
        precision = self._precision(quantization)
        parts = estimate_answers(self.dimensions, precision, rows, self._prompt, self.data.answer)
        return parts.total() + self.context

    def forecast_load(self, quantization: Quantization) -> Forecast:
        """Reading the weights, before anything else is there."""
        from tuneproof.plan.trace import count_load

        weights, largest = count_load(self._subject(quantization))
        parts = Parts(weights=weights, temporaries=largest, context=self.context)
        grade: Grade = "fits" if parts.total() <= self.target.limit_bytes else "no"
        return Forecast(parts.total(), parts, grade, "trace")

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

    def _add_heap(self, forecast: Forecast, passing: int) -> Forecast:
        """With what the process keeps of the bytes that pass through a step."""
        kept = min(passing, HEAP_FLOOR + int(HEAP_SHARE * passing))
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
        return estimate_step(self.dimensions, self._precision(candidate.quantization), load)

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
            chunk=self.config.memory.loss_chunk,
            accumulating=of_batch > room,
        )

    def _subject(self, quantization: Quantization) -> Subject:
        from tuneproof.plan.subject import describe_subject

        return describe_subject(
            self.model_config, dtype=self.target.dtype, lora=self.config.lora, quantization=quantization
        )

    def _precision(self, quantization: Quantization) -> Precision:
        assert self.config.lora.rank is not None
        return Precision(self.target.dtype, self.config.lora.rank, quantization)

    @property
    def _prompt(self) -> int:
        """Tokens of the longest prompt, the few-shot control's examples of median length included."""
        typical = int(statistics.median(self.data.tokens)) if self.data.tokens else 0
        return self.data.prompt + max(self.config.evaluate.few_shot, default=0) * typical

    @property
    def _kernel(self) -> Kernel:
        """The attention of the device; flash needs bfloat16's generation of GPUs (sm80)."""
        if self.target.device != "cuda":
            return "cpu"
        return "flash" if self.target.dtype == "bfloat16" else "efficient"


def _count_passing(parts: Parts) -> int:
    """Bytes that come and go in a step."""
    return parts.activations + parts.logits + parts.temporaries + parts.gradients
