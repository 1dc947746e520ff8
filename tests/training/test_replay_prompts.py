"""The general prompts of replay: many, different, mixed in kind, and none that asks what a retention probe asks.

Trained on a probe, the gate would count what was rehearsed, not what was kept. Both languages' prompts are held against
both languages' probes, since a sum or a fact is the same in either.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest

from tuneproof.evals.probes import Probe, load_probes
from tuneproof.training.replay import load_prompts

LANGUAGES = ("en", "zh")
LEAST = 480
PROBES = [probe for language in LANGUAGES for probe in load_probes(language)]
PROMPTS = {language: load_prompts(language) for language in LANGUAGES}
BOTH = PROMPTS["en"] + PROMPTS["zh"]

NAMED_ALONE = {"contains_word", "only_choice", "first_of", "zh_word", "zh_first_of"}
"""Checks whose accepted texts are names or words, not numbers and not formats."""
FACT_FAMILIES = {"facts", "calendar", "units", "science", "places"}
VAGUE = set(
    "a an and answer are as by called do does first for from get have how in into is it known many of on one our q the"
    " there this to turn we what when which who you".split()
)
VAGUE |= set("的是什么哪一个有多少几在里了吗呢请问说写叫怎和中用到上下把给为这那谁种位座只名字会能要可以被等于共最人大")
"""Words and signs of a question that say nothing of what it asks about."""
KINDS = {
    "a sum": r"\d+ ?[-+*/x×÷=]|plus|times|minus|divided|加|减|乘|除以|之几|小数|整数",
    "a word problem": r"How m(any|uch) .*\?.*|多少(元|米|分钟|岁)?？|几(个|颗|条|人)",
    "a time": r"\d ?[ap]m|o'clock|noon|\d:\d\d|[点几]点|节气|几月|周[一二三四五六日]",
    "a language": r"Spanish|French|German|English|英[文语]|日语|法语",
    "a word": r"[Oo]pposite|[Pp]lural|[Rr]hyme|[Ss]ynonym|反义词|近义词|成语|歇后语",
    "code": r"Python|SQL|HTML|JavaScript|Git|Linux|Excel",
    "a format": r"JSON|Markdown|CSV|YAML|[Nn]umber only|[Oo]nly a number|capital letters|只写数字|只答|一个词|加粗",
    "yes or no": r"[Yy]es or no|[Tt]rue or|[Rr]ight or wrong|对不对|是或不是|对吗|真还是假|判断对错|能或不能",
    "a text to judge": r"[Ss]pam|[Pp]ositive|[Ff]ormal|opinion|情绪|短信|差评|还是",
    "a text to read": r"\. (Who|Which|What|When|Where|Why)\b|“.+”.*？|。.+[谁什么几哪].*？$",
    "a list": r"[A-Za-z]+, [a-z]+, [a-z]+|[一-鿿]、[一-鿿]+、",
    "advice": r"[Hh]ow (can|do) I|should I|怎么办|怎么缓解|给.*建议|注意什么",
    "a thing to invent": r"[Ww]rite a|[Ii]nvent|slogan|[Ss]tory|起个名|写一句|宣传语|故事",
    "something polite": r"\b(Hi|Hello|Thank|Nice|I'm bored|Bye)|你好|在吗|谢谢|回头聊",
}


def pieces(text: str) -> list[str]:
    """Words and numbers of `text` in lower case, Chinese sign by sign; half width."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", plain)


def n_grams(items: list[str], order: int) -> set[tuple[str, ...]]:
    """The runs of `order` pieces, and the whole where it is shorter."""
    return {tuple(items[at : at + order]) for at in range(max(1, len(items) - order + 1))}


def is_inside(few: list[str], many: list[str]) -> bool:
    """Whether `few` stands in `many` as one run."""
    return any(many[at : at + len(few)] == few for at in range(len(many) - len(few) + 1))


def find_operands(text: str) -> tuple[str, ...]:
    """The numbers of a sum, in any order; none where there are fewer than two."""
    found = re.findall(r"\d+(?:\.\d+)?", unicodedata.normalize("NFKC", text))
    return tuple(sorted(found)) if len(found) > 1 else ()


def blank(text: str) -> str:
    """`text` without its numbers, its names and what it quotes."""
    text = re.sub(r"\"[^\"]+\"|“[^”]+”|《[^》]+》", '"', text)
    text = re.sub(r"\d+(?:\.\d+)?|[一二三四五六七八九十百千万两]+", "0", text)
    return re.sub(r"(?<=[a-z,:] )[A-Z]\w+", "N", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_prompts_and_no_two_are_the_same(language: str) -> None:
    prompts = PROMPTS[language]
    assert len(prompts) >= LEAST
    again = [prompt for prompt, times in Counter("".join(pieces(prompt)) for prompt in prompts).items() if times > 1]
    assert again == []
    assert [prompt for prompt in prompts if prompt != prompt.strip()] == []


def test_both_languages_have_equally_many_prompts() -> None:
    """A Chinese run takes them in pairs and would drop the rest of the longer list."""
    assert len(PROMPTS["en"]) == len(PROMPTS["zh"])


def test_chinese_prompts_are_chinese_and_english_ones_are_not() -> None:
    assert [prompt for prompt in PROMPTS["zh"] if not re.search(r"[\u4e00-\u9fff]{2}", prompt)] == []
    assert [prompt for prompt in PROMPTS["en"] if re.search(r"[\u4e00-\u9fff]", prompt)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_more_than_two_prompts_differ_in_a_number_or_a_name_only(language: str) -> None:
    assert [text for text, times in Counter(map(blank, PROMPTS[language])).items() if times > 2] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_80_prompts_show_every_kind(language: str) -> None:
    first = PROMPTS[language][:80]
    assert [kind for kind, marks in KINDS.items() if not any(re.search(marks, prompt) for prompt in first)] == []


def test_no_prompt_is_a_probe_or_holds_one() -> None:
    asked = [(probe.id, pieces(probe.prompt)) for probe in PROBES]
    for prompt in BOTH:
        mine = pieces(prompt)
        assert [name for name, theirs in asked if is_inside(theirs, mine)] == [], prompt
        if len(mine) > 3:
            assert [name for name, theirs in asked if is_inside(mine, theirs)] == [], prompt


def test_no_prompt_shares_its_wording_with_a_probe() -> None:
    """Runs of five: in common; runs of three: how much of the probe the prompt says again."""
    probes = [(probe.id, n_grams(pieces(probe.prompt), 5), n_grams(pieces(probe.prompt), 3)) for probe in PROBES]
    for prompt in BOTH:
        long, short = n_grams(pieces(prompt), 5), n_grams(pieces(prompt), 3)
        for name, theirs, parts in probes:
            assert len(long & theirs) < 0.3 * len(long | theirs), f"{prompt!r} overlaps {name}"
            assert len(short & parts) < 0.5 * len(parts), f"{prompt!r} says {name} again"


def test_no_english_prompt_opens_with_the_pattern_of_a_probe() -> None:
    openings = {tuple(pieces(probe.prompt)[:4]) for probe in PROBES if probe.language == "en"}
    assert [prompt for prompt in PROMPTS["en"] if tuple(pieces(prompt)[:4]) in openings] == []


def test_no_prompt_calculates_with_the_numbers_of_a_probe() -> None:
    sums = {find_operands(probe.prompt) for probe in PROBES if probe.family == "arithmetic"} - {()}
    assert [prompt for prompt in BOTH if find_operands(prompt) in sums] == []


def is_fact(probe: Probe) -> bool:
    return probe.family in FACT_FAMILIES and probe.language == "en"


def test_no_prompt_has_the_subject_of_a_fact() -> None:
    """In Chinese by single signs, so that the same fact in other words is found."""
    for probe in PROBES:
        if is_fact(probe) or probe.family == "facts":
            subject = set(pieces(probe.prompt)) - VAGUE
            near = [text for text in PROMPTS[probe.language] if len(subject & set(pieces(text))) >= 0.6 * len(subject)]
            assert near == [], probe.id


def test_no_prompt_holds_a_sentence_that_a_probe_gives_to_read() -> None:
    prompts = [(prompt, pieces(prompt)) for prompt in BOTH]
    for probe in PROBES:
        if probe.family == "reading":
            parts = [pieces(part) for part in re.split(r"[.?:\n。？，；：“”\"]", probe.prompt)]
            for part in (part for part in parts if len(part) >= 5):
                assert [prompt for prompt, mine in prompts if is_inside(part, mine)] == [], probe.id


def test_no_prompt_names_the_answer_to_a_fact() -> None:
    """In Chinese the family of facts alone: the words of its calendar and units stand in every other sentence."""
    prompts = [(prompt, pieces(prompt)) for prompt in BOTH]
    for probe in PROBES:
        if probe.check not in NAMED_ALONE or not (is_fact(probe) or probe.family == "facts"):
            continue
        # Behind the first of two choices stands the wrong one.
        right = probe.accept[:1] if probe.check in ("only_choice", "first_of") else probe.accept
        for answer in (pieces(word) for word in right if len(word) > 1 and not word.startswith("!")):
            if not probe.accept[0].isdigit() and len("".join(answer)) > (2 if probe.language == "en" else 1):
                assert [prompt for prompt, mine in prompts if is_inside(answer, mine)] == [], probe.id
