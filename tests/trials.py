"""A record of trials with everything that screen and page show: seeds that disagree, a curve, three rates."""

from __future__ import annotations

from tuneproof.records import CurveSpot, LearningCurve, RateProbe, RateTried, SeedRun, SeedSpread, Spread, Trials


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
