"""Config section `trials`: further runs inside the run, each a folder of its own in RUN/trials/."""

from __future__ import annotations

from tuneproof.config.knob import Section, knob


class TrialsSection(Section):
    """What is run besides the run itself; `train.time_limit` does not cover it."""

    seeds: int = knob(
        1, "Seeds in all, the run's own among them.", "One; two before a gain below 2 points is claimed.", ge=1, le=10
    )
    learning_curve: bool = knob(
        False, "Train again on 25 and 50 % of the rows.", "It takes three quarters of a training more."
    )
    search: int = knob(
        0,
        "Trials of learning rate, rank, passes and replay, of which the best on the select rows is taken.",
        "None; `tuneproof search` sets it.",
        ge=0,
        le=64,
    )
    probe_rate: bool = knob(
        False,
        "Before training, try 1/3, 1 and 3 times the learning rate for at most 60 steps.",
        "Three short trainings (rule 4).",
    )
    cure: bool = knob(
        False,
        "Where too much is forgotten or answers degenerate, try a smaller scale, an earlier checkpoint, more replay "
        "and a lower learning rate.",
        "Up to two trainings more, and further looks at the test rows.",
    )
