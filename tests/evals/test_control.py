"""The control's prompt: as many examples as help most, and what they cost."""

from __future__ import annotations

from tests.evals.test_verdict import make_answers
from tuneproof.evals.control import PromptCost, choose_examples, compare_control
from tuneproof.evals.tally import score_answers


def test_the_best_number_of_examples_is_taken_and_the_fewest_of_equals() -> None:
    tried = {
        1: make_answers([True] * 4 + [False] * 6, "one"),
        3: make_answers([True] * 7 + [False] * 3, "three"),
        5: make_answers([False] * 3 + [True] * 7, "five"),
    }
    scores = {count: score_answers(some) for count, some in tried.items()}
    assert scores[3] == scores[5] == 0.7
    assert choose_examples(tried) == 3
    assert choose_examples({}) is None


def test_what_the_prompt_costs_stands_with_the_few_shot_control_alone() -> None:
    tuned, shown = make_answers([True] * 10, "tuned"), make_answers([True] * 5 + [False] * 5, "shown")
    cost = PromptCost(3, 412.0, 50.0)
    control = compare_control(tuned, [0.0] * 10, [0.0] * 10, shown, level=0.95, cost=cost)
    assert control
    assert (control.kind, control.examples, control.prompt_tokens, control.plain_tokens) == ("few_shot", 3, 412.0, 50.0)
    other = compare_control(tuned, [0.9] * 10, [0.0] * 10, shown, level=0.95, cost=cost)
    assert other
    assert (other.kind, other.examples) == ("most_frequent", None)
