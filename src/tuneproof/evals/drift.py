"""Drift of the tuned model from the base, where answers are not needed: on the probes, on the task, on neutral text.

Answers show what was lost; drift shows how far the model has moved, also where no answer changed yet. KL on the task's
prompts predicts forgetting (RL's Razor, arXiv 2509.04259), KL on other prompts is what forgetting comes from (arXiv
2607.04364), so both are measured, along the base's own answers. In: items with the base's answers, a model. Out: a
`DriftRecord`.

    record = measure_all(model, tokenizer, probes=probes, tests=tests, texts=spread_texts(["en"], 40), reading=reading)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneproof.evals.task import Item
from tuneproof.model.chat import Encoded, encode_answer
from tuneproof.model.drift import Drift, Reading, measure_drift
from tuneproof.records import Answer, DriftRecord

Answered = Sequence[tuple[Item, Answer]]
"""Items with what the base said to them."""


def load_texts(language: str) -> list[str]:
    """The neutral passages of a language, one a line of `texts/LANGUAGE.txt`."""
    return (Path(__file__).parent / "texts" / f"{language}.txt").read_text(encoding="utf-8").splitlines()


def spread_texts(languages: Sequence[str], count: int) -> list[str]:
    """`count` neutral passages of each language, or all where there are fewer: every n-th of them."""
    chosen = []
    for language in languages:
        texts = load_texts(language)
        many = min(count, len(texts))
        chosen += [texts[at * len(texts) // many] for at in range(many)]
    return chosen


def measure_all(
    model: Any, tokenizer: Any, *, probes: Answered, tests: Answered, texts: Sequence[str], reading: Reading
) -> DriftRecord:
    """Drift on probes, test items and neutral texts. The adapter in question is switched on."""
    on_probes = measure_drift(model, [_encode_answer(tokenizer, *one) for one in probes], reading)
    on_tests = measure_drift(model, [_encode_answer(tokenizer, *one) for one in tests], reading)
    on_texts = measure_drift(model, [_encode_text(tokenizer, text) for text in texts], reading)
    base, tuned = (_mean(on_texts, [getattr(one, name) for one in on_texts]) for name in ("base_loss", "tuned_loss"))
    return DriftRecord(
        kl_retention=_mean(on_probes, [one.kl for one in on_probes]),
        kl_task=_mean(on_tests, [one.kl for one in on_tests]),
        text_loss_base=base,
        text_loss_change=tuned - base if base is not None and tuned is not None else None,
        risk=predict_risk(on_probes),
        items={"retention": len(probes), "task": len(tests), "text": len(texts)},
        tokens=sum(one.tokens for one in [*on_probes, *on_tests, *on_texts]),
    )


def predict_risk(drifts: Sequence[Drift]) -> float | None:
    """Mean over answers of the largest share of sampled answers that can differ from the base's: sqrt(1 - exp(-KL)).

    The Bretagnolle-Huber bound of the total variation between two distributions, with an answer's KL taken along the
    base's own words; None without answers.
    """
    if not drifts:
        return None
    return sum(math.sqrt(-math.expm1(-max(one.kl, 0.0))) for one in drifts) / len(drifts)


def _mean(drifts: Sequence[Drift], sums: Sequence[float]) -> float | None:
    """Nats a token over all rows together."""
    tokens = sum(one.tokens for one in drifts)
    return sum(sums) / tokens if tokens else None


def _encode_answer(tokenizer: Any, item: Item, answer: Answer) -> Encoded:
    """The base's answer as if it were the reference, only its own tokens counted."""
    return encode_answer(tokenizer, item.messages, answer.answer)


def _encode_text(tokenizer: Any, text: str) -> Encoded:
    ids = list(tokenizer(text, add_special_tokens=False).input_ids)
    return Encoded(ids, [True] * len(ids))
