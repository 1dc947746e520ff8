"""The report: every defect once, errors left out, numbers that add up, both languages."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.data.rows import check_pairs, make_row, read_file, read_text
from tuneproof.data.check import SET_CHECKS, Limits, check_rows
from tuneproof.data.findings import make_finding
from tuneproof.data.jobs import ROW_CHECKS
from tuneproof.data.read import ReadResult
from tuneproof.messages import load_catalogue, use_language
from tuneproof.records import DataReport

SOUND = [
    ("Name three rivers of Europe.", "The Rhine, the Danube and the Loire are three rivers of Europe."),
    ("Write one sentence about tea.", "Tea is drunk all over the world, hot or cold, with or without milk."),
    ("用一句话介绍长城。", "长城是中国古代伟大的防御工程，全长两万多公里。"),
    ("给我一个保持健康的建议。", "每天坚持适量运动，保证充足的睡眠，饮食清淡。"),
]
LONG = "Explain in a few plain sentences how a river shapes the valley through which it has run for thousands of years."
LONG_ZH = "请用几句简单的话解释一条河流在几千年的时间里是怎样一点一点地改变它所流过的山谷的形状的。"
DEFECTS: list[tuple[str, tuple[str, str]]] = [
    ("empty_instruction", ("", "Yes, it is.")),
    ("empty_output", ("Is it?", " ")),
    ("empty_output", ("是吗？", "")),
    ("placeholder_output", ("Which one?", "TODO")),
    ("placeholder_output", ("哪一个？", "待补充")),
    ("refusal_output", ("Who won?", "I'm sorry, but I cannot answer that.")),
    ("refusal_output", ("谁赢了？", "很抱歉，我无法回答这个问题。")),
    ("duplicate", SOUND[0]),
    ("duplicate", SOUND[2]),
    ("contradiction", (SOUND[1][0], "Coffee is what most people of the north drink in the morning.")),
    ("contradiction", (SOUND[3][0], "多吃甜食，少出门，晚点睡觉就可以了。")),
    ("near_duplicate", (f"{LONG} Please.", "It cuts into the rock and carries the sand away.")),
    ("near_duplicate", (f"{LONG_ZH}谢谢。", "河水冲刷岩石，把泥沙带走。")),
    ("truncated_output", ("How is it made?", "First it is washed and dried for a day, and then it is put into the")),
    ("truncated_output", ("怎样做？", "首先把它洗干净并晾干一整天，随后把它放进一个大的玻璃容器里，再加上")),
    ("template_token", ("Greet me.", "Hello there.<|im_end|>")),
    ("leaked_turn", ("Greet her.", "Good morning to you.\nUser: and now greet him.")),
    ("leaked_turn", ("问候她。", "早上好，祝您愉快。\n用户：再问候他。")),
    ("mojibake", ("Order what?", "Two cafÃ© crÃ¨me, please.")),
    ("mojibake", ("要点什么？", "请给我两杯咖啡，谢谢你".encode().decode("gb18030", "ignore"))),
    ("control_characters", ("Who is there?", "It is\x08 only me.")),
    ("script_mismatch", ("今天纽约的天气怎么样？", "It will be sunny and warm for most of the day.")),
    ("url_reference", ("Describe the attached image.", "It shows a red boat on a lake.")),
    ("pii", ("Whose is it?", "It belongs to k.berger@posteo.de, as far as I know.")),
    ("pii", ("是谁的？", "请联系王先生，电话13912345678。")),
    ("wrong_arithmetic", ("How many?", "There are 12 * 12 = 145 of them.")),
    ("wrong_arithmetic", ("一共多少？", "一共是 12 × 12 = 145 个。")),
    ("echo", ("Say how the weather will be tomorrow.", "Say how the weather will be tomorrow.")),
]


def test_each_planted_defect_is_found_on_its_line_and_nothing_else(tmp_path: Path) -> None:
    pairs = [*SOUND, (LONG, "By cutting into the rock."), (LONG_ZH, "河水会切开岩石。"), *(pair for _, pair in DEFECTS)]
    report, rows = check_pairs(tmp_path, *pairs)
    first = len(pairs) - len(DEFECTS) + 1
    found = {(finding.kind, finding.line) for finding in report.findings if finding.kind != "too_few_rows"}
    planted = {(kind, line) for line, (kind, _) in enumerate(DEFECTS, first)}
    assert planted <= found
    # A contradiction asks the same question again, which is a near-duplicate too.
    assert {kind for kind, _ in found - planted} <= {"near_duplicate"}
    assert report.usable == len(rows) == len(pairs) - 5
    assert report.counts == Counter(finding.kind for finding in report.findings)


def test_what_is_told_can_be_told_again_in_the_other_language(tmp_path: Path) -> None:
    report, _ = check_pairs(tmp_path, *SOUND, *(pair for _, pair in DEFECTS))
    loaded = DataReport.model_validate_json(report.model_dump_json())
    use_language("zh")
    again, _ = check_rows(read_file(tmp_path / "rows.jsonl"))
    for finding, chinese in zip(loaded.findings, again.findings, strict=True):
        assert finding.told("zh") == (chinese.message, chinese.fix)
        assert finding.told("en") == (finding.message, finding.fix)
        assert re.search("[\u4e00-\u9fff]", chinese.message)


def test_every_sentence_about_a_finding_has_a_fix() -> None:
    keys = [key for key in load_catalogue() if key.startswith("finding.")]
    for key in keys:
        kind = ".".join(key.split(".")[:2])
        assert key.endswith(".fix") or {f"{key}.fix", f"{kind}.fix"} & set(keys), key


def test_unreadable_and_left_out_rows_are_counted(tmp_path: Path) -> None:
    text = '{"question": "q1", "answer": "a1"}\n{"question": \n{"question": "q1", "answer": "a1"}\n'
    report, rows = check_rows(read_text(tmp_path, text))
    assert (report.rows, report.usable, len(rows)) == (3, 1, 1)
    assert [(finding.kind, finding.line) for finding in report.findings if finding.severity == "error"] == [
        ("bad_json", 2),
        ("duplicate", 3),
    ]


def test_a_broken_line_of_an_array_costs_no_other_record(tmp_path: Path) -> None:
    records = ",\n".join(json.dumps({"question": f"q{n}", "answer": f"a{n}"}) for n in range(5))
    text = "[\n" + records.replace('"q1",', '"q1"') + "\n]"
    _, rows = check_rows(read_text(tmp_path, text, "rows.json"))
    assert [row.reference for row in rows] == ["a0", "a2", "a3", "a4"]


def test_rows_above_the_token_limit_are_named() -> None:
    read = ReadResult(rows=[make_row(f"q{n}", f"a{n}", n) for n in range(1, 5)], total=4, files=["rows.jsonl"])
    report, rows = check_rows(read, Limits(max_tokens=256, sizes=[(10, 5), (300, 200), (20, 4), (30, 7)]))
    (found,) = (finding for finding in report.findings if finding.kind == "over_length")
    assert (found.line, found.values) == (2, {"tokens": 300, "limit": 256})
    assert (report.tokens.p50, report.tokens.p95, report.tokens.max) == (30, 30, 300)
    assert report.tokens.supervised_share == 216 / 360
    assert len(rows) == 4


def test_the_picture_adds_up(tmp_path: Path) -> None:
    report, rows = check_pairs(tmp_path, *SOUND)
    assert report.languages == {"en": 2, "zh": 2}
    assert report.tasks == {"rows": 4}
    assert sum(report.lengths) == len(rows)
    assert len(report.length_edges) == len(report.lengths) + 1
    assert report.length_edges == sorted(report.length_edges)
    assert report.tokens.p50 is None


def test_the_order_of_rows_does_not_change_what_is_found(tmp_path: Path) -> None:
    pairs = [*SOUND, *(pair for kind, pair in DEFECTS if kind not in ("contradiction", "near_duplicate"))]
    before, _ = check_pairs(tmp_path, *pairs)
    random.Random(1).shuffle(pairs)
    after, _ = check_pairs(tmp_path, *pairs)
    assert before.counts == after.counts


@pytest.mark.parametrize("check", [*ROW_CHECKS, *SET_CHECKS], ids=lambda check: check.__name__)
def test_a_check_says_what_it_looks_for(check: object) -> None:
    assert check.__doc__


def test_a_finding_keeps_what_cannot_be_shown_readable() -> None:
    finding = make_finding("echo", "warning", ("a\udcff.jsonl", 1), {"text": "\ud800"})
    assert (finding.file, finding.values["text"]) == ("a\\udcff.jsonl", "\\ud800")
