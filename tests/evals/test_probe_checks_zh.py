"""The checks of Chinese answers, case by case: what is right, and what only looks so."""

from __future__ import annotations

import pytest

from tuneproof.evals.probes.checks_zh import CHECKS_ZH
from tuneproof.evals.probes.text_zh import count_signs, fold_signs, read_number, read_opening


@pytest.mark.parametrize(
    ("check", "accept", "answer", "right"),
    [
        ("zh_word", ("北京",), "中国的首都是**北京**。", True),
        ("zh_word", ("北京",), "中国的首都是哪里？北京。", True),
        ("zh_word", ("北京",), "是上海。北京更大。", False),
        ("zh_word", ("北京",), "北京或上海", False),
        ("zh_word", ("北京",), "上海，广州，北京，深圳", False),
        ("zh_word", ("北京",), "1. 上海\n2. 北京", False),
        ("zh_word", ("北京",), "并不是北京", False),
        ("zh_word", ("北京", "!上海"), "是北京，不是上海。", True),
        ("zh_word", ("北京", "!上海"), "上海比北京大。", False),
        ("zh_word", ("高兴", "快乐"), "“高兴”或“快乐”。", True),
        ("zh_word", ("李白",), "李白，字太白，号青莲居士。", True),
        ("zh_word", ("尼罗河",), "非洲最长的河流是尼罗河。", True),
        ("zh_word", ("小",), "小", True),
        ("zh_word", ("小",), "“大”的反义词是小。", True),
        ("zh_word", ("小",), "小学", False),
        ("zh_word", ("三月",), "十三月", False),
        ("zh_word", ("3月",), "13月", False),
        ("zh_word", ("1月1日",), "每年的 1 月 1 日", True),
        ("zh_word", ("1月1日",), "11月1日", False),
        ("zh_word", ("def",), "用def定义", True),
        ("zh_word", ("def",), "用defun定义", False),
        ("zh_word", ("东京",), "東京", True),
        ("zh_first_of", ("大象", "!老鼠"), "大象比老鼠大。", True),
        ("zh_first_of", ("大象", "!老鼠"), "老鼠比大象大。", False),
        ("zh_first_of", ("大象", "!老鼠"), "在老鼠和大象之间，大象更大。", True),
        ("zh_first_of", ("大象", "!老鼠"), "大象和老鼠一样大。", False),
        ("zh_first_of", ("大象", "!老鼠"), "不是老鼠，是大象。", True),
        ("zh_yes_no", ("是", "会", "能"), "会。", True),
        ("zh_yes_no", ("是", "会", "能"), "是的，鱼会游泳，但不会飞。", True),
        ("zh_yes_no", ("是", "会", "能"), "不会。", False),
        ("zh_yes_no", ("是", "会", "能"), "是的，鱼不会游泳。", False),
        ("zh_yes_no", ("否", "会", "能"), "不，石头不能走路。", True),
        ("zh_yes_no", ("否", "会", "能"), "石头无法走路。", True),
        ("zh_yes_no", ("否", "会", "能"), "不可能会。", True),
        ("zh_yes_no", ("否", "会", "能"), "可能会。", False),
        ("zh_yes_no", ("否", "会", "能"), "石头很硬。", False),
        ("zh_number", ("3",), "三", True),
        ("zh_number", ("3",), "３。", True),
        ("zh_number", ("3",), "13", False),
        ("zh_number", ("3",), "十三", False),
        ("zh_number", ("3",), "3或4", False),
        ("zh_number", ("3",), "4或3", False),
        ("zh_number", ("3",), "1、2、3", False),
        ("zh_number", ("3",), "1 2 3", False),
        ("zh_number", ("3",), "不是3", False),
        ("zh_number", ("8",), "3加5等于8，是一个偶数。", True),
        ("zh_number", ("8",), "3 + 5 =\n8", False),
        ("zh_number", ("8",), "计算过程如下：\n3 + 5 = 8", True),
        ("zh_number", ("12",), "12条，因为每只兔子有4条腿。", True),
        ("zh_number", ("12",), "因为每只兔子有4条腿，所以是12条。", True),
        ("zh_number", ("-2",), "3-5=-2", True),
        ("zh_number", ("1200",), "1,200", True),
        ("zh_number", ("205",), "两百零五", True),
        ("zh_count", ("8", "条"), "蜘蛛有八条腿，昆虫有六条腿。", True),
        ("zh_count", ("8", "条"), "昆虫有六条腿，蜘蛛有八条腿。", False),
        ("zh_count", ("8", "条"), "8", True),
        ("zh_count", ("8", "条"), "18条", False),
        ("zh_count", ("8", "条"), "6条、8条", False),
        ("zh_count", ("8", "条"), "8条或10条", False),
        ("zh_count", ("24", "小时"), "一天有24小时。", True),
        ("zh_count", ("24", "小时"), "24小时是一天。", True),
        ("zh_count", ("1000", "米"), "1千米等于100米", False),
        ("zh_count", ("1000", "米", "m"), "1000mm", False),
        ("zh_count", ("1000", "米", "m"), "1000毫米", False),
        ("zh_count", ("1000", "米", "m"), "1公里等于1000。", True),
        ("zh_exact", ("晚安",), "“晚安。”", True),
        ("zh_exact", ("晚安",), "晚安，好梦", False),
        ("zh_exact", ("《活着》",), "活着", False),
        ("zh_exact", ("（备注）",), "(备注)", True),
        ("zh_exact", ("九",), "9", False),
        ("zh_exact", ("CAT",), "cat", False),
        ("zh_list", ("2", "、", "苹果", "梨"), "苹果、梨。", True),
        ("zh_list", ("2", "、", "苹果", "梨"), "苹果，梨", False),
        ("zh_list", ("2", "、", "苹果", "梨"), "苹果、苹果", False),
        ("zh_list", ("2", "、", "苹果", "梨"), "苹果、狗", False),
        ("zh_list", ("2", "，", "苹果", "梨"), "苹果, 梨", True),
        ("zh_item_lines", ("2", "1.", "茶", "水"), "好的：\n1. 茶\n2. 水：解渴", True),
        ("zh_item_lines", ("2", "1.", "茶", "水"), "1、茶\n2、水", True),
        ("zh_item_lines", ("2", "1.", "茶", "水"), "1. 茶\n2. 茶", False),
        ("zh_item_lines", ("2", "1.", "茶", "水"), "1. 茶\n2. 水\n3. 酒", False),
        ("zh_item_lines", ("2", "-", "茶", "水"), "- 茶\n- 水", True),
        ("zh_item_lines", ("2", "-", "茶", "水"), "茶\n水", False),
        ("zh_item_lines", ("2", "", "茶", "水"), "茶\n水", True),
        ("zh_item_lines", ("2", "", "茶", "水"), "饮料：\n茶\n水", False),
        ("zh_starts", ("从前",), "从前有座山", True),
        ("zh_starts", ("从前",), "从前。", False),
        ("zh_starts", ("从前",), "很久从前有座山", False),
        ("zh_ends", ("再见",), "明天再见！", True),
        ("zh_ends", ("再见",), "再见，明天", False),
        ("zh_ends", ("再见",), "再见", False),
        ("zh_sentence", ("书包", "桌子"), "书包在桌子上。", True),
        ("zh_sentence", ("书包", "桌子"), "书包在桌子上", False),
        ("zh_sentence", ("书包", "桌子"), "书包很重。桌子很大。", False),
        ("zh_sentence", ("书包", "桌子"), "“书包”和“桌子”。", False),
        ("zh_sentence", ("猫|猫咪", "!狗"), "猫咪怕狗。", False),
        ("zh_sentence", ("？", "雨"), "明天会下雨吗？", True),
        ("zh_sentence", ("？", "雨"), "明天会下雨。", False),
        ("zh_length", ("4", "4", "一"), "一心一意。", True),
        ("zh_length", ("4", "4", "一"), "一心一意啊", False),
        ("zh_length", ("4", "4", "一"), "三心二意", False),
    ],
)
def test_check_separates_right_from_wrong(check: str, accept: tuple[str, ...], answer: str, right: bool) -> None:
    assert CHECKS_ZH[check](answer, accept) is right


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10),
        ("十五", 15),
        ("一百零五", 105),
        ("两千三百", 2300),
        ("一万二千", 12_000),
        ("二〇二四", 2024),
        ("三点五", 3.5),
        ("一亿", 100_000_000),
        ("1,000", 1000),
        ("-4", -4),
        (fold_signs("۳۹"), 39),
        (fold_signs("３"), 3),
    ],
)
def test_numerals_have_their_value(text: str, value: float) -> None:
    assert read_number(text) == value


def test_width_quotes_and_traditional_signs_are_folded() -> None:
    assert fold_signs("「ＡＢＣ」，*龍*") == '"abc",龙'
    assert count_signs("我有2只cat。") == 5


def test_opening_passes_over_courtesies_headings_and_questions() -> None:
    assert read_opening("好的！\n首都是哪里？\n答案：\n北京。上海。") == "北京。"
    assert read_opening("是哪里？") == ""
