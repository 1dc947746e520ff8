"""The settings: the fastest that fit the limit at the same effective batch, what was turned down, and why.

The order (design rule 24; the chunked loss is always on): everything as it is; smaller packs; activations recomputed; a
cap on the longest rows; 4-bit weights. Never the rank. What the user fixed is kept. No device is needed.

    plan = choose_plan(model_config, Lengths(tokens, trained, prompt=80, answer=96), config, target)
    plan.fits, plan.settings, plan.parts
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from tuneproof.config import RunConfig
from tuneproof.plan.forecast import Candidate, Forecast, Forecaster, Lengths, Quantization, Target
from tuneproof.records import Alternative, Phases, Plan, Rejected, Settings

__all__ = ["Lengths", "Target", "choose_plan"]

CHECKPOINTING_COST = 4 / 3
"""Time of a step with recomputation over one without: measured 1.31 to 1.42 on a CPU with the demo model."""
FLUSHING_COST = 1.5
"""Time of a step that must give memory back to the device each time; an assumption, larger than recomputing."""
FULL_SPEED = {"cpu": 64, "cuda": 512, "mps": 512}
"""Tokens of a pack from which the device is busy: on a CPU 64 run at 88 % of full speed (measured); a GPU's number is
an assumption."""
HOPELESS = 1.25
"""A setting estimated at this many times the limit is not traced; the formula is 12 % off at most where it holds."""
SHORT_ROWS = 0.95
"""Share of rows that a cap on the length must leave whole before anything else is given up."""
ANSWERS_KEPT = 1000
"""Answers that a run keeps, for the estimate of disk; six bytes a token of prompt and answer."""


class Answers(NamedTuple):
    """How answers are made."""

    rows: int
    """Side by side."""
    folded: bool
    """With the adapter folded into the weights."""


class Choice(NamedTuple):
    """A setting, and what training and answering take with it."""

    candidate: Candidate
    training: Forecast
    answering: Forecast
    answers: Answers
    why: str

    @property
    def fits(self) -> bool:
        """Whether both fit, if need be by giving memory back."""
        return "no" not in (self.training.grade, self.answering.grade)


def choose_plan(model_config: Any, data: Lengths, config: RunConfig, target: Target) -> Plan:
    """The plan for a transformers config, the data's lengths, a config with rank and epochs resolved, and a device.

    `fits` is False when nothing does; `alternatives[0]` is then the smallest change that would. Raises ModelError for a
    config without a decoder's sizes or an architecture that cannot be trained here.
    """
    return Search(Forecaster(model_config, data, config, target)).plan()


class Search:
    """One search; it remembers what it turned down."""

    def __init__(self, forecaster: Forecaster) -> None:
        self.forecaster = forecaster
        self.config, self.data, self.target = forecaster.config, forecaster.data, forecaster.target
        self.rejected: list[tuple[Candidate, int, str]] = []
        self.longest = self.config.data.limit_row(self.data.tokens)

    def plan(self) -> Plan:
        """Search, and write down what was found."""
        choice = self._choose()
        loading = self.forecaster.forecast_load(choice.candidate.quantization)
        heaviest = max((loading, choice.training, choice.answering), key=lambda one: one.peak)
        fits = choice.fits and loading.grade != "no"
        tight = "tight" in (choice.training.grade, choice.answering.grade)
        rows, knobs = len(self.data.tokens), self.config.train
        assert knobs.epochs is not None
        steps = knobs.max_steps or max(1, round(knobs.epochs * -(-rows // knobs.batch_size)))
        return Plan(
            model=self.config.model.name or "",
            device=self.target.device,
            limit_bytes=self.target.limit_bytes,
            fits=fits,
            grade=("tight" if tight else "fits") if fits else "no",
            peak_bytes=heaviest.peak,
            phases=Phases(load=loading.peak, train=choice.training.peak, evaluate=choice.answering.peak),
            parts=heaviest.parts,
            settings=self._settings(choice.candidate, choice.answers),
            steps=steps,
            disk_bytes=self._count_disk(choice),
            why=choice.why,
            alternatives=list(self._vary(choice) if fits else self._mend(choice, heaviest.peak)),
            rejected=[
                Rejected(settings=self._settings(candidate, choice.answers), peak_bytes=peak, why=why)
                for candidate, peak, why in self.rejected
            ],
            method=choice.training.method,
        )

    def _choose(self) -> Choice:
        """The first of rule 24's stages in which something fits; else what takes least."""
        for quantization, max_tokens, why in self._stages():
            answering, answers = self._fit_answers(quantization)
            if answering.grade == "no":
                smallest = Candidate(min(self._micro_batches()), True, quantization, max_tokens)
                self.rejected.append((smallest, answering.peak, "plan.why.answers_over_limit"))
                continue
            found = self._pick_fastest(quantization, max_tokens)
            if found is not None:
                candidate, forecast = found
                return Choice(candidate, forecast, answering, answers, why or self._explain(candidate))
        least = Candidate(
            min(self._micro_batches()),
            self.config.memory.checkpointing is not False,
            self._quantizations()[-1],
            self.longest,
        )
        answering = self.forecaster.forecast_answers(1, least.quantization)
        training = self.forecaster.forecast_training(least)
        return Choice(least, training, answering, Answers(1, folded=False), "plan.why.nothing_fits")

    def _stages(self) -> Iterator[tuple[Quantization, int, str]]:
        """(quantisation, longest row, why) in the order in which they are tried."""
        short = sorted(self.data.tokens)[: math.ceil(SHORT_ROWS * len(self.data.tokens))]
        caps = [(self.longest, "")]
        if self.config.data.max_tokens is None and short and short[-1] < self.longest:
            caps.append((short[-1], "plan.why.capped"))
        for quantization in self._quantizations():
            forced = quantization == self.config.memory.quantization
            for max_tokens, why in caps:
                yield quantization, max_tokens, why if forced or quantization == "none" else "plan.why.nf4"

    def _pick_fastest(self, quantization: Quantization, max_tokens: int) -> tuple[Candidate, Forecast] | None:
        """The cheapest in time that fits: candidates in order of cost until no other can be cheaper."""
        fixed = self.config.memory.checkpointing
        candidates = [
            Candidate(micro_batch, checkpointing, quantization, max_tokens)
            for checkpointing in ([False, True] if fixed is None else [fixed])
            for micro_batch in self._micro_batches()
        ]
        candidates.sort(key=lambda one: (self._cost(one), one.checkpointing, -one.micro_batch))
        best: tuple[Candidate, Forecast] | None = None
        lowest = math.inf
        for candidate in candidates:
            if self._cost(candidate) >= lowest:
                break
            estimate = self.forecaster.estimate_training(candidate)
            if estimate > HOPELESS * self.target.limit_bytes:
                self.rejected.append((candidate, estimate, "plan.why.over_limit"))
                continue
            forecast = self.forecaster.forecast_training(candidate)
            cost = self._cost(candidate) * (FLUSHING_COST if forecast.grade == "tight" else 1)
            if forecast.grade == "no":
                self.rejected.append((candidate, forecast.peak, "plan.why.over_limit"))
            elif cost < lowest:
                if best:
                    self.rejected.append((best[0], best[1].peak, "plan.why.slower"))
                best, lowest = (candidate, forecast), cost
            else:
                self.rejected.append((candidate, forecast.peak, "plan.why.slower"))
        return best

    def _cost(self, candidate: Candidate) -> float:
        """Time of a token, relative to the best: recomputation, and packs that leave the device idle."""
        mean = sum(self.data.tokens) / max(1, len(self.data.tokens))
        room = candidate.micro_batch * candidate.max_tokens
        tokens = max(1.0, min(room, self.config.train.batch_size * mean))
        idle = max(1.0, FULL_SPEED[self.target.device] / tokens)
        return idle * (CHECKPOINTING_COST if candidate.checkpointing else 1)

    def _fit_answers(self, quantization: Quantization) -> tuple[Forecast, Answers]:
        """The most answers side by side that fit, and what they take; one at a time when nothing does.

        Folded where all of them fit so and folding is exact (`model/fold`).
        """
        rows, tight = self.config.evaluate.batch_size, None
        if self.target.dtype == "float32" and quantization == "none":
            forecast = self.forecaster.forecast_answers(rows, quantization, folded=True)
            if forecast.grade == "fits":
                return forecast, Answers(rows, folded=True)
        while True:
            hopeless = self.forecaster.estimate_answers(rows, quantization) > HOPELESS * self.target.limit_bytes
            if rows == 1 or not hopeless:
                forecast = self.forecaster.forecast_answers(rows, quantization)
                if forecast.grade == "fits":
                    return forecast, Answers(rows, folded=False)
                if forecast.grade == "tight" and tight is None:
                    tight = (forecast, Answers(rows, folded=False))
                if rows == 1:
                    return tight or (forecast, Answers(1, folded=False))
            rows //= 2

    def _micro_batches(self) -> list[int]:
        """Rows in memory at a time that keep the effective batch: its divisors, the largest first."""
        batch, given = self.config.train.batch_size, self.config.train.micro_batch
        if given is not None:
            return [min(given, batch)]
        return [size for size in range(batch, 0, -1) if batch % size == 0]

    def _quantizations(self) -> list[Quantization]:
        """Ways to hold the weights; 4 bits need CUDA unless the user insists."""
        if self.config.memory.quantization is not None:
            return [self.config.memory.quantization]
        return ["none", "nf4"] if self.target.device == "cuda" else ["none"]

    def _settings(self, candidate: Candidate, answers: Answers) -> Settings:
        return Settings(
            micro_batch=candidate.micro_batch,
            accumulation=-(-self.config.train.batch_size // candidate.micro_batch),
            max_tokens=candidate.max_tokens,
            checkpointing=candidate.checkpointing,
            quantization=candidate.quantization,
            dtype=self.target.dtype,
            packing=True,
            loss_chunk=self.config.memory.loss_chunk,
            answer_batch=answers.rows,
            folded_answers=answers.folded,
        )

    def _explain(self, candidate: Candidate) -> str:
        """Why these settings: the key of a sentence."""
        if self.config.memory.checkpointing is not None and self.config.train.micro_batch is not None:
            return "plan.why.given"
        if candidate.checkpointing:
            return "plan.why.checkpointing"
        return "plan.why.all_fits" if candidate.micro_batch == max(self._micro_batches()) else "plan.why.smaller_packs"

    def _count_disk(self, choice: Choice) -> int:
        """Checkpoints with their optimizer state, one of them twice while it is written; the adapter; the answers."""
        adapter = choice.training.parts.adapter
        answers = ANSWERS_KEPT * 6 * (self.data.prompt + self.data.answer)
        return (self.config.evaluate.checkpoints + 1) * 3 * adapter + adapter + answers

    def _vary(self, choice: Choice) -> Iterator[Alternative]:
        """What other choices would take."""
        chosen = choice.candidate
        other = chosen._replace(checkpointing=not chosen.checkpointing)
        others = [(f"memory.checkpointing={str(other.checkpointing).lower()}", other)]
        smaller = [size for size in self._micro_batches() if size < chosen.micro_batch]
        if smaller:
            others.append((f"train.micro_batch={smaller[0]}", chosen._replace(micro_batch=smaller[0])))
        if self.target.device == "cuda":
            quantization: Quantization = "none" if chosen.quantization == "nf4" else "nf4"
            others.append((f"memory.quantization={quantization}", chosen._replace(quantization=quantization)))
        for change, candidate in others:
            yield Alternative(change=change, peak_bytes=self.forecaster.forecast_training(candidate).peak)

    def _mend(self, choice: Choice, needed: int) -> Iterator[Alternative]:
        """The smallest change that would fit: a knob the user had fixed, shorter rows, more memory."""
        least = choice.candidate
        changes: list[tuple[str, Candidate]] = []
        if not least.checkpointing:
            least = least._replace(checkpointing=True)
            changes.append(("memory.checkpointing=true", least))
        if least.micro_batch > 1:
            least = least._replace(micro_batch=1)
            changes.append(("train.micro_batch=1", least))
        if self.target.device == "cuda" and least.quantization == "none":
            least = least._replace(quantization="nf4")
            changes.append(("memory.quantization=nf4", least))
        rows = sorted(one for one in self.data.tokens if one < self.longest)
        for share in (0.9, 0.75, 0.5, 0.25):
            if rows:
                cap = rows[int(share * (len(rows) - 1))]
                changes.append((f"data.max_tokens={cap}", least._replace(max_tokens=cap)))
        for change, candidate in changes:
            if self.forecaster.estimate_training(candidate) > HOPELESS * self.target.limit_bytes:
                continue
            forecast = self.forecaster.forecast_training(candidate)
            answering = self.forecaster.forecast_answers(1, candidate.quantization)
            if "no" not in (forecast.grade, answering.grade):
                yield Alternative(change=change, peak_bytes=max(forecast.peak, answering.peak))
                break
        yield Alternative(change=f"--memory {math.ceil(needed / 1e8) / 10:.1f}GB", peak_bytes=needed)
