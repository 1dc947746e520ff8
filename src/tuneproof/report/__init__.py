"""The report: one HTML file that tells what was gained, what was forgotten, and whether it can be trusted.

    report/
    |- page.py          records of the run folder -> one plain view
    |- headlines.py     what each section found, in a sentence
    |- answers.py       base and tuned side by side, in order of what changed
    |- difference.py    where two answers differ, word by word
    |- plots.py         the records' numbers, handed to the charts
    |- rounds.py        further runs inside the run: the learning curve's chart
    |- charts.py svg.py the inline drawings
    |- figures.py       numbers with sign and unit
    |- words.py         the catalogue's words for names in the records
    |- text.py          hidden characters made visible
    |- environment.py   the template engine, and the policy that keeps the page closed
    `- templates/       a file a section, one style, one script

In: a run folder; whatever it holds so far is shown, and what is missing is said. Out: text, or RUN/report.html. The
page needs no network, and its filters work without the script. Model output is text, never markup.

    write_report(RunDir(Path("runs/first")), "en")
"""

from __future__ import annotations

from pathlib import Path

from tuneproof.messages import Language
from tuneproof.report.environment import build_environment, load_assets
from tuneproof.report.page import gather_page
from tuneproof.rundir import RunDir, write_atomic

__all__ = ["render_report", "write_report"]


def render_report(run: RunDir, language: Language) -> str:
    """The whole page. Raises RunError when run.json is missing or any record is damaged."""
    page = gather_page(run, language)
    template = build_environment(language).get_template("report.html.jinja")
    return template.render(page=page, assets=load_assets(len(page.tasks)))


def write_report(run: RunDir, language: Language) -> Path:
    """Write RUN/report.html, whole or not at all, and return its path."""
    write_atomic(run.report, render_report(run, language))
    return run.report
