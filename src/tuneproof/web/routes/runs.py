"""The table of runs: filtered, sorted, a page at a time; and runs side by side.

All of it works by its address alone; the script only saves reloading the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tuneproof.web.children import Job
from tuneproof.web.life import State
from tuneproof.web.parts import language_of, parts_of, render
from tuneproof.web.shelf import Line, Shelf

router = APIRouter()
PAGE = 50
MOST_COMPARED = 8
Only = Literal["all", "ship", "dont_ship", "not_enough_evidence", "running", "unfinished"]
KINDS: tuple[Only, ...] = ("all", "ship", "dont_ship", "not_enough_evidence", "running", "unfinished")
UNFINISHED: tuple[State, ...] = ("stopped", "failed", "lost")
DECISIONS = ("ship", "not_enough_evidence", "dont_ship")

KEYS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line.name.lower(),
    "verdict": lambda line: None if line.decision is None else -DECISIONS.index(line.decision),
    "gain": lambda line: line.gain,
    "forgotten": lambda line: line.net_loss,
    "model": lambda line: line.model and line.model.lower(),
    "data": lambda line: line.files or None,
    "time": lambda line: line.seconds,
    "created": lambda line: line.created,
}


class Asked(BaseModel):
    """What the table is asked to show."""

    q: str = ""
    only: Only = "all"
    sort: Literal["name", "verdict", "gain", "forgotten", "model", "data", "time", "created"] = "created"
    order: Literal["up", "down"] = "down"
    page: int = 1


@dataclass(frozen=True)
class Shown:
    """One page of the table."""

    asked: Asked
    all: int
    found: int
    pages: int
    lines: list[tuple[Line, list[tuple[int, float]]]]
    """Lines, each with the curve of its training loss."""
    busy: bool
    """Whether one of them is at work, so that the table will change."""

    def link(self, **changes: object) -> str:
        """The address of the table with something changed."""
        return "/?" + urlencode({**self.asked.model_dump(), **changes})


def choose_lines(shelf: Shelf, asked: Asked) -> Shown:
    """The lines that are asked for; what has no value comes last, whichever way it is sorted."""
    every = shelf.list_lines()
    words = asked.q.lower().split()
    found = [line for line in every if is_wanted(line, asked.only) and all(word in line.text for word in words)]
    key = KEYS[asked.sort]
    known = sorted((line for line in found if key(line) is not None), key=key, reverse=asked.order == "down")
    ordered = [*known, *(line for line in found if key(line) is None)]
    pages = max(1, -(-len(ordered) // PAGE))
    page = min(max(asked.page, 1), pages)
    some = ordered[(page - 1) * PAGE : page * PAGE]
    runs = shelf.list_runs()
    lines = [(line, shelf.read_losses(runs[line.name])) for line in some if line.name in runs]
    busy = any(line.state == "running" for line in some)
    return Shown(asked.model_copy(update={"page": page}), len(every), len(ordered), pages, lines, busy)


def is_wanted(line: Line, only: Only) -> bool:
    """Whether a line is of the kind that is asked for."""
    if only == "all":
        return True
    if only == "running":
        return line.state == "running"
    if only == "unfinished":
        return line.state in UNFINISHED
    return line.decision == only


@router.get("/")
def show_runs(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """The page of all runs."""
    parts = parts_of(request)
    shown = choose_lines(parts.shelf, asked)
    return render(request, "runs.jinja", shown=shown, kinds=KINDS, folder=str(parts.settings.runs))


@router.get("/rows")
def show_rows(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """The table alone, for the script."""
    return render(request, "rows.jinja", shown=choose_lines(parts_of(request).shelf, asked))


@router.get("/compare")
async def show_comparison(request: Request, run: Annotated[list[str] | None, Query()] = None) -> Response:
    """Runs side by side, the first of them the reference; the child that compares them is begun here."""
    parts, names = parts_of(request), list(dict.fromkeys(run or []))[:MOST_COMPARED]
    runs = parts.shelf.list_runs()
    if not all(name in runs for name in names):
        raise HTTPException(404)
    job: Job | None = None
    if len(names) > 1:
        language, folders = language_of(request), [str(runs[name].path) for name in names]
        job = parts.jobs.find_running("compare", runs=names) or parts.jobs.begin(
            "compare", ["compare", *folders], language, runs=names
        )
    lines = [line for name in names if (line := parts.shelf.read_line(name, runs[name])) is not None]
    return render(request, "compare.jinja", lines=lines, job=job)
