"""README's numbers and file tree are those of the code."""

from __future__ import annotations

import re
import runpy

from tests.source import ROOT
from tuneproof.demo import demo_data_path
from tuneproof.evals.probes import load_probes

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_file_tree_is_up_to_date() -> None:
    """`scripts/readme --tree` writes it."""
    script = runpy.run_path(str(ROOT / "scripts" / "readme"), run_name="readme")
    assert script["fill_part"](README, "tree", script["draw_tree"]()) == README


def test_counts_of_rows_and_probes_are_right() -> None:
    rows = demo_data_path().read_text(encoding="utf-8").count("\n")
    assert f"{rows} rows of an invented service desk" in README
    english, chinese = (len(load_probes(language)) for language in ("en", "zh"))
    assert f"{english} short verifiable questions in English and {chinese} in Chinese" in README


def test_the_pasted_demo_is_one_that_ended_in_a_verdict() -> None:
    pasted = README.partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0]
    assert "$ tuneproof demo" in pasted
    assert re.search(r"^(SHIP|DON'T SHIP|NOT ENOUGH EVIDENCE)$", pasted, re.MULTILINE)
