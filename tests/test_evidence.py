"""The evidence that defaults rest on: every rule named in the code is on the page, and both languages say the same.

Also here: comments and pages name only pages of this project, so that it can be read without anything beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.source import ROOT, SOURCE
from tuneproof.config import RunConfig
from tuneproof.plan.recipe import SMALL_HIDDEN, SMALL_REPLAY, USUAL_REPLAY

ENGLISH = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "docs" / "evidence.zh-CN.md").read_text(encoding="utf-8")
RULES = range(1, 26)

TEXTS = {".css", ".jinja", ".js", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
# Pages of notes that are not in the project; `reliability.md` and `peers.md` are pages of its own as well.
FOREIGN = re.compile(r"\bshared/|\b(?:science|memory|performance|ecosystem|style)\.md\b")
BARE = re.compile(r"(?<!docs/)\b(?:contract|design)\.md\b")
PAGE = re.compile(r"\bdocs/[\w.-]+\.md\b")
FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def list_texts(*folders: str) -> list[Path]:
    """Every text file below the folders, this one left out: it must write down what the others may not."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    wanted = [path for path in paths if path.suffix in TEXTS or path.parent == ROOT / "scripts"]
    return [path for path in wanted if path != Path(__file__)]


def read_joined(path: Path) -> str:
    """A file's text in one line, so that a reference broken over two lines is found."""
    return re.sub(r"\s*\n\s*(?:# )?", " ", path.read_text(encoding="utf-8"))


def read_rules(page: str) -> dict[int, str]:
    """Number -> text of the numbered rules of a page."""
    items = re.split(r"^(?=\d+\. \*\*)", re.sub(r"^#.*$", "", page, flags=re.MULTILINE), flags=re.MULTILINE)[1:]
    return {int(item.split(".")[0]): item.split("\n\n")[0] for item in items}


def read_sections(page: str) -> list[tuple[str, str]]:
    """(marks of the heading, text below it) of each section, in order."""
    pieces = re.split(r"^(#+) .*$", page, flags=re.MULTILINE)[1:]
    return list(zip(pieces[::2], pieces[1::2], strict=True))


def read_marks(rule: str) -> str:
    """The words of a rule in italics, which say how strong it is; those in bold are not among them."""
    return " ".join(re.findall(r"\*([^*]+)\*", re.sub(r"\*\*.*?\*\*", "", rule, flags=re.DOTALL))).lower()


def list_headings(page: str) -> list[str]:
    """The words of every heading."""
    return re.findall(r"^#+ (.*)$", page, flags=re.MULTILINE)


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_page_has_all_rules_in_order(page: str) -> None:
    assert list(read_rules(page)) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_gives_the_same_figures_and_marks_in_both_languages(rule: int) -> None:
    english, chinese = read_rules(ENGLISH)[rule], read_rules(CHINESE)[rule]
    assert set(FIGURE.findall(english)) == set(FIGURE.findall(chinese))
    for mark, twin in (("published", "已发表"), ("measured", "实测"), ("inference", "推断"), ("second hand", "转引")):
        assert (mark in read_marks(english)) == (twin in read_marks(chinese))
    assert re.search("published|measured|inference", read_marks(english))
    assert ("**Here**" in english) == ("**本项目**" in chinese)


def test_both_languages_have_the_same_sections_and_figures() -> None:
    english, chinese = read_sections(ENGLISH), read_sections(CHINESE)
    assert [marks for marks, _ in english] == [marks for marks, _ in chinese]
    for (_, text), (_, twin) in zip(english, chinese, strict=True):
        assert set(FIGURE.findall(text)) == set(FIGURE.findall(twin)), text[:80]
        assert text.count("\n|") == twin.count("\n|")
        assert set(re.findall(r"`[^`]+`", text)) == set(re.findall(r"`[^`]+`", twin))


def test_every_rule_that_the_code_names_is_on_the_page() -> None:
    named: dict[int, Path] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for mention in re.findall(r"\b[Rr]ules? (\d+(?:(?:,| and| to) \d+)*)", read_joined(path)):
            named |= {int(number): path for number in FIGURE.findall(mention)}
    assert len(named) >= 10
    assert {rule: path for rule, path in named.items() if rule not in RULES} == {}


def test_what_a_rule_says_of_the_project_is_its_default() -> None:
    config, rules = RunConfig(), read_rules(ENGLISH)
    scales = config.evaluate.scales
    defaults = {
        5: f"dropout {config.lora.dropout:g}",
        10: f"{100 * USUAL_REPLAY:g} %; {100 * SMALL_REPLAY:g} % below a hidden size of {SMALL_HIDDEN:,}",
        14: ", ".join(map("{:g}".format, scales[:-1])) + f" and {scales[-1]:g}",
        16: f"{config.split.near_duplicate:g}",
        20: f"{config.evaluate.checkpoints} checkpoints",
    }
    here = {rule: " ".join(rules[rule].partition("**Here**")[2].split()) for rule in defaults}
    assert {rule: words for rule, words in defaults.items() if words not in here[rule]} == {}


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_every_file_that_the_page_names_exists(page: str) -> None:
    named = re.findall(r"`((?:tests|scripts|plan)/[\w/.]+)`", page)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file() and not (SOURCE / name).is_file()] == []


def test_texts_name_only_pages_and_sections_that_are_here() -> None:
    wrong = []
    for path in list_texts("src", "tests", "docs", "scripts"):
        text = read_joined(path)
        wrong += [f"{path.relative_to(ROOT)}: {found.group()}" for found in FOREIGN.finditer(text)]
        wrong += [f"{path.relative_to(ROOT)}: {page}" for page in PAGE.findall(text) if not (ROOT / page).is_file()]
        if path.parent != ROOT / "docs":
            wrong += [f"{path.relative_to(ROOT)}: {found.group()}" for found in BARE.finditer(text)]
        sections = re.findall(r"docs/evidence\.md, `([^`]+)`", text)
        wrong += [f"{path.relative_to(ROOT)}: {name}" for name in sections if name not in list_headings(ENGLISH)]
    assert wrong == []
