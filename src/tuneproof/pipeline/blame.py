"""Which training rows changed an answer of a run's tuned model. Writes only below `eval/blame` of the run folder.

In: a run that has measured its tuned model; the id of a probe or a test row, or `lost` for every lost answer of its
verdict. Out: a `Blame` an item, kept in the run folder too, where the report finds it.

    blame_items(BlameRequest(Path("runs/first"), "en-facts-001"), Quiet())[0].rows[0].place
"""

from __future__ import annotations

import difflib
from typing import NamedTuple, get_args

from tuneproof.config import RunConfig
from tuneproof.config.load import load_settled
from tuneproof.errors import RunError, UsageError
from tuneproof.explain.blame import Asked, Place, Scores, Trained, expect_spread, measure_spread, rank_rows, score_rows
from tuneproof.explain.gradient import Sketcher
from tuneproof.model.chat import encode_answer
from tuneproof.model.load import fingerprint_model, fingerprint_template
from tuneproof.pipeline import BlameRequest, open_run
from tuneproof.pipeline.asking import checkpoint_path
from tuneproof.pipeline.chain import refuse_other
from tuneproof.pipeline.crew import soften_replay
from tuneproof.pipeline.work import Work
from tuneproof.progress import Progress
from tuneproof.records import Answer, Blame, BlamedRow, Message, Selection, Verdict
from tuneproof.records.blame import Against, Suite
from tuneproof.rundir import RunDir
from tuneproof.training.checkpoint import check_checkpoint, list_checkpoints
from tuneproof.training.dataset import encode_rows

LOST = "lost"
"""Every lost answer of the verdict."""
KEPT = 20
"""Rows that a record keeps at least."""
CHECKPOINTS = 4
"""Checkpoints that are looked at, at most: each takes as long as an epoch of training."""
NEAREST = 3


class Case(NamedTuple):
    """One answer to be explained."""

    suite: Suite
    messages: list[Message]
    """What was asked."""
    base: Answer
    tuned: Answer

    @property
    def against(self) -> Against | None:
        """What the tuned answer is held against: what it should be, or for a right answer what it was before.

        An answer that was wrong before and after is held against the reference, but for a built-in probe, whose
        reference is a list of what is accepted and nothing one would say. None where the two texts are the same.
        """
        if self.tuned.right and self.base.right:
            return None
        both_wrong = not self.tuned.right and not self.base.right
        held: Against = "reference" if both_wrong and self.tuned.scorer != "probe" else "base"
        return held if self.text_of(held) != self.tuned.answer else None

    def text_of(self, held: Against) -> str:
        """The text that `against` names."""
        return self.base.answer if held == "base" else self.tuned.reference


def blame_items(request: BlameRequest, progress: Progress) -> list[Blame]:
    """The rows to blame for each answer asked for; none when `lost` is asked for and nothing was lost.

    Raises UsageError for an id that the run has not asked, RunError when the run has not got as far as the answers, has
    no whole checkpoint any more, or its base is not the one on disk.
    """
    run = open_run(request.run)
    cases = find_cases(run, request.item)
    if not cases:
        return []
    config = load_settled(run.config)
    work = Work(run, config, progress)
    assert config.model.name is not None
    base = {"base": fingerprint_model(config.model.name), "template": fingerprint_template(work.tokenizer)}
    refuse_other(run, base)
    steps = find_steps(run)
    scores_IR = weigh_rows(work, cases, steps, identity=f"{base} {name_adapter(config)}")
    replay = run.load_rows("replay")
    blames = []
    for case, scores_R in zip(cases, scores_IR, strict=True):
        rows = rank_rows(scores_R, work.train_rows, replay, max(KEPT, request.top))
        blames.append(make_blame(case, scores_R, rows, steps))
        run.save_blame(blames[-1])
    return blames


def find_cases(run: RunDir, item: str) -> list[Case]:
    """The answers that `item` names. Raises UsageError, with the nearest ids, when there is none of that name."""
    if not run.answers_path("tuned", "retention").is_file():
        raise RunError("blame.not_measured", where=str(run.path), run=run.path)
    sides = [name for name in ("test", "probes") if run.has_rows(name)]
    asked = {row.id: row.prompt for name in sides for row in run.load_rows(name)}
    cases = {}
    for suite in get_args(Suite):
        base = {answer.id: answer for answer in run.load_answers("base", suite)}
        for tuned in run.load_answers("tuned", suite):
            if tuned.id in base:
                # The built-in probes are not among the rows; each is asked alone.
                alone = [Message(role="user", content=tuned.prompt)]
                cases[tuned.id] = Case(suite, asked.get(tuned.id, alone), base[tuned.id], tuned)
    if item == LOST:
        return [cases[lost.id] for lost in run.load(Verdict).retention.lost_items if lost.id in cases]
    if item not in cases:
        near = difflib.get_close_matches(item, cases, n=NEAREST, cutoff=0.0)
        raise UsageError("blame.no_item", where=str(run.path), item=item, near=", ".join(near), run=run.path)
    return [cases[item]]


def find_steps(run: RunDir) -> list[int]:
    """Whole checkpoints up to the chosen one, spread evenly: what came later has no part in the answers.

    Raises RunError when there is none any more.
    """
    chosen = run.load(Selection).checkpoint
    steps = [step for step in list_checkpoints(run.checkpoints) if step <= chosen]
    wrong = {step: check_checkpoint(run.checkpoints / f"checkpoint-{step}") for step in steps}
    whole = [step for step in steps if wrong[step] is None]
    if not whole:
        why = "; ".join(f"checkpoint-{step}: {fault}" for step, fault in wrong.items())
        raise RunError("blame.no_checkpoint", where=str(run.checkpoints), why=why or "-", run=run.path)
    kept = min(CHECKPOINTS, len(whole))
    return [whole[(at + 1) * len(whole) // kept - 1] for at in range(kept)]


def weigh_rows(work: Work, cases: list[Case], steps: list[int], *, identity: str) -> Scores:
    """A score for each case and each row that was trained on, replay rows last: shape (cases, rows)."""
    rows = list_trained(work)
    asked = [ask_case(work, case) for case in cases]
    places = [Place(checkpoint_path(work, step), work.run.blame / f"rows-checkpoint-{step}.npz") for step in steps]
    sketcher = Sketcher(work.model, work.reading, identity=identity)
    work.progress.begin("blame", (len(rows) + len(cases)) * len(steps))
    scores_IR = score_rows(sketcher, rows, asked, places, work.progress.advance)
    work.progress.end("blame")
    return scores_IR


def list_trained(work: Work) -> list[Trained]:
    """The rows as they were trained, replay last."""
    rows = encode_rows(work.tokenizer, [*work.train_rows, *work.run.load_rows("replay")])
    trained = soften_replay(work, rows, len(work.train_rows))
    return [Trained(row.id, encoded) for row, encoded in zip(trained.rows, trained.encoded, strict=True)]


def ask_case(work: Work, case: Case) -> Asked:
    """The two answers as tokens."""
    said = encode_answer(work.tokenizer, case.messages, case.tuned.answer, ended=case.tuned.finish == "end")
    if case.against is None:
        return Asked(said, None)
    ended = case.against == "reference" or case.base.finish == "end"
    return Asked(said, encode_answer(work.tokenizer, case.messages, case.text_of(case.against), ended=ended))


def make_blame(case: Case, scores_R: Scores, rows: list[BlamedRow], steps: list[int]) -> Blame:
    """The record of one case."""
    return Blame(
        id=case.tuned.id,
        suite=case.suite,
        prompt=case.tuned.prompt,
        reference=case.tuned.reference,
        base=case.base.answer,
        tuned=case.tuned.answer,
        right=case.tuned.right,
        against=case.against,
        checkpoints=steps,
        n=len(scores_R),
        spread=measure_spread(scores_R),
        noise_spread=expect_spread(len(scores_R)),
        rows=rows,
    )


def name_adapter(config: RunConfig) -> str:
    """What decides, beside its weights, what an adapter does, and what a replay row taught it."""
    lora, how = config.lora, "soft" if config.replay.soft else "plain"
    return f"rank {lora.rank} alpha {lora.alpha} on {lora.targets} in {config.model.dtype}, {how} replay"
