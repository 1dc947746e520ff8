"""Self-replay: the base model's own answers to general prompts, made before training and mixed in.

A few percent of such rows keep what the base could do (docs/evidence.md, rules 10 and 11): 48 own answers among 400
rows cut lost answers from 7 to 2 of 20 on the demo model. The prompts are disjoint from all retention probes, or the
gate would be trained on. A wrong answer of the base is kept wrong: this preserves behaviour, it does not improve it.

In: the loaded base (adapter off), how many tokens are wanted. Out: rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from itertools import islice
from typing import Any, NamedTuple

from tuneproof.config.replay import MOST_COPIES
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.generate import Generated
from tuneproof.model.store import AnswerStore, Serving, recall_answers
from tuneproof.records import Message, Row

LOOPING = 0.2
"""Share of repeated 4-grams above which an answer loops (docs/evidence.md, rule 11)."""
TASK = "replay"
ENOUGH = 0.8
"""Share of the tokens wanted below which it is said that replay falls short."""


class Limits(NamedTuple):
    """How much replay is wanted."""

    tokens: int
    """Tokens of all rows, prompts included."""
    max_new_tokens: int
    batch_size: int
    on_fewer: Callable[[int, int], None] | None = None
    """Hears that memory ran out and fewer answers are made side by side: (before, now)."""


def load_prompts(language: str) -> list[str]:
    """The project's general prompts in `en` or `zh`."""
    text = (files("tuneproof.training") / "prompts" / f"{language}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


def choose_prompts(rows: Sequence[Row]) -> list[str]:
    """Replay prompts in English, and where most rows are Chinese every second one in Chinese."""
    text = "".join(row.question + row.reference for row in rows)
    chinese = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    english = load_prompts("en")
    if chinese < 0.2 * len(text):
        return english
    return [prompt for pair in zip(load_prompts("zh"), english, strict=False) for prompt in pair]


def repeat_rows(rows: Sequence[Row], held: int, wanted: int) -> tuple[list[Row], int]:
    """The rows, each seen several times a pass where they hold fewer tokens than are wanted, and the tokens then."""
    copies = min(MOST_COPIES, max(1, round(wanted / held))) if held else 1
    return [row.model_copy(update={"copies": copies}) for row in rows], copies * held


def generate_replay(
    model: Any,
    tokenizer: Any,
    prompts: Iterable[str],
    limits: Limits,
    on_progress: Callable[[int], None] | None = None,
    store: AnswerStore | None = None,
) -> list[Row]:
    """Rows of the base's greedy answers, in the order of `prompts`, until they hold `limits.tokens` tokens.

    Kept are answers that ended by themselves, are not empty, do not loop, do not echo the prompt, and are new; a word
    or two may stand in the prompt ("cork or brick?") and come twice ("yes"). Prompts are taken a batch at a time and no
    more than are needed; fewer tokens come back when they run out.
    """
    rows: list[Row] = []
    seen: set[str] = set()
    held = 0
    ends = end_ids(tokenizer, model.generation_config)
    asked = iter(prompts)
    while batch := list(islice(asked, limits.batch_size)):
        encoded = [encode_prompt(tokenizer, [Message(role="user", content=prompt)]) for prompt in batch]
        made = recall_answers(
            model,
            encoded,
            limits=[limits.max_new_tokens] * len(batch),
            ends=ends,
            serving=Serving(limits.batch_size, store, limits.on_fewer),
        )
        for prompt, ids, answer in zip(batch, encoded, made, strict=False):
            text = tokenizer.decode(answer.ids, skip_special_tokens=True).strip()
            if keep_answer(prompt, text, answer) and text not in seen and held < limits.tokens:
                seen |= {text} if _is_long(text) else set()
                held += len(ids) + len(answer.ids) + 1
                messages = [Message(role="user", content=prompt), Message(role="assistant", content=text)]
                rows.append(Row(id=f"{TASK}-{len(rows)}", file=TASK, line=len(rows) + 1, task=TASK, messages=messages))
        if on_progress:
            on_progress(min(held, limits.tokens))
        if held >= limits.tokens:
            break
    return rows


def keep_answer(prompt: str, text: str, answer: Generated) -> bool:
    """Whether an answer is fit for replay."""
    if not text or answer.finish != "end":
        return False
    if _is_long(text) and text.casefold() in prompt.casefold():
        return False
    grams = [tuple(answer.ids[at : at + 4]) for at in range(len(answer.ids) - 3)]
    return not grams or 1 - len(set(grams)) / len(grams) <= LOOPING


def _is_long(text: str) -> bool:
    """Whether an answer says more than a word or two: 16 bytes are about three English words or six Chinese signs."""
    return len(text.encode()) >= 16
