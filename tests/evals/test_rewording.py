"""Rows in other words: the content stays, and a model that leans on the wording is seen."""

from __future__ import annotations

from tuneproof.evals.rewording import FRAMES, compare_rewording, reword_items
from tuneproof.evals.task import Item, make_row_items
from tuneproof.records import Answer, Message, Row


def make_items(count: int, question: str = "Amount line: {at} euros") -> list[Item]:
    rows = [
        Row(
            id=f"r{at}", file="rows.jsonl", line=at + 1, task=f"t{at % 2}",
            messages=[
                Message(role="system", content="House style."),
                Message(role="user", content=question.format(at=at)),
                Message(role="assistant", content=f"EUR {at}"),
            ],
        )
        for at in range(count)
    ]  # fmt: skip
    return make_row_items(rows, scorers={}, limits={}, clusters={})


def answer(item: Item, right: bool) -> Answer:
    return Answer(
        id=item.id, task=item.task, scorer=item.scorer, prompt=item.prompt, reference=item.reference,
        answer=item.reference if right else "no", score=float(right), right=right, tokens=2, finish="end",
    )  # fmt: skip


def test_the_question_stays_whole_inside_its_frame_and_all_frames_are_used() -> None:
    items = make_items(10)
    reworded = reword_items(items)
    for item, other in zip(items, reworded, strict=True):
        assert other.messages[0] == item.messages[0]
        assert item.messages[-1].content in other.messages[-1].content
        assert other.messages[-1].content != item.messages[-1].content
        assert (other.reference, other.scorer, other.task) == (item.reference, item.scorer, item.task)
    assert {other.id.partition("~")[2] for other in reworded} == {frame.name for frame in FRAMES}


def test_chinese_questions_get_chinese_frames_and_braces_stay() -> None:
    (item,) = make_items(1, "把 {{金额}} 写成账单：{at} 元")
    (other,) = reword_items([item])
    assert other.messages[-1].content == "你好！把 {金额} 写成账单：0 元"


def test_a_model_that_leans_on_the_wording_is_seen_and_one_that_does_not_is_not() -> None:
    items = make_items(30)
    plain = [answer(item, True) for item in items]
    leaning = compare_rewording(plain, [answer(item, at % 3 == 0) for at, item in enumerate(reword_items(items))], 0.95)
    assert leaning
    assert (leaning.n, leaning.worse, leaning.plain) == (30, 20, 1.0)
    assert leaning.ci95
    assert leaning.ci95[1] < 0
    assert leaning.example
    assert leaning.example_plain != leaning.example_reworded
    steady = compare_rewording(plain, [answer(item, True) for item in reword_items(items)], 0.95)
    assert steady
    assert (steady.delta, steady.worse, steady.example) == (0.0, 0, None)


def test_nothing_reworded_is_nothing_measured() -> None:
    assert compare_rewording([answer(item, True) for item in make_items(3)], [], 0.95) is None
