"""Config section `split`: which rows are trained on, chosen by, and tested on."""

from __future__ import annotations

from tuneproof.config.knob import Section, knob


class SplitSection(Section):
    """Sizes of the three sides."""

    test_share: float = knob(0.15, "Share of rows to test on.", "Rule 17.", gt=0, lt=0.5)
    minimum_test: int = knob(100, "Fewest test rows.", "+-9.6 points at 100 rows (Wilson).", ge=1)
    maximum_test: int = knob(200, "Most test rows.", "+-6.9 points at 200 rows; more cost time.", ge=1)
    select_share: float = knob(0.10, "Share of rows to choose the checkpoint by.", "Rule 17.", gt=0, lt=0.5)
    minimum_select: int = knob(50, "Fewest select rows.", "Rule 17.", ge=1)
    near_duplicate: float = knob(
        0.8, "Jaccard similarity from which two prompts are one.", "Usual 0.7-0.8 (Lee et al. 2022).", gt=0.3, le=1
    )
