"""The readers' pages: the same in both languages, no command, option or key that is not there, nothing out of date."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
from itertools import pairwise
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml

from tests.source import ROOT
from tuneproof.cli import _list_commands
from tuneproof.config.load import list_keys

DOCS = ROOT / "docs"
CHINESE = ".zh-CN.md"
NAMES = (
    "install models howto faq peers commands index troubleshooting export ui plan evidence reliability scale speed "
    "scope contract design stories/first-lora"
)
TWINS = [ROOT / "README.md", *(DOCS / f"{name}.md" for name in NAMES.split())]
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("stories/*.md")])


def twin_of(page: Path) -> Path:
    return page.with_name(page.name.removesuffix(".md") + CHINESE)


def read(page: Path) -> str:
    """The page without what was printed by a run, which is in the page's language."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"(<!-- demo -->).*?(<!-- /demo -->)", r"\1\2", text, flags=re.DOTALL)


def list_blocks(text: str) -> list[str]:
    """Code blocks, without their comments, and without the hub that a page's readers reach best."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text.replace(" --hub modelscope", ""), re.DOTALL | re.MULTILINE)
    return [re.sub(r"(^|\s+)#.*$", "", block, flags=re.MULTILINE).strip() for block in blocks]


def list_tables(text: str) -> list[tuple[int, int]]:
    """Rows and columns of each table."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [(table.count("\n"), len(re.findall(r"(?<!\\)\|", table.splitlines()[0]))) for table in tables]


def list_links(text: str) -> list[str]:
    """Targets of links and pictures, by their place in the page; those of the other language count as one with ours."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    # Anchors are in the page's own language; another test sees that they are there.
    plain = [
        re.sub(r"(\.md)#.*", r"\1", target).replace(".zh-CN", "").replace("-zh.", ".").replace("/zh-cn/", "/")
        for target in targets
    ]
    return sorted(plain)


@pytest.mark.parametrize("page", TWINS, ids=lambda page: page.stem)
def test_a_page_is_the_same_in_both_languages(page: Path) -> None:
    english, chinese = read(page), read(twin_of(page))
    levels = [
        re.findall(r"^(#+) ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M) for text in (english, chinese)
    ]
    assert levels[0] == levels[1]
    assert list_blocks(english) == list_blocks(chinese)
    assert list_tables(english) == list_tables(chinese)
    assert list_links(english) == list_links(chinese)
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 0.1 * len(chinese) or page.name in (
        "README.md",
        "commands.md",
    )


def list_names(page: Path) -> list[set[str]]:
    """What is written as code, and numbers, of each row of a table and of each section."""
    text = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
    return [set(re.findall(r"`[^`]+`|\d+", piece)) for piece in re.split(r"^(?=[#|])", text, flags=re.MULTILINE)]


@pytest.mark.parametrize("name", ["contract", "design"])
def test_a_row_names_the_same_things_in_both_languages(name: str) -> None:
    page = DOCS / f"{name}.md"
    assert list_names(page) == list_names(twin_of(page))


def list_lines() -> list[tuple[str, str]]:
    """(page, line) of each tuneproof command in a code block."""
    found = []
    for page in PAGES:
        for block in list_blocks(read(page)):
            lines = [line.strip().removeprefix("$ ") for line in block.splitlines()]
            found += [(page.name, line) for line in lines if line.startswith("tuneproof ")]
    return found


def list_flags() -> dict[str, set[str]]:
    """Command -> its flags."""
    flags: dict[str, set[str]] = {}
    for command in _list_commands():
        hints = get_type_hints(command.options, include_extras=True)
        declared = [part for kind in hints.values() for part in get_args(kind)[1:]]
        names = {
            name for option in declared for name in (option.default, *(getattr(option, "param_decls", None) or ()))
        }
        flags[command.name] = {name for name in names if isinstance(name, str)} | {"--help"}
    return flags


def test_the_pages_hold_many_commands() -> None:
    assert len(list_lines()) > 60


@pytest.mark.parametrize(("page", "line"), list_lines())
def test_a_command_of_a_page_exists_with_its_options_and_keys(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s[|>]{1,2}\s?|\s#\s", line)[0])
    flags = list_flags()
    name = next((name for name in (" ".join(words[1:3]), words[1]) if name in flags), None)
    assert name is not None, line
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= flags[name], line
    keys = {after.partition("=")[0] for flag, after in pairwise(words) if flag == "--set"}
    assert keys <= set(list_keys()), line


@pytest.mark.parametrize("ending", [".md", CHINESE], ids=["en", "zh"])
def test_the_contract_says_which_commands_take_an_option(ending: str) -> None:
    page = read(DOCS / f"contract{ending}")
    told: dict[str, set[str]] = {}
    for options, commands in re.findall(r"^\| (`--[^|]*) \| ([^|]*) \|", page, re.M):
        for option in re.findall(r"--[a-z-]+", options):
            told.setdefault(option, set()).update(re.split(", |、", commands))
    everywhere = {"--help", "--json", "--lang", "--debug"}
    taken: dict[str, set[str]] = {}
    for command, flags in list_flags().items():
        for flag in flags - everywhere:
            taken.setdefault(flag, set()).add(command)
    assert told == taken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_their_anchors_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|mailto:|\.\./blob)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        place, _, anchor = target.partition("#")
        file = (page.parent / place) if place else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target


def test_pages_made_from_the_code_are_up_to_date() -> None:
    """`scripts/docs` writes them."""
    made = runpy.run_path(str(ROOT / "scripts" / "docs"))["make_pages"]()
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []


def test_every_number_of_the_story_was_filled_by_a_run() -> None:
    for ending in (".md", CHINESE):
        text = (DOCS / "stories" / f"first-lora{ending}").read_text(encoding="utf-8")
        assert "{{" not in text
        template = (DOCS / "parts" / f"first-lora{ending}").read_text(encoding="utf-8")
        assert len(set(re.findall(r"\{\{\w+\}\}", template))) > 40
        shape = re.sub(r"\{\{\w+\}\}", "@", template)
        parts = [re.escape(part) for part in shape.split("@")]
        assert re.fullmatch(r"(?s:.*?)".join(parts), text), "scripts/story writes it"


def test_the_site_lists_every_page_once() -> None:
    text = re.sub(
        r"!!python/\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    )  # A function: how anchors are made.
    site = yaml.safe_load(text)

    def walk(nav: object) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        inner = nav.values() if isinstance(nav, dict) else nav
        return [page for one in inner for page in walk(one)]  # type: ignore[attr-defined]

    listed = walk(site["nav"])
    there = [page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS)]
    assert sorted(listed) == sorted(there)


def test_citation_and_package_name_one_version() -> None:
    text = (ROOT / "src" / "tuneproof" / "__init__.py").read_text(encoding="utf-8")
    version = next(
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "__version__"
        and isinstance(node.value, ast.Constant)
    )
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == version


def test_workflows_call_scripts_that_are_there() -> None:
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        steps = [step for job in yaml.safe_load(file.read_text("utf-8"))["jobs"].values() for step in job["steps"]]
        called = re.findall(r"(?:scripts|\.ci)/\w+", " ".join(step.get("run", "") for step in steps))
        assert [name for name in called if not (ROOT / name).exists()] == []
    forms = [yaml.safe_load(file.read_text("utf-8")) for file in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")]
    asked = [str(form) for form in forms if "body" in form]
    assert len(asked) == 2
    assert all("tuneproof doctor --json" in form for form in asked)
