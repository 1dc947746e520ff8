"""Records of trials with everything that screen and page show: seeds that disagree, a curve, rates, remedies."""

from __future__ import annotations

from tuneproof.records import (
    Cure,
    CurveSpot,
    LearningCurve,
    RateProbe,
    RateTried,
    Remedy,
    SeedRun,
    SeedSpread,
    Spread,
    TrialRecord,
    Trials,
)


def make_trials() -> Trials:
    """Two seeds, of which one ships and one does not; a curve that tells; a rate that forgets, one that failed."""
    runs = [
        SeedRun(seed=17, trial=None, delta=0.31, ci95=(0.2, 0.4), lost=5, gained=3, net_loss=0.01, decision="ship"),
        SeedRun(
            seed=18, trial="seed-18", delta=0.27, ci95=(0.16, 0.37), lost=14, gained=3, net_loss=0.055,
            decision="dont_ship",
        ),
    ]  # fmt: skip
    points = [
        CurveSpot(share=0.25, rows=180, steps=45, trial="rows-25", delta=0.12, ci95=(0.05, 0.2), lost=3, gained=2),
        CurveSpot(share=0.5, rows=361, steps=90, trial="rows-50", delta=0.24, ci95=(0.15, 0.33), lost=4, gained=2),
        CurveSpot(share=1.0, rows=720, steps=180, trial=None, delta=0.31, ci95=(0.2, 0.4), lost=5, gained=3),
    ]
    tried = [
        RateTried(
            rate=3.33e-4, trial="rate-third", steps=60, n=50, score=0.52, standard_error=0.04, probes=60, lost=1,
            gained=1,
        ),
        RateTried(
            rate=1e-3, trial="rate-1x", steps=60, n=50, score=0.55, probes=60, lost=9, gained=1,
            faults=["net_loss", "seq_rep_4"],
        ),
        RateTried(rate=3e-3, trial="rate-3x", n=0, probes=0, faults=["failed"]),
    ]  # fmt: skip
    return Trials(
        seeds=SeedSpread(
            runs=runs,
            delta=Spread(n=2, mean=0.29, low=0.27, high=0.31, deviation=0.028),
            net_loss=Spread(n=2, mean=0.0325, low=0.01, high=0.055, deviation=0.032),
            agree=False,
        ),
        curve=LearningCurve(
            points=points, last=0.07, last_ci95=(0.01, 0.13), next=0.041, next_ci95=(0.0, 0.12), tells=True
        ),
        rate=RateProbe(before=1e-3, chosen=3.33e-4, reason="rate.within_error", tried=tried),
    )


def make_cure() -> Trials:
    """A scale that forgets too much all the same, no earlier checkpoint, more replay that ships, and no further one."""
    first = Remedy(
        name="first", checkpoint=180, scale=1.0, select_score=0.55, select_gain=0.4, probes=60, slice_lost=9,
        slice_gained=1, chance=0.12, look=1, decision="dont_ship", delta=0.447, ci95=(0.37, 0.507), lost=35, gained=18,
    )  # fmt: skip
    scale = Remedy(
        name="cure-scale", checkpoint=180, scale=0.5, select_score=0.44, select_gain=0.3, probes=60, slice_lost=2,
        slice_gained=1, chance=0.62, look=2, decision="dont_ship", delta=0.31, ci95=(0.2, 0.4), lost=19, gained=4,
    )  # fmt: skip
    replay = Remedy(
        name="cure-replay", changes={"replay.fraction": 0.2, "train.save_steps": None}, checkpoint=196, scale=0.75,
        select_score=0.5, select_gain=0.35, probes=60, slice_lost=1, slice_gained=1, chance=0.71, look=3,
        decision="ship", delta=0.4, ci95=(0.3, 0.48), lost=6, gained=5,
    )  # fmt: skip
    trials = [
        TrialRecord(name=name, purpose="cure", changes={}, seconds=60.0) for name in ("cure-scale", "cure-replay")
    ]
    remedies = [scale, Remedy(name="cure-earlier"), replay]
    return Trials(trials=trials, cure=Cure(first=first, remedies=remedies, adopted="cure-replay", reason="cure.ships"))
