"""Which retention probes a run asks: the choice's and the verdict's, and the user's own among these.

The user's own are prepared before anything is trained: read, held against the training rows, kept in the run folder.
In: the files named by `evaluate.probes`. Out: `data/probes.jsonl`; what cannot be asked is left out and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneproof.config.data import LONGEST
from tuneproof.data.probes import LeftOut, name_families, sift_probes
from tuneproof.data.read import read_rows
from tuneproof.errors import DataError
from tuneproof.evals.probes import load_probes
from tuneproof.evals.task import Item, make_probe_items, spread_items
from tuneproof.messages import tell
from tuneproof.model.chat import encode_row
from tuneproof.pipeline.work import OWN_ANSWER, PROBE_LANGUAGES, Work
from tuneproof.records import Row

REASONS_TOLD = 10


def draw_probes(work: Work) -> tuple[list[Item], list[Item]]:
    """Probes to ask the base: as many as the choice wants, and as many others as the verdict wants.

    The user's own come last, for the verdict. Where its number is limited they have at most half of it.
    """
    every, knobs = _list_probes(work), work.config.evaluate
    choice = spread_items(every, knobs.select_probes)
    drawn = {item.id for item in choice}
    rest = [item for item in every if item.id not in drawn]
    if knobs.retention_items is None:
        return choice, [*rest, *work.own_items]
    own = spread_items(work.own_items, max(1, knobs.retention_items // 2))
    return choice, [*spread_items(rest, knobs.retention_items - len(own)), *own]


def choice_probes(work: Work) -> list[Item]:
    """The probes that candidates answer."""
    return _find_dealt(work, "slice") or _leave_out(work, "retention")[0]


def verdict_probes(work: Work) -> list[Item]:
    """The verdict's probes, the user's own last."""
    return _find_dealt(work, "retention") or _leave_out(work, "slice")[1]


def _leave_out(work: Work, suite: str) -> tuple[list[Item], list[Item]]:
    """What is drawn, for choice and verdict; where one was dealt to already and the other's answers are lost, the other
    gets what is left, since none may be asked for both."""
    choice, verdict = draw_probes(work)
    dealt = {item.id for item in _find_dealt(work, suite)}
    if not dealt:
        return choice, verdict
    left = [item for item in (*choice, *verdict) if item.id not in dealt]
    return left, left


def _find_dealt(work: Work, suite: str) -> list[Item]:
    """The probes that were dealt to this suite when the base had answered (`evals.task.deal_probes`).

    One that another version asks in other words is not the one that the base has answered, and is left out.
    """
    items = {(item.id, item.prompt): item for item in (*_list_probes(work), *work.own_items)}
    dealt = [(answer.id, answer.prompt) for answer in work.run.find_answers("base", suite)]
    return [items[one] for one in dealt if one in items]


def _list_probes(work: Work) -> list[Item]:
    return make_probe_items([probe for language in work.languages for probe in load_probes(language)])


def prepare_probes(work: Work, train: Sequence[Row]) -> None:
    """Write data/probes.jsonl. Raises UsageError for a missing file, DataError when no row can be asked."""
    config = work.config
    if not config.evaluate.probes:
        return
    data = config.data
    read = read_rows(
        [Path(file) for file in config.evaluate.probes],
        columns=data.columns,
        task=data.task,
        system_prompt=data.system_prompt,
        encoding=data.encoding,
        answered=False,
    )
    reasons = [f"{one.place}: {one.message}" for one in read.findings if one.severity == "error"]
    sifted = sift_probes(read.rows, train)
    reasons += map(_tell_reason, sifted.left_out)
    rows, long = _fit_rows(work, sifted.rows)
    reasons += long
    told = "\n".join(reasons[:REASONS_TOLD])
    if not rows:
        raise DataError("probes.none", where=config.evaluate.probes[0], count=len(reasons), reasons=told)
    if reasons:
        work.progress.say("probes.own_left_out", count=len(reasons), kept=len(rows), reasons=told)
    work.run.log_event("probes", kept=len(rows), left_out=reasons)
    taken = {probe.family for language in PROBE_LANGUAGES for probe in load_probes(language)}
    work.run.save_rows("probes", name_families(rows, taken))


def _tell_reason(out: LeftOut) -> str:
    """One line about a row that is left out, with its place."""
    place = f"{out.other.file}:{out.other.line}" if out.other else ""
    return f"{out.row.file}:{out.row.line}: {tell(f'probes.why.{out.why}', place=place)}"


def _fit_rows(work: Work, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows that fit into the model's context with an answer of their own, and a line for each that does not."""
    context = work.context or LONGEST + OWN_ANSWER
    cap = min(work.config.data.max_tokens or LONGEST, context - OWN_ANSWER)
    kept, reasons = [], []
    for row in rows:
        tokens = len(encode_row(work.tokenizer, row.messages).ids)
        if tokens <= cap:
            kept.append(row)
        else:
            reasons.append(f"{row.file}:{row.line}: {tell('probes.too_long', tokens=tokens, cap=cap)}")
    return kept, reasons
