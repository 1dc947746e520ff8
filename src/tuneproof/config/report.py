"""Config section `report`: the page."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob


class ReportSection(Section):
    """The report."""

    trackers: list[Literal["tensorboard", "trackio", "wandb", "mlflow", "swanlab"]] = knob(
        [],
        "Experiment trackers that are told loss and rate of each step.",
        "None: everything is in the run folder, and nothing leaves the machine unasked.",
    )
    store: str | None = knob(
        None,
        "URI that the run folder is copied to as the run goes, and fetched from on another machine.",
        "None: the folder is the only copy.",
    )
    language: Literal["en", "zh"] | None = knob(None, "Language of the report.", "The one of the command line.")
