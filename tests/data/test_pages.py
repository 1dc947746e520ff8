"""The pages about data tell every kind of finding and every knob of the split, in both languages."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tests.source import ROOT
from tuneproof.config.data import DataSection
from tuneproof.config.split import SplitSection
from tuneproof.data.balance import ENOUGH_ROWS, FEW_ROWS
from tuneproof.data.near import SAMPLE, THRESHOLD
from tuneproof.data.split import FEWEST_FOR_TEST, SMALLEST_STRATUM, SplitSizes
from tuneproof.records.data import FindingKind

PAGES = ("docs/data.md", "docs/data.zh-CN.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_kind_of_finding_has_its_line(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    told = {kind for row in re.findall(r"^\| (`[^|]*`) \|", text, re.M) for kind in re.findall(r"`(\w+)`", row)}
    assert set(get_args(FindingKind)) <= told


@pytest.mark.parametrize("page", PAGES)
def test_every_knob_has_its_place(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    keys = [f"split.{key}" for key in SplitSection.model_fields]
    keys += [f"data.{key}" for key in DataSection.model_fields if key not in ("files", "test")]
    assert [key for key in keys if key not in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_numbers_told_are_those_of_the_code(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    sizes = SplitSizes()
    shares = [f"{round(100 * share)}%" for share in (sizes.test_share, sizes.select_share)]
    assert all(share in text.replace(" %", "%") for share in shares)
    told = [FEW_ROWS, ENOUGH_ROWS, FEWEST_FOR_TEST, SMALLEST_STRATUM, THRESHOLD, f"{SAMPLE:,}"]
    told += [sizes.minimum_test, sizes.maximum_test, sizes.minimum_select]
    assert [number for number in told if str(number) not in text] == []
