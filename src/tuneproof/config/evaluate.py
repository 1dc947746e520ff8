"""Config section `evaluate`: how base and tuned are measured, and what decides."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob


class EvaluateSection(Section):
    """Answers, candidates and the verdict's thresholds."""

    max_new_tokens: int | None = knob(
        None, "Longest answer.", "1.5 x the 95th percentile of the references, by task; cuts are reported.", ge=1
    )
    batch_size: int = knob(
        128, "Answers made side by side, at most.", "The plan takes fewer where they do not fit.", ge=1
    )
    remember: bool = knob(
        True, "Take answers of the base that earlier runs have made.", "They are the same, and a second run is faster."
    )
    checkpoints: int = knob(3, "Checkpoints scored on the select split.", "At most 8 (rule 20).", ge=1, le=8)
    scales: list[float] = knob(
        [1.0, 0.75, 0.5, 0.25],
        "Adapter scales tried on the best checkpoint.",
        "Exact interpolation, no training (rule 14).",
    )
    few_shot: list[int] = knob(
        [1, 3, 5],
        "Numbers of training rows to try in the control's prompt; the best on the select rows is taken.",
        "What fits the context; --time may cut to one; an empty list switches this control off.",
    )
    few_shot_rows: int | None = knob(None, "Test rows this control answers.", "All; --time may cut to 50.", ge=1)
    test_rows: int | None = knob(None, "Test rows to measure.", "All; --time may cut to 100.", ge=1)
    reworded_rows: int = knob(
        30, "Test rows that the tuned model answers reworded as well.", "Shows a large drop; 0 switches it off.", ge=0
    )
    languages: list[Literal["en", "zh"]] | None = knob(
        None, "Languages of the probes.", "Those the base can speak, found by a few probes of each."
    )
    retention_items: int | None = knob(None, "Retention probes to measure.", "All; --time may cut to 300.", ge=1)
    probes: list[str] = knob(
        [], "Files or folders of your own probes.", "Ours only; your own join them, as families of their own."
    )
    select_probes: int = knob(
        300,
        "Probes a finalist answers beside the select rows.",
        "Not the verdict's; --time may cut to 60, and to none where there is one candidate.",
        ge=0,
    )
    drift_items: int = knob(
        40,
        "Probes, test rows and neutral texts whose drift from the base is measured.",
        "Two readings each; --time may cut to 10.",
        ge=1,
    )
    select_rows: int | None = knob(None, "Select rows to measure a candidate on.", "All; --time may cut to 30.", ge=1)
    scorers: dict[str, str] = knob(
        {},
        "Task or own probe family -> its scorer: one of ours, or the name of an installed entry point.",
        "Chosen from the reference answers.",
    )
    judge: dict[str, str] = knob(
        {},
        "A judge model on an OpenAI-compatible server: `base_url`, `model`, `api_key_env` (the variable with the key).",
        "None; test rows and both answers are sent to the server that you name, and it has no say in the verdict.",
    )
    judge_rows: int | None = knob(None, "Test rows it judges, two questions each.", "All.", ge=1)
    harness: list[str] = knob(
        [],
        "Tasks of lm-evaluation-harness, run on base and tuned model after the verdict.",
        "None: they do not say whether your task got better, and most download data.",
    )
    train_rows: int | None = knob(
        None,
        "Training rows that the tuned model answers, to hold their score against the test score; 0 switches it off.",
        "As many as select rows, 30 at most: a large gap is seen, a small one is no matter.",
        ge=0,
    )
    net_loss: float = knob(0.03, "Largest net loss of base answers that ships.", "Rule 9.", ge=0, le=1)
    base_right_minimum: int = knob(
        100, "Base-right probes below which nothing is claimed about forgetting.", "The verdict rule.", ge=1
    )
    significance: float = knob(0.05, "Two-sided level of tests.", "Custom of the field.", gt=0, lt=0.5)
