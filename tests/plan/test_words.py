"""The page on the plan explains every word of its screen, in both languages."""

from __future__ import annotations

import re

import pytest

from tests.source import ROOT
from tuneproof.messages import Language, tell
from tuneproof.records import Parts, Settings


@pytest.mark.parametrize(("language", "page"), [("en", "plan.md"), ("zh", "plan.zh-CN.md")])
def test_every_word_of_the_screen_is_explained(language: Language, page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    explained = {word for row in rows for word in re.split(r", (?=[A-Z])|、", row)}
    names = [f"report.part.{name}" for name in Parts.model_fields]
    # A number format and the optimizer of the adapter say what they are.
    names += [f"report.setting.{name}" for name in Settings.model_fields if name not in {"dtype", "optimizer"}]
    assert {tell(name, language) for name in names} <= explained
