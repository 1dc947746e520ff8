"""A run that has ended: the report's own sections, with blame and marks beside the answers, and files to take along."""

from __future__ import annotations

import csv
import io
import time
from statistics import fmean
from typing import NamedTuple

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tuneproof.errors import RunError
from tuneproof.records import Marks
from tuneproof.report import render_report
from tuneproof.report.answers import Item
from tuneproof.report.page import Page, gather_page
from tuneproof.rundir import RunDir
from tuneproof.web.parts import language_of, parts_of, render, require_run

router = APIRouter()
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read a cell as a formula."""


class ItemRequest(BaseModel, extra="forbid"):
    """One item of the report."""

    item: str


class MarkRequest(ItemRequest):
    """An item that is marked, or no longer."""

    wrong: bool


class Marked(NamedTuple):
    """What the marks come to: how many, and both scores without the marked items. A look aside, no verdict."""

    items: int
    n: int
    base: float | None
    tuned: float | None


def show_report(request: Request, run: RunDir) -> Response:
    """The page."""
    page, marks = gather_page(run, language_of(request)), load_marks(run)
    return render(
        request, "report_page.jinja", page=page, marks=sorted(marks.ids), marked=weigh_marks(page, marks),
        tasks=len(page.tasks), has_adapter=(run.adapter / "adapter_config.json").is_file(),
    )  # fmt: skip


def load_marks(run: RunDir) -> Marks:
    """The marks of a run; none where nobody has marked anything, or the file cannot be read."""
    try:
        return run.load(Marks) if run.has(Marks) else Marks()
    except RunError:
        return Marks()


def weigh_marks(page: Page, marks: Marks) -> Marked:
    """Scores on the items that are not marked, averaged over the tasks as the verdict does it."""
    left: dict[str, list[Item]] = {}
    for item in page.items:
        if item.base.id not in marks.ids:
            left.setdefault(item.base.task, []).append(item)
    scores = {
        arm: fmean(fmean(getattr(item, arm).score for item in items) for items in left.values()) if left else None
        for arm in ("base", "tuned")
    }
    return Marked(len(marks.ids), sum(len(items) for items in left.values()), scores["base"], scores["tuned"])


@router.post("/runs/{name}/marks")
def set_mark(request: Request, name: str, wanted: MarkRequest) -> Response:
    """Mark the reference of a test item as wrong, or take the mark away."""
    run = require_run(request, name)
    page = gather_page(run, language_of(request))
    if wanted.item not in (item.base.id for item in page.items):
        raise HTTPException(404)
    marks = load_marks(run)
    marks.set(wanted.item, wrong=wanted.wrong, time=time.time())
    run.save(marks)
    html = bytes(render(request, "marked.jinja", page=page, marked=weigh_marks(page, marks)).body).decode()
    return JSONResponse({"html": html})


@router.post("/runs/{name}/blame")
async def begin_blame(request: Request, name: str, wanted: ItemRequest) -> Response:
    """Look for the training rows that pushed an answer."""
    run, parts, language = require_run(request, name), parts_of(request), language_of(request)
    known = {answer.id for suite in ("test", "retention") for answer in run.find_answers("tuned", suite)}
    if wanted.item not in known:
        raise HTTPException(404)
    about = {"run": name, "item": wanted.item}
    # `--` keeps an id that begins with a hyphen from being read as an option.
    arguments = ["blame", "--top", "5", "--", str(run.path), wanted.item]
    job = parts.jobs.find_running("blame", **about) or parts.jobs.begin("blame", arguments, language, **about)
    return JSONResponse({"job": job.id})


@router.get("/runs/{name}/report.html")
def download_report(request: Request, name: str) -> Response:
    """The report as one file that opens without a network."""
    run = require_run(request, name)
    headers = {"Content-Disposition": 'attachment; filename="report.html"'}
    return Response(render_report(run, language_of(request)), media_type="text/html", headers=headers)


@router.get("/runs/{name}/answers.csv")
def download_answers(request: Request, name: str) -> Response:
    """All test answers, with the marks, as a table for a spreadsheet."""
    run = require_run(request, name)
    page, marks = gather_page(run, language_of(request)), load_marks(run).ids
    places = {row.id: (row.file, row.line) for row in (run.load_rows("test") if run.has_rows("test") else [])}
    heads = ("id", "file", "line", "task", "outcome", "base_score", "tuned_score", "wrong_reference", "prompt",
             "reference", "base", "tuned")  # fmt: skip
    rows = [
        (
            item.base.id, *places.get(item.base.id, ("", "")), item.base.task, item.outcome, item.base.score,
            item.tuned.score, int(item.base.id in marks), item.base.prompt, item.base.reference, item.base.answer,
            item.tuned.answer,
        )
        for item in page.items
    ]  # fmt: skip
    headers = {"Content-Disposition": 'attachment; filename="answers.csv"'}
    return Response(write_csv([heads, *rows]), media_type="text/csv; charset=utf-8", headers=headers)


def write_csv(rows: list[tuple[object, ...]]) -> str:
    """CSV in which no cell is a formula, with the mark by which Excel knows UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file)
    for row in rows:
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell for cell in row]
        )
    return "\ufeff" + file.getvalue()
