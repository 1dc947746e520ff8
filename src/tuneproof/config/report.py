"""Config section `report`: the page."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob


class ReportSection(Section):
    """The report."""

    language: Literal["en", "zh"] | None = knob(None, "Language of the report.", "The one of the command line.")
