"""The rehearsal: the heaviest step and a few answers, before anything is trained; then the time is planned.

Memory is held against the plan where it could go wrong, speeds are measured where they will be needed, and with
`--time` the epochs, candidates and items are cut in `plan.budget`'s order. What was decided is written into
config.yaml, so a resumed run does not decide again.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean
from typing import Any

import psutil

from tuneproof.config.replay import MOST_COPIES
from tuneproof.evals.drift import spread_texts
from tuneproof.evals.measure import add_examples, measure_items
from tuneproof.evals.probes import load_probes
from tuneproof.evals.select import FINALISTS, FIRST_LOOK
from tuneproof.evals.task import Item, make_probe_items, spread_items
from tuneproof.model.batch import count_shared
from tuneproof.model.chat import encode_prompt, end_ids
from tuneproof.model.hardware import Hardware, read_loaded, reset_peak
from tuneproof.model.recovery import Listeners, answer_within_memory
from tuneproof.model.store import Serving, make_key
from tuneproof.pipeline.asking import fit_batch, list_train_items
from tuneproof.pipeline.probes import choice_probes, verdict_probes
from tuneproof.pipeline.prompting import TRIED_ROWS
from tuneproof.pipeline.recovery import hear_fewer, note_peak, rehearse_within_memory
from tuneproof.pipeline.work import PROBE_LANGUAGES, Work
from tuneproof.plan import budget
from tuneproof.plan.formula import read_dimensions
from tuneproof.plan.pace import Setting, remember_speeds
from tuneproof.records import Message, Plan, Settings, TimePlan
from tuneproof.training.dataset import RowSet, encode_rows
from tuneproof.training.replay import choose_prompts

PROBED = 32
"""Items of the speed probe on a processor."""
NEW_TOKENS = 12
"""New tokens of each of them."""
CARD_TOKENS = 32
"""On a card, where the first one takes a recording (model/stepping), which is good for up to 64 of them."""
MARGIN = 0.85
"""Share of the time limit that is planned for: answers get longer or shorter than guessed."""
AS_LONG = 2.0
"""An answer's tokens beside the mean of the references. The base of alpaca_en answered with 1.4 times as many, of the
demo's rows with 1.5 (demo model); the rest stands for the last answers of a batch, which are made nearly alone."""
REPORT = 4.0
"""Seconds for verdict and report, measured with the demo."""
PILOT = 20
"""Probes of each language that decide whether it is measured."""
SPOKEN = 0.25
"""Share of them that must be right."""
HALVING = budget.Halving(FIRST_LOOK, FINALISTS)
"""How the choice compares candidates."""
KEPT_REPLAY = 0.8
"""Share of replay answers that pass the filters; measured with the demo model."""


def rehearse(work: Work) -> None:
    """Run the heaviest step and a few answers, plan the time, and write what was decided into plan and config."""
    work.progress.begin("rehearse")
    rows = encode_rows(work.tokenizer, work.lessons)
    reset_peak(work.hardware.device)
    place = str(next(work.model.parameters()).device)
    note_peak(work, "load", read_loaded(work.hardware.device))
    heaviest = rehearse_within_memory(work, rows)
    note_peak(work, "rehearsal", heaviest.peak_bytes)
    work.run.log_event("rehearsal", device=place, **heaviest._asdict())
    choose_languages(work)
    speeds = probe_answers(work)
    wanted = describe_work(work, rows)
    limit = work.config.train.time_limit
    plan = budget.plan_time(
        speeds._replace(train=heaviest.speed),
        wanted,
        limit=MARGIN * limit if limit else None,
        spent=count_spent(),
    )
    plan.limit = limit
    apply_time(work, plan)
    keep_time(work.plan, plan, wanted)
    setting = describe_setting(work.base.model.config, work.hardware, work.plan.settings)
    remember_speeds(setting, speeds._replace(train=heaviest.speed))
    work.run.save(work.plan)
    work.save_config()
    for cut in plan.cut:
        work.progress.say("time.cut", cut=cut)
    told = {"time": plan.seconds(), "train": plan.parts["train"]}
    rounded = {name: float(f"{seconds:.2g}") for name, seconds in told.items()}
    work.progress.say("time.ahead_limited" if limit else "time.ahead", **rounded)
    work.progress.end("rehearse")


def keep_time(plan: Plan, time: TimePlan, work: budget.Work) -> None:
    """Write the time into the plan, and the steps that training will take, replay among them."""
    plan.time, plan.seconds = time, time.seconds()
    if not work.fixed:
        plan.steps = max(1, round(time.epochs * work.epoch_steps))


def count_spent() -> float:
    """Seconds since this process started, imports and conversions included."""
    return time.time() - psutil.Process().create_time()


def choose_languages(work: Work) -> None:
    """Find the languages that the base can speak, by a few probes of each; one is kept in any case.

    A language in which the base is nearly always wrong has nothing to lose, and would cost time and dilute the count.
    """
    if work.config.evaluate.languages:
        return
    pilots = {name: spread_items(make_probe_items(load_probes(name)), PILOT) for name in PROBE_LANGUAGES}
    with work.base_only() as model:
        asked = [item for some in pilots.values() for item in some]
        serving = Serving(min(2 * PILOT, fit_batch(work, 1)), work.store, hear_fewer(work))
        answers = measure_items(model, work.tokenizer, asked, serving=serving)
    right = {name: sum(answer.right for answer in answers if answer.language == name) for name in pilots}
    spoken = [name for name in PROBE_LANGUAGES if right[name] >= SPOKEN * PILOT]
    work.config.evaluate.languages = spoken or [max(PROBE_LANGUAGES, key=lambda name: right[name])]
    for name in PROBE_LANGUAGES:
        if name not in work.config.evaluate.languages:
            work.progress.say("probes.left_out", language=name, right=right[name], asked=PILOT)
    work.run.log_event("languages", right=right, asked=PILOT, kept=work.config.evaluate.languages)


def probe_answers(work: Work) -> budget.Speeds:
    """Speeds of batched greedy answers of the base; that of training is left open.

    Measured once after short prompts, and once after a long beginning that all prompts share, so that it is read once.
    On a card as many as it will answer at once, for which it takes about as long as for a few (46 s for the demo's 470
    answers of the base on an H100, where the speed of 32 had foretold 199).
    """
    card = work.hardware.device != "cpu"
    count = max(PROBED, work.config.evaluate.batch_size) if card else PROBED
    items = spread_items([*work.row_items("train", count), *verdict_probes(work)], count)
    prompts = [encode_prompt(work.tokenizer, item.messages) for item in items]
    beginning = (prompts[0] * work.plan.settings.max_tokens)[: work.plan.settings.max_tokens // 2]
    long = [beginning + prompt for prompt in prompts]
    with work.base_only() as model:

        def answer(asked: Sequence[Sequence[int]], tokens: int) -> float:
            started = time.perf_counter()
            # No end token: every answer takes the same number of steps.
            batch_size = fit_batch(work, max(map(len, asked)) + tokens)
            listeners, limits = Listeners(lambda ended: None, hear_fewer(work)), [tokens] * len(asked)
            answer_within_memory(model, asked, limits=limits, ends=[], batch_size=batch_size, listeners=listeners)
            return time.perf_counter() - started

        if card:
            # What it computes a new token with is loaded at the first one.
            answer(prompts, 2)
        tokens = CARD_TOKENS if card else NEW_TOKENS
        first, more, more_long = answer(prompts, 1), answer(prompts, 1 + tokens), answer(long, 1 + tokens)
    new = len(prompts) * tokens
    read = sum(map(len, prompts)) - (len(prompts) - 1) * count_shared(prompts)
    first_long = first * (1 + len(beginning) / read)
    token, late = max(more - first, 1e-3) / new, (more_long - first_long) / new
    # The short prompts have a context too; at worst it is counted twice.
    attend = max(0.0, late - token) / max(1, len(beginning))
    together = min(count, fit_batch(work, max(map(len, prompts)) + 1 + tokens)) if card else 1
    return budget.Speeds(train=math.nan, generate=1 / token, prefill=read / first, attend=attend, together=together)


def describe_work(work: Work, rows: RowSet) -> budget.Work:
    """What the run wants to do, in tokens."""
    config = work.config
    assert config.train.epochs is not None
    assert config.replay.fraction is not None
    knobs, share = config.evaluate, config.replay.fraction
    answer = 0.5 * config.replay.max_new_tokens
    general = choose_prompts(work.train_rows)
    prompts = len(general) + config.replay.own_turns
    replay_tokens = min(rows.tokens * share / (1 - share), MOST_COPIES * prompts * KEPT_REPLAY * 2 * answer)
    tests = work.row_items("test", knobs.test_rows)
    shown = spread_items(tests, knobs.few_shot_rows or len(tests)) if knobs.few_shot else []
    # Tries answer select rows; those are like test rows.
    most = add_examples(shown, work.train_rows, max(knobs.few_shot, default=0))
    beside = [*list_train_items(work), *spread_items(tests, knobs.reworded_rows)]
    replay_rows = replay_tokens / (2 * answer)
    test, retention = describe_items(work, tests), describe_items(work, verdict_probes(work))
    epoch_steps = (len(rows) + replay_rows) / config.train.batch_size
    epochs = config.train.max_steps / epoch_steps if config.train.max_steps else config.train.epochs
    return budget.Work(
        epochs=epochs,
        epoch_tokens=rows.tokens + replay_tokens,
        epoch_steps=epoch_steps,
        replay=_describe_replay(work, general, min(prompts, int(replay_rows / KEPT_REPLAY)), answer),
        test=test,
        retention=retention,
        select=describe_items(work, work.row_items("select", knobs.select_rows)),
        few_shot=describe_items(work, most),
        tries=len(knobs.few_shot),
        tried=describe_items(work, spread_items(most, TRIED_ROWS)),
        beside=describe_items(work, beside),
        probe_slice=describe_items(work, choice_probes(work)),
        checkpoints=knobs.checkpoints,
        fixed=config.train.max_steps is not None,
        curable=config.trials.cure,
        halving=HALVING,
        scales=len(set(knobs.scales)),
        drift=_describe_drift(work, test, retention),
        report=REPORT,
    )


def _describe_replay(work: Work, general: Sequence[str], asked: int, answer: float) -> budget.Suite:
    """Replay prompts, each about as long as its answer; those beyond the `general` ones are drawn too. Soft ones are
    read once more, with their answers."""
    knobs, count = work.config.replay, max(1, asked)
    drawn = max(0, asked - len(general)) / count
    messages = [[Message(role="user", content=prompt)] for prompt in general[:asked]]
    prompts = [encode_prompt(work.tokenizer, one) for one in messages]
    known = len(find_known(work, prompts, [knobs.max_new_tokens] * len(prompts))) / count
    return budget.Suite(asked, answer * (3 if knobs.soft else 1), answer * (1 + drawn), known=lambda rows: known)


def _describe_drift(work: Work, *suites: budget.Suite) -> budget.Suite:
    """Items of each suite that both arms read for the drift, with their answers, and the neutral texts beside them."""
    items = work.config.evaluate.drift_items
    texts = work.tokenizer(spread_texts(work.languages, items), add_special_tokens=False).input_ids
    tokens = sum(min(items, suite.rows) * (suite.prompt + suite.answer) for suite in suites) + sum(map(len, texts))
    return budget.Suite(items, tokens / items, 0.0)


def describe_setting(config: Any, hardware: Hardware, settings: Settings) -> Setting:
    """A model, by its config, on a device, as far as speeds depend on it."""
    return Setting(
        read_dimensions(config),
        hardware.device,
        hardware.name,
        hardware.threads,
        settings.dtype,
        settings.quantization,
        settings.offload,
        settings.checkpointing,
        settings.strategy == "fsdp",
    )


def apply_time(work: Work, plan: TimePlan) -> None:
    """Write what the time plan decided into the config, when there is a limit."""
    if plan.limit is None:
        return
    train, knobs = work.config.train, work.config.evaluate
    if train.max_steps is None:
        train.epochs = plan.epochs
    knobs.test_rows, knobs.select_rows = plan.test_rows or None, plan.select_rows or None
    knobs.retention_items, knobs.few_shot_rows = plan.retention_items or None, plan.few_shot_rows or None
    knobs.select_probes = plan.slice_probes
    knobs.drift_items = plan.drift_items
    if plan.few_shot_tries < len(knobs.few_shot):
        knobs.few_shot = [sorted(knobs.few_shot)[len(knobs.few_shot) // 2]]
    scales = sorted(set(knobs.scales), reverse=True)
    knobs.scales = [scales[at * len(scales) // plan.scales] for at in range(plan.scales)]
    knobs.checkpoints = plan.checkpoints


def describe_items(work: Work, items: Sequence[Item]) -> budget.Suite:
    """Rows, mean tokens to read (a task's common beginning is read once) and mean new tokens of a suite.

    An answer to a row counts with `AS_LONG` times the mean of its task's references, one to a probe with its limit.
    """
    if not items:
        return budget.Suite(0, 0.0, 0.0)
    by_task: dict[str, list[list[int]]] = defaultdict(list)
    prompts = [encode_prompt(work.tokenizer, item.messages) for item in items]
    answers = contexts = 0.0
    usual = {task: AS_LONG * fmean(lengths) for task, lengths in work.answer_lengths.items()}
    for item, prompt in zip(items, prompts, strict=True):
        by_task[item.task].append(prompt)
        new = min(item.limit, usual.get(item.task, item.limit)) if item.probe is None else item.limit
        answers += new
        contexts += new * (len(prompt) + new / 2)
    read = sum(sum(map(len, some)) - (len(some) - 1) * count_shared(some) for some in by_task.values())
    known = {items[place].id for place in find_known(work, prompts, [item.limit for item in items])}

    @lru_cache(maxsize=256)
    def share_known(rows: int) -> float:
        """Of those that are asked where a suite is cut: a run that was cut has answers to just these."""
        asked = spread_items(items, rows)
        return sum(item.id in known for item in asked) / max(1, len(asked))

    return budget.Suite(len(items), read / len(items), answers / len(items), contexts / answers, share_known)


def find_known(work: Work, prompts: Sequence[Sequence[int]], limits: Sequence[int]) -> set[int]:
    """Places of prompts to which an earlier run has the base's answer; none as long as the base is not loaded."""
    if "base" not in vars(work) or work.store is None:
        return set()
    ends = end_ids(work.tokenizer, work.base.model.generation_config)
    return set(work.store.recall([make_key(prompt, ends) for prompt in prompts], limits))
