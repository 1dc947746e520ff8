"""The verbs that work with weights: base, replay, train, select, tuned, verdict, report.

Each takes a `Work`, calls one stage, and writes its record.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from tuneproof.data.probes import drop_asked, find_alike, list_words
from tuneproof.evals import drift
from tuneproof.evals.control import score_frequent, score_permuted
from tuneproof.evals.overfitting import measure_overfitting
from tuneproof.evals.probes import load_probes
from tuneproof.evals.rewording import reword_items
from tuneproof.evals.select import FINALISTS, FIRST_LOOK, choose_candidate
from tuneproof.evals.task import deal_probes, hash_items, spread_items
from tuneproof.evals.verdict import Evidence, judge_run
from tuneproof.figures import format_percent, to_plain
from tuneproof.messages import current_language
from tuneproof.model.hardware import reset_peak
from tuneproof.pipeline.asking import (
    Asking,
    answer_items,
    checkpoint_path,
    list_train_items,
    make_exam,
    visit_checkpoint,
)
from tuneproof.pipeline.crew import Change, follow_me, hold_together, soften_replay
from tuneproof.pipeline.finish import finish_adapter
from tuneproof.pipeline.probes import choice_probes, draw_probes, verdict_probes
from tuneproof.pipeline.prompting import (
    TRIED_ROWS,
    choose_count,
    list_shown,
    list_tries,
    list_untried,
    name_suite,
    weigh_prompt,
)
from tuneproof.pipeline.recovery import StepWatch, hear_fewer, measure_phase, note_lighter, note_peak
from tuneproof.pipeline.work import PROBE_LANGUAGES, Work
from tuneproof.plan.budget import Halving, count_asked
from tuneproof.plan.recipe import count_turns
from tuneproof.records import DriftRecord, RunRecord, Selection, Trials, Verdict
from tuneproof.report import write_report
from tuneproof.training.adapter import save_adapter
from tuneproof.training.checkpoint import choose_candidates
from tuneproof.training.dataset import RowSet, encode_rows, explain_mask
from tuneproof.training.replay import ENOUGH, Limits, choose_prompts, generate_replay, repeat_rows
from tuneproof.training.train import StepLog, count_steps, train_adapter
from tuneproof.training.trainer import StepReport
from tuneproof.training.turns import Draw, draw_turns


def measure_base(work: Work) -> None:
    """Answers of the base to the test rows, the select rows, the probes, and the few-shot control."""
    knobs = work.config.evaluate
    choice, verdict = draw_probes(work)
    tests, rows = work.row_items("test", knobs.test_rows), work.row_items("select", knobs.select_rows)
    suites = {"test": tests, "probes": [*choice, *verdict], "select": rows, **list_tries(work)}
    control = len(list_shown(work, 0)) + max(0, len(rows) - TRIED_ROWS) if knobs.few_shot else 0
    work.progress.begin("base", sum(len(items) for items in suites.values()) + control)
    done = 0
    reset_peak(work.hardware.device)
    with work.base_only():
        for suite, items in suites.items():
            answers = answer_items(work, items, done)
            done += len(items)
            for name, part in (deal_probes(answers, len(choice)) if suite == "probes" else {suite: answers}).items():
                work.run.save_answers("base", name, part)
        count = choose_count(work)
        if untried := list_untried(work, count):
            tried, suite = work.run.find_answers("base", name_suite(count)), name_suite(count)
            work.run.save_answers("base", suite, [*tried, *answer_items(work, untried, done)])
            done += len(untried)
        shown = list_shown(work, count) if count else []
        work.run.save_answers("base", "few_shot", answer_items(work, shown, done))
    if work.store is not None and work.store.recalled:
        work.progress.say("base.remembered", n=work.store.recalled)
        work.run.log_event("remembered", answers=work.store.recalled)
    measure_phase(work, "evaluate")
    work.progress.end("base")


def make_replay(work: Work) -> None:
    """The base's own answers to general prompts: `replay.fraction` of all training tokens."""
    share = work.config.replay.fraction
    assert share is not None
    tokens = int(encode_rows(work.tokenizer, work.lessons).tokens * share / (1 - share))
    made = tokens // count_turns(None if work.config.train.max_steps else work.config.train.epochs)
    work.progress.begin("replay", made)
    with work.base_only() as model:
        rows = generate_replay(
            model,
            work.tokenizer,
            list_prompts(work, model) if tokens else [],
            limits=Limits(made, work.config.replay.max_new_tokens, work.config.evaluate.batch_size, hear_fewer(work)),
            on_progress=work.progress.advance,
            store=work.store,
        )
    held = encode_rows(work.tokenizer, rows).tokens if rows else 0
    rows, held = repeat_rows(rows, held, tokens)
    if held < ENOUGH * tokens:
        got = format_percent(held / (held + tokens * (1 - share) / share))
        work.progress.say("replay.short", n=len(rows), share=to_plain(got), wanted=to_plain(format_percent(share)))
    work.run.save_rows("replay", rows)
    work.progress.end("replay")


def list_prompts(work: Work, model: Any) -> Iterator[str]:
    """The project's general prompts, then questions that the base asks itself; none that a probe asks."""
    yield from drop_asked(choose_prompts(work.train_rows), work.own_rows)
    if not work.config.replay.own_turns:
        return
    probes = [probe.prompt for language in PROBE_LANGUAGES for probe in load_probes(language)]
    asked = [list_words(text) for text in (*probes, *(row.question for row in work.own_rows))]
    draw = Draw(work.config.replay.own_turns, work.config.train.seed, work.config.evaluate.batch_size)
    for question in draw_turns(model, work.tokenizer, draw):
        if not find_alike(question, asked):
            yield question


def train(work: Work) -> None:
    """Train; checkpoints lie in the run folder, the numbers of training in run.json."""
    rows = encode_rows(work.tokenizer, [*work.lessons, *work.rehearsals])
    steps = count_steps(len(rows), work.config)
    if work.config.train.save_steps is None:
        work.config.train.save_steps = -(-steps // work.config.evaluate.checkpoints)
        work.save_config()
    prove_mask(work, rows)
    work.progress.begin("train", steps)

    watch = StepWatch(work, spills=sys.platform == "win32" and work.hardware.device == "cuda")

    def note(report: StepReport) -> None:
        watch.note(report)
        work.run.log_event("step", **report._asdict())
        work.progress.advance(report.step, loss=report.loss)

    def skip(why: str) -> None:
        work.run.log_event("skipped", why=why)
        work.progress.say("train.skipped", why=why)

    hear, visit = partial(note_lighter, work, "train"), partial(visit_checkpoint, work)
    log = StepLog(load_steps(work), note, skip, visit, hear, partial(work.run.log_event, "recorded"))
    with follow_me(work, "train") as crew:
        with hold_together(work):
            training = train_adapter(
                work.model,
                soften_replay(work, rows, len(work.lessons)),
                config=work.config,
                shape=work.shape,
                folder=work.run.checkpoints,
                log=log,
            )
        for changes in crew.gather(list[Change]()):
            for step, change in changes:
                hear(step, change)
    record = work.run.load(RunRecord)
    record.training = training
    record.training.replay_rows = len(rows) - len(work.lessons)
    work.run.save(record)
    work.plan.measured_peak_bytes = training.peak_bytes
    note_peak(work, "train", training.peak_bytes)
    work.run.save(work.plan)
    work.progress.end("train")


def prove_mask(work: Work, rows: RowSet) -> None:
    """Show one row with trained and untrained tokens told apart, and the counts; keep it in the events."""
    pieces = explain_mask(work.tokenizer, rows.encoded[0])
    work.run.log_event("mask", pieces=pieces, trained=rows.trained_tokens, total=rows.tokens)
    work.progress.show_mask(pieces, rows.trained_tokens, rows.tokens)


def load_steps(work: Work) -> list[StepReport]:
    """The optimizer steps done so far, the last report of each step (a resumed run repeats some)."""
    steps: dict[int, StepReport] = {}
    for event in work.run.load_events():
        if event["kind"] == "adopt":
            steps.clear()
        if event["kind"] == "step":
            steps[event["step"]] = StepReport(**{field: event[field] for field in StepReport._fields})
    return [steps[step] for step in sorted(steps)]


def select_checkpoint(work: Work) -> None:
    """Score the candidates, choose one, and write it as the run's adapter."""
    knobs, training = work.config.evaluate, work.run.load(RunRecord).training
    assert training is not None
    every = work.config.train.save_steps or training.steps
    steps = choose_candidates(work.run.checkpoints, every, training.steps, knobs.checkpoints)
    rows, probes = work.row_items("select", knobs.select_rows), choice_probes(work)
    halving = Halving(FIRST_LOOK, FINALISTS)
    asked_rows, slices = count_asked(len(steps), len(set(knobs.scales)), len(rows), halving)
    total = asked_rows + slices * len(probes)
    work.progress.begin("select", total)
    if rows:
        reports = load_steps(work)
        losses = {step: mean_loss(reports, step) for step in steps}
        selection = choose_candidate(steps, knobs.scales, make_exam(work, Asking(work, total)), losses)
    else:
        selection = Selection(checkpoint=steps[-1], scale=1.0, reason="select.no_rows", candidates=[])
    work.run.save(selection)
    save_adapter(
        checkpoint_path(work, selection.checkpoint), work.run.adapter, selection.scale, base=work.config.model.name
    )
    work.progress.end("select")


def mean_loss(steps: Sequence[StepReport], until: int, window: int = 10) -> float:
    """Mean training loss of the `window` steps before a checkpoint."""
    losses = [report.loss for report in steps if until - window < report.step <= until]
    return sum(losses) / len(losses) if losses else float("nan")


def measure_tuned(work: Work) -> None:
    """Answers of the chosen adapter to the test rows and the probes: the only time the test rows meet it."""
    selection = work.run.load(Selection)
    work.wear(checkpoint_path(work, selection.checkpoint), selection.scale)
    reset_peak(work.hardware.device)
    tests = work.row_items("test", work.config.evaluate.test_rows)
    suites = {"test": tests, "retention": verdict_probes(work), "train": list_train_items(work)}
    suites["reworded"] = reword_items(spread_items(tests, work.config.evaluate.reworded_rows))
    work.progress.begin("tuned", sum(len(items) for items in suites.values()))
    done = 0
    for suite, items in suites.items():
        work.run.save_answers("tuned", suite, answer_items(work, items, done))
        done += len(items)
    measure_phase(work, "evaluate")
    work.progress.end("tuned")


def measure_drift(work: Work) -> None:
    """How far the chosen adapter has moved from the base, along the base's answers and on neutral text."""
    work.progress.begin("drift")
    selection = work.run.load(Selection)
    work.wear(checkpoint_path(work, selection.checkpoint), selection.scale)
    chosen = []
    for suite, items in (("retention", verdict_probes(work)), ("test", work.row_items("test", None))):
        answers = {answer.id: answer for answer in work.run.load_answers("base", suite)}
        answered = [item for item in items if item.id in answers]
        shown = spread_items(answered, work.config.evaluate.drift_items)
        chosen.append([(item, answers[item.id]) for item in shown])
    probes, tests = chosen
    texts = drift.spread_texts(work.languages, work.config.evaluate.drift_items)
    record = drift.measure_all(
        work.model, work.tokenizer, probes=probes, tests=tests, texts=texts, reading=work.reading
    )
    work.run.save(record)
    work.progress.end("drift")


def judge(work: Work) -> None:
    """The verdict, from the kept answers alone."""
    work.progress.begin("verdict")
    items = work.row_items("test", work.config.evaluate.test_rows)
    tuned = work.run.load_answers("tuned", "test")
    evidence = Evidence(
        base_test=work.run.load_answers("base", "test"),
        tuned_test=tuned,
        base_probes=work.run.load_answers("base", "retention"),
        tuned_probes=work.run.load_answers("tuned", "retention"),
        few_shot=work.run.load_answers("base", "few_shot"),
        cost=weigh_prompt(work),
        reworded=work.run.find_answers("tuned", "reworded"),
        frequent=score_frequent(items, work.train_rows),
        permuted=score_permuted(items, tuned, work.config.train.seed),
        drift=work.run.load(DriftRecord),
        overfitting=measure_overfitting(work.run.find_answers("tuned", "train"), tuned, work.train_rows),
    )
    seconds = {name: stage.seconds for name, stage in work.run.load(RunRecord).stages.items()}
    verdict = judge_run(
        evidence,
        thresholds=work.config.evaluate,
        selection=work.run.load(Selection),
        seed=work.config.train.seed,
        seconds=seconds,
    )
    verdict.test_hash = hash_items(items)
    work.run.save(verdict)
    work.progress.end("verdict")


def report(work: Work) -> None:
    """Write report.html, and what stands beside the adapter."""
    work.progress.begin("report")
    finish_adapter(work)
    trials = work.run.load(Trials) if work.run.has(Trials) else Trials()
    if trials.search is not None:
        trials.search.test = work.run.load(Verdict).task.tuned
        work.run.save(trials)
    write_report(work.run, work.config.report.language or current_language())
    work.progress.end("report")
