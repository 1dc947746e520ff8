"""`report`: the page again, in the language asked for; with the real pipeline, which loads no model for it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call, FakePipeline, make_run
from tuneproof.config import RunConfig


def test_the_page_is_written_in_the_language_asked_for(call: Call) -> None:
    make_run(Path("runs/first"), RunConfig())
    for language in ("en", "zh"):
        done = call("report", "runs/first", "--lang", language)
        assert (done.code, "runs/first/report.html" in done.out) == (0, True)
        assert f'lang="{language}' in Path("runs/first/report.html").read_text(encoding="utf-8")


def test_json_says_where_the_page_is(call: Call, pipeline: FakePipeline) -> None:
    make_run(Path("runs/first"), RunConfig())
    assert json.loads(call("report", "runs/first", "--json").out) == {"report": "runs/first/report.html"}


def test_what_is_no_run_folder_is_named(call: Call) -> None:
    done = call("report", "nothing")
    assert done.code == 6
    assert "nothing: This is not a run folder." in done.err
