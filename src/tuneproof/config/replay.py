"""Config section `replay`: the base model's own answers, mixed in so that it does not forget."""

from __future__ import annotations

from tuneproof.config.knob import Section, knob

MOST_COPIES = 4
"""Times that a pass may see a replay row: up to four, repeated text is worth nearly as much as new text (Muennighoff et
al., NeurIPS 2023, arXiv 2305.16264; of pre-training)."""


class ReplaySection(Section):
    """Self-replay: answers to general prompts, made by the base before training."""

    fraction: float | None = knob(
        None,
        "Share of the training tokens that are replay; 0 switches it off.",
        "10 %; 30 % for a model with a hidden size below 1,000 (rule 10).",
        ge=0,
        le=0.5,
    )
    soft: bool = knob(
        False,
        "Learn at each word what else the base found likely there, not only the word it chose.",
        "Fewer answers are other ones, but no fewer right ones are lost and fewer are gained (rule 12).",
    )
    own_turns: int = knob(
        0,
        "Questions that the base asks itself, drawn where the general prompts run out. Raise max_new_tokens with it.",
        "Open questions with long answers: of 48 of the demo model's, 3 are answered within 64 tokens, 12 within 128.",
        ge=0,
    )
    max_new_tokens: int = knob(64, "Longest replay answer.", "Cut answers are dropped, so not too short.", ge=8)
