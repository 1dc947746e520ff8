"""The flags that are read before the command line is parsed."""

from __future__ import annotations

import pytest

from tuneproof.cli.manner import read_manner


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["run", "--lang", "zh"], "zh"),
        (["--lang=zh", "run"], "zh"),
        (["run", "--lang", "zh", "--lang", "en"], "en"),
        (["run", "--lang"], "en"),
        (["run", "--lang", "de"], "en"),
        (["run", "--", "--lang", "zh"], "en"),
        ([], "en"),
    ],
)
def test_the_language_is_the_last_one_named(arguments: list[str], language: str) -> None:
    assert read_manner(arguments).language == language


def test_without_a_name_it_is_the_locale_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert read_manner(["run"]).language == "zh"
    assert read_manner(["run", "--lang", "en"]).language == "en"


def test_json_and_debug_are_seen_before_a_double_hyphen() -> None:
    assert read_manner(["check", "--json", "--debug"])[1:] == (True, True)
    assert read_manner(["check", "--", "--json", "--debug"])[1:] == (False, False)
