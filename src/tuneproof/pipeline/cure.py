"""The cure (`--cure`): where the gain is real and the verdict fails on forgetting or degeneration, remedies are tried.

    cure-scale      a smaller scale of the chosen checkpoint          no training: where none was tried, three answer
    cure-earlier    an earlier checkpoint, at any scale               no training: at most 4 candidates answer probes
    cure-replay     trained with twice the replay (10 % where none)   a training
    cure-rate       that, at a third of the learning rate             a training

In the order of their cost. Each is foreseen from the select rows and the slice of probes; the first that is likely to
ship is measured on the test rows and the verdict's probes, and adopted where it ships (`adoption`), else the next one
is tried. Where none was likely, the one worth most is measured, unless it is hopeless. What allows further looks at the
test rows, and what they cost, stands in `evals/cure`. All is noted in trials.json, so that the same command goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tuneproof.config import EvaluateSection
from tuneproof.config.load import load_settled
from tuneproof.errors import TrainingError
from tuneproof.evals.cure import (
    Prospect,
    describe_look,
    describe_prospect,
    explain_end,
    is_curable,
    is_likely,
    list_hopeful,
    pick_last,
    pick_prospect,
    weigh_prospect,
)
from tuneproof.evals.select import FINALISTS, Exam, Key, describe_candidate, try_whole
from tuneproof.figures import to_plain
from tuneproof.pipeline.adoption import adopt_trial
from tuneproof.pipeline.asking import Asking, make_exam, name_candidate
from tuneproof.pipeline.trials import Trial, check_disk, describe_trial, load_trials, run_trial
from tuneproof.pipeline.verbs import load_steps, mean_loss
from tuneproof.pipeline.work import Work
from tuneproof.records import Answer, Cure, Remedy, RunRecord, Selection, Verdict
from tuneproof.records.cure import Knob, RemedyName
from tuneproof.rundir import RunDir

REMEDIES: tuple[RemedyName, ...] = ("cure-scale", "cure-earlier", "cure-replay", "cure-rate")
LOOK = ("tuned", "drift", "verdict", "report")
TRAINING: tuple[str, ...] = ("replay", "train", "select")
"""Stages that a look, and a remedy with a training, do again."""
MOST_REPLAY = 0.5
"""The config's bound."""
FIRST_REPLAY = 0.1
"""Share of replay where there was none (rule 10)."""
SLOWER = 1 / 3
"""Rule 4."""


def is_asked(work: Work) -> bool:
    """Whether the cure is asked for, and not at its end: a run that ships, or whose cure has ended, needs none."""
    if not work.config.trials.cure or work.run.load(Verdict).decision == "ship":
        return False
    cure = load_trials(work.run).cure
    return cure is None or cure.reason is None


def cure_run(work: Work) -> None:
    """Try the remedies, and adopt the first that ships."""
    work.progress.begin("cure", len(REMEDIES))
    cure = load_trials(work.run).cure or begin_cure(work)
    save_cure(work, cure)
    if cure.reason is None:
        plans = make_plans(work)
        seconds = sum(guess_seconds(work, name) for name in plans)
        work.progress.say("cure.ahead", n=len(plans), time=seconds)
        shipped = try_remedies(work, cure, plans)
        if shipped is not None:
            adopt(work, shipped)
        else:
            cure.reason = explain_end(cure.remedies)
            save_cure(work, cure)
    say_lines(work, (load_trials(work.run).cure or cure).told())
    work.progress.end("cure")


def say_lines(work: Work, lines: Iterable[str]) -> None:
    """Sentences of the record, on the screen of this run."""
    for line in lines:
        work.progress.say("cure.line", line=to_plain(line))


def begin_cure(work: Work) -> Cure:
    """The first attempt as it stands, and whether there is a reason to try anything."""
    verdict, chosen = work.run.load(Verdict), work.run.load(Selection)
    key = (chosen.checkpoint, chosen.scale)
    first = Remedy(name="first", checkpoint=key[0], scale=key[1])
    rows = bool(chosen.candidates)
    if rows:
        exam = make_exam(work, Asking(work, 0))
        first = describe_prospect(first, weigh_prospect(key, load_said(work.run, key), exam), exam)
    reason = None if is_curable(verdict) and rows else "cure.no_rows" if is_curable(verdict) else "cure.no_gain"
    return Cure(first=describe_look(first, verdict, 1), reason=reason)


def save_cure(work: Work, cure: Cure) -> None:
    """Write how far the cure is, and what its trials came to, into trials.json."""
    noted = load_trials(work.run)
    noted.cure = cure
    work.run.save(noted)


def make_plans(work: Work) -> dict[RemedyName, dict[str, Knob]]:
    """Remedy -> config keys that its training changes; none for those without a training."""
    share, rate = work.config.replay.fraction, work.config.train.learning_rate
    assert rate is not None
    assert share is not None
    more: dict[str, Knob] = {
        "replay.fraction": min(MOST_REPLAY, 2 * share) if share else FIRST_REPLAY,
        # More rows are more steps: checkpoints are spread over them anew.
        "train.save_steps": None,
    }
    slower: dict[str, Knob] = {**more, "train.learning_rate": float(f"{SLOWER * rate:.3g}")}
    return dict(zip(REMEDIES, ({}, {}, more, slower), strict=True))


def try_remedies(work: Work, cure: Cure, plans: dict[RemedyName, dict[str, Knob]]) -> Remedy | None:
    """The first remedy that ships; None where none does. What was tried before a stop is not tried again."""
    for at, (name, changes) in enumerate(plans.items(), start=1):
        remedy = cure.find(name)
        if remedy is None:
            blank = Remedy(name=name, changes=changes)
            seconds = guess_seconds(work, name)
            work.progress.say("cure.begin", at=at, n=len(plans), remedy=to_plain(blank.tell_name()), time=seconds)
            remedy = foresee_remedy(work, blank)
            cure.note(remedy)
            save_cure(work, cure)
        if is_likely(remedy) and remedy.look is None:
            remedy = look_at(work, cure, remedy)
        say_lines(work, remedy.told())
        work.progress.advance(at)
        if remedy.decision == "ship":
            return remedy
    last = pick_last(cure.remedies)
    if last is None:
        return None
    last = look_at(work, cure, last)
    say_lines(work, last.told()[1:])
    return last if last.decision == "ship" else None


def foresee_remedy(work: Work, remedy: Remedy) -> Remedy:
    """The remedy with its candidate, and what is expected of it; without a candidate where there is none to try."""
    if remedy.name == "cure-scale":
        prospects, exam = weigh_scales(work)
    elif remedy.name == "cure-earlier":
        prospects, exam = weigh_earlier(work)
    elif remedy.changes["replay.fraction"] == work.config.replay.fraction and remedy.name == "cure-replay":
        return remedy
    else:
        return train_remedy(work, remedy)
    picked = pick_prospect(prospects)
    return remedy if picked is None else describe_prospect(remedy, picked, exam)


def weigh_scales(work: Work) -> tuple[list[Prospect], Exam]:
    """Smaller scales of the chosen checkpoint; what they have not answered yet they are asked."""
    chosen, exam = work.run.load(Selection), make_exam(work, Asking(work, 0))
    said = {key: load_said(work.run, key) for key in list_smaller(chosen)}
    whole = len(exam.rows) + len(exam.probes)
    asked = ask_whole(work, chosen, {key: some for key, some in said.items() if len(some) < whole}, exam)
    return [asked.get(key) or weigh_prospect(key, some, exam) for key, some in said.items()], exam


def list_smaller(chosen: Selection) -> list[Key]:
    """Smaller scales of the chosen checkpoint: those of the choice, or where it had none (`--time`, a config with one
    scale) those that it has by default."""
    tried = [one.scale for one in chosen.candidates if one.checkpoint == chosen.checkpoint and one.scale < chosen.scale]
    usual = [scale for scale in EvaluateSection().scales if scale < chosen.scale]
    return [(chosen.checkpoint, scale) for scale in tried or usual]


def weigh_earlier(work: Work) -> tuple[list[Prospect], Exam]:
    """Candidates of earlier checkpoints that answered the probes, and the best few of the others that could ship.

    Those few are asked what they have not answered; it is noted among the run's candidates.
    """
    chosen = work.run.load(Selection)
    keys = [(one.checkpoint, one.scale) for one in chosen.candidates if one.checkpoint < chosen.checkpoint]
    said = {key: some for key in keys if (some := load_said(work.run, key))}
    exam = make_exam(work, Asking(work, 0))
    prospects = {key: weigh_prospect(key, said[key], exam) for key in said}
    hopeful = list_hopeful(prospects, FINALISTS) if exam.probes else []
    prospects |= ask_whole(work, chosen, {key: said[key] for key in hopeful}, exam)
    return [one for one in prospects.values() if one.tried.probes is not None or not exam.probes], exam


def ask_whole(work: Work, chosen: Selection, said: Mapping[Key, Sequence[Answer]], exam: Exam) -> dict[Key, Prospect]:
    """Let candidates answer what they have not `said` yet of rows and probes; the run's candidates have it noted."""
    if not said:
        return {}
    total = sum(len(exam.rows) + len(exam.probes) - len(some) for some in said.values())
    work.progress.begin("select", total)
    exam = exam._replace(ask=Asking(work, total, said))
    for key, some in said.items():
        try_whole(key, exam, {key: weigh_prospect(key, some, exam).tried} if some else {})
    asked = {key: weigh_prospect(key, load_said(work.run, key), exam) for key in said}
    note_candidates(work, chosen, asked.values(), exam)
    work.progress.end("select")
    return asked


def note_candidates(work: Work, chosen: Selection, asked: Iterable[Prospect], exam: Exam) -> None:
    """What was asked after the choice, in eval/selection.json; the choice stays."""
    whole = [one for one in chosen.candidates if one.n == len(exam.rows)]
    top = max(whole, key=lambda one: one.score)
    best = weigh_prospect((top.checkpoint, top.scale), load_said(work.run, (top.checkpoint, top.scale)), exam).tried
    reports = load_steps(work)
    fresh = {
        one.key: describe_candidate(one.key, one.tried, best, exam, {one.key[0]: mean_loss(reports, one.key[0])})
        for one in asked
    }
    chosen.candidates = [fresh.pop((one.checkpoint, one.scale), one) for one in chosen.candidates]
    chosen.candidates += fresh.values()
    work.run.save(chosen)


def load_said(run: RunDir, key: Key) -> list[Answer]:
    """What a candidate has answered so far."""
    return run.find_answers("select", name_candidate(key))


def train_remedy(work: Work, remedy: Remedy) -> Remedy:
    """Train with the remedy's changes, up to the choice among its candidates."""
    trial = Trial(remedy.name, "cure", remedy.changes)
    if not (work.run.trials / trial.name).exists():
        check_disk(work, 1)
    try:
        run = run_trial(work, trial, until="select")
    except TrainingError as error:
        note_trial(work, trial, str(error))
        return remedy.model_copy(update={"failed": error.message()})
    note_trial(work, trial)
    chosen, exam = run.load(Selection), make_exam(work, Asking(work, 0))
    key = (chosen.checkpoint, chosen.scale)
    return describe_prospect(remedy, weigh_prospect(key, load_said(run, key), exam), exam)


def look_at(work: Work, cure: Cure, remedy: Remedy) -> Remedy:
    """Measure the remedy on the test rows and the verdict's probes."""
    assert remedy.checkpoint is not None
    assert remedy.scale is not None
    trial = Trial(remedy.name, "cure", remedy.changes)
    if remedy.name in REMEDIES[:2]:
        # The scale stands in its config, so that further runs from it are at that scale too.
        key = (remedy.checkpoint, remedy.scale)
        trial = trial._replace(changes={"evaluate.scales": [remedy.scale]}, candidate=key)
    run = run_trial(work, trial)
    seen = describe_look(remedy, run.load(Verdict), cure.looks + 1)
    cure.note(seen)
    save_cure(work, cure)
    note_trial(work, trial)
    return seen


def note_trial(work: Work, trial: Trial, failed: str | None = None) -> None:
    """Note in trials.json what a trial came to so far."""
    noted = load_trials(work.run)
    noted.note(describe_trial(RunDir(work.run.trials / trial.name), trial, failed))
    work.run.save(noted)


def adopt(work: Work, remedy: Remedy) -> None:
    """Make the remedy the run's own; `work` goes on with what the run now is."""
    adopt_trial(work.run, remedy.name)
    work.drop_adapter()
    work.config = load_settled(work.run.config)
    work.__dict__.pop("plan", None)


def guess_seconds(work: Work, name: RemedyName) -> float:
    """Seconds of a remedy with its look, from what the run's own stages took."""
    spent = {stage: record.seconds for stage, record in work.run.load(RunRecord).stages.items()}
    again = TRAINING
    if name == "cure-scale":
        known = all(load_said(work.run, key) for key in list_smaller(work.run.load(Selection)))
        again = () if known else ("select",)
    elif name == "cure-earlier":
        again = ("select",)
    return sum(spent.get(stage, 0.0) for stage in (*again, *LOOK))
