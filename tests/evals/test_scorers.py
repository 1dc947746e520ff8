"""Scorers: the right one is chosen for a task, and each measures what it says, in English and in Chinese."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneproof.evals.code import is_code
from tuneproof.evals.formula import can_verify
from tuneproof.evals.refusal import is_refusal
from tuneproof.evals.scorers import ScorerName, choose_row_scorer, choose_scorer, is_right, score_answer

LABELS = ["billing", "delivery", "returns", "other"] * 6
PROSE = "We are sorry that your order arrived late. A colleague will call you today and find a solution with you. " * 2


@pytest.mark.parametrize(
    ("references", "scorer"),
    [
        (LABELS, "choice"),
        (["退款", "物流", "发票", "其他"] * 6, "choice"),
        (LABELS[:8], "short"),
        ([f"order {number} left the house" for number in range(30)], "short"),
        (["Total: 37.50 EUR", "Total: 12.00 EUR", "Total: 5 EUR"], "number"),
        (["3 x 4 = 12\n#### 12", "Half of 20 is 10.\n#### 10"], "number"),
        (["1,234", "12", "-7.5%"], "number"),
        (["１２３４", "５６"], "number"),
        (["一共是42元。", "答案是 7"], "number"),
        (["The total is 37.50 EUR.", "$1,200.00"], "number"),
        (["2024-03-05", "2023-11-30"], "short"),
        (["5 March 2024", "1 May 2023"], "short"),
        (["AC-1234", "BX-9912"], "short"),
        (["14:30", "09:15"], "short"),
        (["Order number: 004711", "Order number: 000012"], "short"),
        (['{"a": 1}', '{"a": 2, "b": [1]}'], "json"),
        (['```json\n{"a": 1}\n```', "[1, 2]"], "json"),
        (['{"a": 1}', "no order was named"], "short"),
        (["你好，请稍等", "明天上午发货"], "short"),
        (["您好，" + "我们会在三个工作日之内为您办理退款手续" * 3], "long"),
        ([PROSE, PROSE + "Thank you."], "long"),
        ([], "long"),
    ],
)
def test_scorer_follows_the_type_of_the_references(references: list[str], scorer: ScorerName) -> None:
    assert choose_scorer(references) == scorer


def test_required_strings_go_before_everything_else() -> None:
    assert choose_scorer(LABELS, required=True) == "required"


def test_one_odd_row_in_twenty_does_not_change_the_scorer() -> None:
    assert choose_scorer([*(f'{{"order": {number}}}' for number in range(19)), "none"]) == "json"
    assert choose_scorer([*(f'{{"order": {number}}}' for number in range(10)), *["none", "unclear"] * 5]) != "json"


def test_real_data_gets_the_scorers_a_person_would_name(data_dir: Path) -> None:
    lines = (data_dir / "gsm8k_1000.jsonl").read_text(encoding="utf-8").splitlines()
    assert choose_scorer([json.loads(line)["answer"] for line in lines]) == "number"
    for name in ("alpaca_en.json", "alpaca_zh.json"):
        rows = json.loads((data_dir / name).read_text(encoding="utf-8"))
        assert choose_scorer([row["output"] for row in rows]) == "long"


@pytest.mark.parametrize(
    "answer", ["Billing", " billing.", '"billing"', "**billing**", "ｂｉｌｌｉｎｇ", "「billing」"]
)
def test_choice_forgives_case_width_and_quotes(answer: str) -> None:
    assert score_answer("choice", answer, "billing") == 1.0


@pytest.mark.parametrize("answer", ["", "billings", "billing or returns", "The category is billing"])
def test_choice_forgives_nothing_else(answer: str) -> None:
    assert score_answer("choice", answer, "billing") == 0.0


def test_choice_of_signs_only_is_not_equal_to_silence() -> None:
    assert score_answer("choice", "", "?") == 0.0
    assert score_answer("choice", "?", "?") == 1.0


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("That makes 37.5 EUR", "Total: 37.50 EUR"),
        ("1234", "1,234"),
        ("１，２３４", "1234"),
        ("1\u202f234", "1234"),
        ("1.234,56 €", "1234.56"),
        ("37,50 EUR", "37.50"),
        ("3 x 4 = 12", "12"),
        ("10-3", "3"),
        ("1,2,3", "3"),
        ("−7", "-7"),
        ("(-7)", "-7"),
        ("#### 42\nbecause 6 times 7", "#### 42"),
        ("答案是４２。", "42"),
        ("2 + 2 = 4.", "4"),
        (".5", "0.5"),
        ("-€5", "-5"),
        ("0.33333333", "0.33333334"),
        ("EUR37.50", "37.5 EUR"),
        ("37.5 m²", "Area: 37.5"),
        ("12 kg of CO2", "12 kg"),
    ],
)
def test_equal_numbers_are_equal_however_written(answer: str, reference: str) -> None:
    assert score_answer("number", answer, reference) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("-3", "3"),
        ("", "3"),
        ("three", "3"),
        ("42 or 43", "42"),
        ("1.2", "12"),
        ("37.6", "37.5"),
        # Products and telephone numbers are right to the last digit.
        ("7006652", "7006655"),
        ("电话：13800138000", "电话：13800138999"),
        ("9007199254740993", "9007199254740992"),
    ],
)
def test_other_numbers_are_not(answer: str, reference: str) -> None:
    assert score_answer("number", answer, reference) == 0.0


def test_json_counts_equal_fields_and_charges_extra_ones() -> None:
    reference = '{"category": "billing", "priority": "high", "order": "A-1"}'
    assert score_answer("json", reference, reference) == 1.0
    assert (
        score_answer(
            "json", 'Here it is:\n```json\n{"order": "A-1", "priority": "high", "category": "billing"}\n```', reference
        )
        == 1.0
    )
    assert score_answer(
        "json", '{"category": "billing", "priority": "low", "order": "A-1"}', reference
    ) == pytest.approx(2 / 3)
    assert score_answer("json", '{"category": "billing"}', reference) == pytest.approx(2 * 1 / (1 + 3))
    extra = '{"category": "billing", "priority": "high", "order": "A-1", "mood": "angry"}'
    assert score_answer("json", extra, reference) == pytest.approx(2 * 3 / (4 + 3))


@pytest.mark.parametrize(
    "answer", ["", "billing", '{"category": "billing"', "{category: billing}", "[" * 100_000, "{}"]
)
def test_what_is_not_the_object_scores_nothing(answer: str) -> None:
    assert score_answer("json", answer, '{"category": "billing"}') == 0.0


def test_json_compares_types_and_nested_values() -> None:
    assert score_answer("json", '{"n": 2.0, "sum": 37.50}', '{"n": 2, "sum": 37.5}') == 1.0
    assert score_answer("json", '{"n": "2"}', '{"n": 2}') == 0.0
    assert score_answer("json", '{"paid": 1}', '{"paid": true}') == 0.0
    assert score_answer("json", '{"items": [{"id": 1}, {"id": 3}]}', '{"items": [{"id": 1}, {"id": 2}]}') == 0.5
    assert score_answer("json", '{"类别": "退款"}', '{"类别": "退款"}') == 1.0
    assert score_answer("json", '{"a":' * 700 + "1" + "}" * 700, '{"a": 1}') == 0.0


def test_short_text_is_scored_by_words() -> None:
    assert score_answer("short", "Five working days.", "five working days") == 1.0
    assert score_answer("short", "in five days", "five working days") == pytest.approx(2 / 3)
    assert score_answer("short", "no idea", "five working days") == 0.0
    assert score_answer("short", "", "five working days") == 0.0


def test_short_chinese_text_is_scored_by_characters() -> None:
    assert score_answer("short", "三个工作日。", "三个工作日") == 1.0
    assert score_answer("short", "五个工作日", "三个工作日") == pytest.approx(4 / 5)


def test_same_words_in_another_order_are_close_and_not_right() -> None:
    score = score_answer("short", "你爱我", "我爱你")
    assert 0.9 < score < 1.0
    assert not is_right("short", score)


def test_chrf_agrees_with_the_sum_done_by_hand() -> None:
    # "ab" against "abc": order 1 P 1, R 2/3; order 2 P 1, R 1/2; no trigram in "ab". Mean P 1, mean R 7/12.
    assert score_answer("long", "ab", "abc") == pytest.approx(5 * (7 / 12) / (4 + 7 / 12))
    # The other way round P and R change places, and recall weighs more.
    assert score_answer("long", "abc", "ab") == pytest.approx(5 * (7 / 12) / (4 * 7 / 12 + 1))


def test_chrf_knows_equal_different_and_empty_texts() -> None:
    assert score_answer("long", PROSE, PROSE) == pytest.approx(1.0)
    assert score_answer("long", "a b c", "ab c") == pytest.approx(1.0)
    assert score_answer("long", "xyz", "abc") == 0.0
    assert score_answer("long", "", "abc") == 0.0
    near = score_answer("long", "您好，我们会在三天之内退款。", "您好，我们会在五天之内退款。")
    far = score_answer("long", "今天天气不错。", "您好，我们会在五天之内退款。")
    assert far < 0.1 < 0.5 < near < 1.0


def test_required_strings_are_counted() -> None:
    required = ["A-1", "14 days", "Kind regards"]
    answer = "Your order a-1 can be returned within 14\ndays. Best wishes"
    assert score_answer("required", answer, "", required) == pytest.approx(2 / 3)
    assert score_answer("required", "订单Ａ-1，十四天内", "", ["A-1", "十四天"]) == 1.0
    assert score_answer("required", "", "", required) == 0.0


@pytest.mark.parametrize("answer", ["It takes 15 days", "It costs 5.50", "1,500 pieces"])
def test_required_number_is_not_found_inside_a_longer_one(answer: str) -> None:
    assert score_answer("required", answer, "", ["5"]) == 0.0
    assert score_answer("required", "It takes 5, or 6 days", "", ["5"]) == 1.0


def test_row_that_requires_nothing_is_scored_against_its_reference() -> None:
    assert score_answer("required", "abc", "abc") == pytest.approx(1.0)
    assert score_answer("required", "xyz", "abc") == 0.0


@pytest.mark.parametrize("scorer", ["choice", "number", "json", "short", "required"])
def test_right_means_all_of_it(scorer: ScorerName) -> None:
    assert is_right(scorer, 1.0)
    assert not is_right(scorer, 0.99)


def test_long_text_counts_as_right_from_a_half() -> None:
    assert is_right("long", 0.5)
    assert not is_right("long", 0.49)


PROGRAM = "def area(radius):\n    # of a circle\n    return 3.14 * radius ** 2"


def test_programs_are_scored_as_code_and_must_parse() -> None:
    references = [PROGRAM, "import os\nprint(os.sep)", "for at in range(3):\n    print(at)"]
    assert choose_scorer(references) == "code"
    assert score_answer("code", f"Here it is:\n```python\n{PROGRAM}  # mine\n```\nDone.", PROGRAM) == 1.0
    near = score_answer("code", PROGRAM.replace("3.14", "3"), PROGRAM)
    assert 0.8 < near < 1
    assert not is_right("code", near)
    for broken in ("def area(radius:\n  return", "", "\x00", "(" * 5000, "Sure! That is easy."):
        assert score_answer("code", broken, PROGRAM) == 0.0


@pytest.mark.parametrize("text", ["yes", "total = 5", "Paris", "42", "a b c", "print the label, then stop"])
def test_what_happens_to_parse_is_no_program(text: str) -> None:
    assert not is_code(text)


REFUSALS = [
    "I'm sorry, but I can't help with that request.",
    "I cannot provide medical advice.",
    "We are not able to discuss other customers' orders.",
    "I’m unable to assist with this.",
    "抱歉，我无法回答这个问题。",
    "对不起，这个请求我不能协助您完成。",
    "很抱歉，我不能帮您做这件事。",
    "抱歉，我无法提供医疗建议。",
]


def test_refusals_are_scored_by_whether_the_answer_refuses_too() -> None:
    assert choose_scorer(REFUSALS) == "refusal"
    for wanted in REFUSALS:
        assert [score_answer("refusal", said, wanted) for said in REFUSALS] == [1.0] * len(REFUSALS)
        assert score_answer("refusal", "Sure: take two tablets a day.", wanted) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "We are sorry to hear about the cracked lid; a new one leaves today.",
        "We cannot deliver before Friday.",
        "I can help you with that.",
        "抱歉让您久等，新的台灯今天寄出。",
        "这款灯不能用于室外。",
        "很抱歉，周五前无法送达，预计周一到货。",
        "抱歉，该商品已拆封，无法退货，您可以换货。",
        "Sorry, we cannot provide refunds after 30 days, but you may exchange it.",
        "We will not create a second invoice.",
    ],
)
def test_bad_news_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_a_row_of_free_text_is_judged_by_the_type_of_its_own_reference() -> None:
    rows = {'{"a": 1}': "json", PROGRAM: "code", REFUSALS[0]: "refusal", "42.50 EUR": "number", "the red one": "short"}
    assert {text: choose_row_scorer("long", text) for text in rows} == rows
    assert choose_row_scorer("long", "The colour of the lamp is red, as it was ordered.") == "long"
    assert choose_row_scorer("short", "135 min") == "short"
    assert choose_row_scorer("short", '{"a": 1}') == "json"
    assert choose_row_scorer("required", '{"a": 1}') == "required"


def test_contains_is_named_and_never_chosen() -> None:
    assert score_answer("contains", "The capital of France is Paris.", "paris") == 1.0
    assert score_answer("contains", "It has 1234 rooms.", "12") == 0.0


@pytest.mark.parametrize(
    ("answer", "text", "holds"),
    [
        ("I do not know.", "no", False), ("No, thanks.", "no", True), ("It is unlikely.", "likely", False),
        ("We give refunds.", "refund", True), ("答案是Rome。", "Rome", True), ("答案是不能。", "不能", True),
        ("C++ code", "C++", True),
    ],
)  # fmt: skip
def test_a_word_is_not_found_at_the_end_of_a_longer_one(answer: str, text: str, holds: bool) -> None:
    assert score_answer("contains", answer, text) == float(holds)


def test_an_order_code_is_no_number_and_an_amount_with_a_currency_is() -> None:
    assert choose_scorer([f"ORD{10023 + at}" for at in range(30)]) == "short"
    assert (
        choose_scorer([f"USD{at}.50" for at in range(30)])
        == choose_scorer([f"EUR {at}" for at in range(30)])
        == "number"
    )


def test_mathematics_is_compared_by_value_where_math_verify_is_installed() -> None:
    references = [r"\boxed{\frac{1}{2}}", r"The answer is $x = \sqrt{8}$", r"$\frac{3}{4}$"]
    if not can_verify():
        assert choose_scorer(references) != "math"
        pytest.skip("math-verify is not installed")
    assert choose_scorer(references) == "math"
    assert score_answer("math", r"So it is $\frac{2}{4}$.", references[0]) == 1.0
    assert score_answer("math", "0.5", references[0]) == 1.0
    assert score_answer("math", r"$2\sqrt{2}$", references[1]) == 1.0
    assert score_answer("math", r"$\frac{1}{3}$", references[0]) == 0.0
    assert score_answer("math", "__import__('os').getcwd()", references[0]) == 0.0
    assert choose_scorer(["It costs $5 today, $6 tomorrow, and nobody knows why it does"]) != "math"
