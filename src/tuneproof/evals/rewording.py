"""Is it the task that was learnt, or its wording? Test rows in other words, paired with the same rows as they are.

People do not write as the training rows do: they greet, thank, explain, forget the full stop. Each of some test rows is
asked again in one such frame; the content stays, so the reference and the scorer stay too. A large drop means that the
adapter answers the training wording only. Frames are fixed and go round, so a run can be repeated.

    items = reword_items(test_items)       # ids end in `~greeting`, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tuneproof.evals.tally import score_answers
from tuneproof.evals.task import Item
from tuneproof.records import Answer, Rewording
from tuneproof.statistics import compare_paired

MARK = "~"


class Frame(NamedTuple):
    """One way in which people write around a question, in English and Chinese."""

    name: str
    english: str
    chinese: str


FRAMES = (
    Frame("greeting", "Hi there! {}", "你好！{}"),
    Frame("thanks", "{}\n\nThanks in advance!", "{}\n\n先谢谢了！"),
    Frame("need", "I need your help with the following. {}", "想请你帮个忙。{}"),
    Frame("again", "One more of these, please: {}", "再帮我做一个：{}"),
    Frame("hurry", "{}\n(It is a bit urgent.)", "{}\n（有点急。）"),
)


def reword_items(items: Sequence[Item]) -> list[Item]:
    """Each item in one frame, in the language of its question; the last user turn is framed, the rest stays."""
    reworded = []
    for at, item in enumerate(items):
        frame = FRAMES[at % len(FRAMES)]
        *before, last = item.messages
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in last.content)
        text = (frame.chinese if chinese else frame.english).format(last.content)
        said = [*before, last.model_copy(update={"content": text})]
        reworded.append(item._replace(id=f"{item.id}{MARK}{frame.name}", messages=said))
    return reworded


def compare_rewording(plain: Sequence[Answer], reworded: Sequence[Answer], level: float) -> Rewording | None:
    """The tuned model's score on the same rows, as they are and reworded. None where nothing was reworded."""
    by_id = {answer.id: answer for answer in plain}
    pairs = [(by_id[answer.id.rpartition(MARK)[0]], answer) for answer in reworded]
    if not pairs:
        return None
    tasks = [before.task for before, _ in pairs]
    difference = compare_paired(
        [after.score - before.score for before, after in pairs],
        groups=tasks,
        clusters=[before.cluster or before.id for before, _ in pairs],
        level=level,
    )
    worst = min(pairs, key=lambda pair: pair[1].score - pair[0].score)
    fell = worst[1].score < worst[0].score
    return Rewording(
        n=len(pairs),
        plain=score_answers([before for before, _ in pairs]),
        reworded=score_answers([after for _, after in pairs]),
        delta=difference.mean if difference else None,
        ci95=difference.interval if difference else None,
        worse=sum(after.score < before.score for before, after in pairs),
        example=worst[1].prompt if fell else None,
        example_plain=worst[0].answer if fell else None,
        example_reworded=worst[1].answer if fell else None,
    )
