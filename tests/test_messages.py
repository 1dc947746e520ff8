"""Every sentence exists in both languages, says the same in both, is used, and gets the values it needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter
from typing import NamedTuple

import jinja2
import pytest

from tests.source import SOURCE, Module, read_modules
from tuneproof import errors
from tuneproof.config import RunConfig
from tuneproof.config.load import list_keys
from tuneproof.messages import guess_language, load_catalogue, tell, use_language
from tuneproof.messages.knobs import CHINESE, REASONS, SECTIONS

CATALOGUE = load_catalogue()
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
CODE = [module for module in read_modules() if module.room != "messages"]
TEMPLATES = sorted(SOURCE.rglob("*.jinja"))

# Keys put together when they are used, by what stands before the name; every other key stands whole in the code.
FAMILIES = (
    "bases.column.",
    "bases.fit.",
    "blame.column.",
    "chat.command.",
    "chat.does.",
    "chat.ending.",
    "finding_kind.",
    "probes.why.",
    "report.headline.opinion_",
    "report.line.",
    "clean.",
    "cli.check.",
    "cli.doctor.",
    "cli.eval.",
    "cli.fact.",
    "cli.help.",
    "cli.near_",
    "cli.no_",
    "cli.plan.card.",
    "cli.severity.",
    "cli.suite.",
    "data.hub_",
    "compare.column.",
    "compare.left_out.",
    "compare.retention.",
    "compare.test.",
    "config.why.",
    "cure.look.",
    "cure.name.",
    "cure.none.",
    "export.card.column.",
    "export.check.",
    "export.column.",
    "export.vllm.",
    "finding.",
    "report.arm.",
    "report.bar.",
    "report.choice.",
    "report.column.",
    "report.compared.",
    "report.control.",
    "report.control_meaning.",
    "report.counts_by.",
    "report.decision.",
    "report.family.",
    "report.fingerprint_of.",
    "report.grade.",
    "report.lever.",
    "report.meaning.",
    "report.measure.",
    "report.method.",
    "report.missing.",
    "report.outcome.",
    "report.outcome_sign.",
    "report.part.",
    "report.phase.",
    "report.ran_out.",
    "report.same_as.",
    "report.setting.",
    "report.scorer.",
    "report.severity.",
    "report.side.",
    "report.status.",
    "report.threshold.",
    "report.topic.",
    "report.word.",
    "stage.",
    "trials.column.",
    "trials.curve_",
    "trials.gate.",
    "verdict.reason.",
    "verdict.summary.",
    "web.column.",
    "web.js.",
    "web.only.",
    "web.state.",
)


class Use(NamedTuple):
    """One place where a key stands whole."""

    where: str
    key: str
    values: set[str] | None
    """Names of the values given; None where they cannot be read off."""
    is_error: bool


def list_uses() -> Iterator[Use]:
    """Every `tell("key")`, `progress.say("key")`, `SomeError("key")` and the templates' `t("key")`."""
    for module in CODE:
        imported = list_error_names(module)
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func).rpartition(".")[2]
            first = call.args[0] if call.args else None
            if (
                (name == "tell" or name in imported)
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                given = [word.arg for word in call.keywords]
                values = None if None in given else {word for word in given if word}
                yield Use(f"{module.name}:{call.lineno}", first.value, values, name in imported)
    for path in TEMPLATES:
        for told in jinja2.Environment().parse(path.read_text(encoding="utf-8")).find_all(jinja2.nodes.Call):
            name = getattr(told.node, "name", "")
            if name in ("t", "tell") and told.args and isinstance(told.args[0], jinja2.nodes.Const):
                key = ("report." if name == "t" else "") + told.args[0].value
                yield Use(f"{path.name}:{told.lineno}", key, {word.key for word in told.kwargs}, False)


def list_error_names(module: Module) -> set[str]:
    """The classes of tuneproof.errors that a module knows, by the names it gives them."""
    own = ERRORS if module.name == "tuneproof.errors" else set()
    froms = [
        node for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom) and node.module == "tuneproof.errors"
    ]
    return own | {alias.asname or alias.name for node in froms for alias in node.names if alias.name in ERRORS}


@cache
def list_constants() -> set[str]:
    """Every text that stands in the code or a template, f-strings by their fixed beginning."""
    found = {
        node.value
        for module in CODE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for path in TEMPLATES:
        for node in jinja2.Environment().parse(path.read_text(encoding="utf-8")).find_all(jinja2.nodes.Const):
            if isinstance(node.value, str):
                found |= {node.value, f"report.{node.value}"}
    return found


def fields_of(text: str) -> set[str]:
    """Names of the placeholders of a sentence."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


def is_sentence(text: str) -> bool:
    """Whether a text has three words or more, commands and placeholders not counted; else it is a name or a number."""
    return len(re.findall(r"[A-Za-z]{2,}", re.sub(r"`[^`]*`|\{[^}]*\}|--?\w+|pip install .*", "", text))) >= 3


def test_both_languages_have_the_same_placeholders() -> None:
    assert [key for key, (english, chinese) in CATALOGUE.items() if fields_of(english) != fields_of(chinese)] == []


def test_english_is_english_and_chinese_is_chinese() -> None:
    han, wide = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
    assert [key for key, (english, _) in CATALOGUE.items() if wide.search(english) or not english.strip()] == []
    assert [key for key, (english, zh) in CATALOGUE.items() if is_sentence(english) and not han.search(zh)] == []
    assert sum(bool(han.search(chinese)) for _, chinese in CATALOGUE.values()) > 0.9 * len(CATALOGUE)
    spaced = re.compile(r"[\d}] %")
    assert [key for key, (_, chinese) in CATALOGUE.items() if spaced.search(chinese)] == []


def test_every_key_in_use_exists_and_gets_its_values() -> None:
    wrong = []
    for use in list_uses():
        for key in [use.key, f"{use.key}.hint"] if use.is_error else [use.key]:
            if key not in CATALOGUE:
                wrong.append(f"{use.where}: no sentence {key}")
            elif use.values is not None and not fields_of(CATALOGUE[key][0]) <= use.values:
                wrong.append(f"{use.where}: {key} lacks {fields_of(CATALOGUE[key][0]) - use.values}")
    assert wrong == []


def test_no_sentence_is_unused() -> None:
    constants = list_constants()
    whole = {key for key in CATALOGUE if key in constants or key.removesuffix(".hint") in constants}
    assert [key for key in CATALOGUE if key not in whole and not key.startswith(FAMILIES)] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_keys_is_there_and_is_put_together_somewhere(family: str) -> None:
    assert any(key.startswith(family) for key in CATALOGUE)
    assert {family, family.rstrip(".")} & list_constants()


def test_every_key_of_the_config_has_its_line_of_chinese() -> None:
    assert sorted(CHINESE) == sorted(REASONS) == sorted(list_keys())
    assert list(SECTIONS) == list(RunConfig.model_fields)
    lines = [*CHINESE.items(), *REASONS.items(), *SECTIONS.items()]
    assert [key for key, line in lines if not re.search(r"[\u4e00-\u9fff]", line)] == []


def test_the_uses_are_found() -> None:
    """In the code, in its errors, and in the templates: an empty list would make the tests above say nothing."""
    uses = list(list_uses())
    assert {"run.locked", "config.missing", "report.empty"} <= {use.key for use in uses}
    assert {use.where.partition(":")[0].rpartition(".")[2] for use in uses} >= {"rundir", "jinja"}


def test_a_sentence_is_told_in_the_language_asked_for_and_else_in_the_one_in_use() -> None:
    english, chinese = CATALOGUE["run.not_a_run"]
    assert tell("run.not_a_run") == english
    assert tell("run.not_a_run", "zh") == chinese
    use_language("zh")
    assert (tell("run.not_a_run"), tell("run.not_a_run", "en")) == (chinese, english)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_locale(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert guess_language() == language
