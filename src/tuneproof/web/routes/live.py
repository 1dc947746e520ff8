"""A run at work: its state in pieces that the page asks for again, stop, and going on.

The page of a run is the live one until there is a verdict, then the report; `/live` shows how it ran at any time.
"""

from __future__ import annotations

import hashlib
import shlex
import time

from fastapi import APIRouter
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tuneproof.errors import RunError
from tuneproof.messages import tell
from tuneproof.records import RunRecord
from tuneproof.web.launch import stop_worker
from tuneproof.web.life import find_worker, state_of
from tuneproof.web.live import gather_live, tell_note
from tuneproof.web.parts import language_of, parts_of, render, require_run
from tuneproof.web.routes.report import show_report
from tuneproof.web.shelf import load_verdict

router = APIRouter()
GOES_ON = ("stopped", "failed", "lost")
"""States after which a run can go on."""


@router.get("/runs/{name}")
def show_run(request: Request, name: str) -> Response:
    """The report where there is a verdict, else the run at work; one that has no folder yet, as it starts."""
    run = parts_of(request).shelf.find(name)
    if run is not None and load_verdict(run) is not None:
        return show_report(request, run)
    return show_live(request, name)


@router.get("/runs/{name}/live")
def show_live(request: Request, name: str) -> Response:
    """How a run goes, or went."""
    return render(request, "live_page.jinja", name=name, pieces=Markup(draw_pieces(request, name)))


@router.get("/runs/{name}/pieces")
def show_pieces(request: Request, name: str) -> Response:
    """The pieces of the live page, or 304 where none has changed since the reader's."""
    content = draw_pieces(request, name)
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, media_type="text/html", headers={"ETag": tag})


def draw_pieces(request: Request, name: str) -> str:
    """The pieces as HTML. Raises HTTPException 404 for a run that is neither there nor about to be."""
    parts, language = parts_of(request), language_of(request)
    run = parts.shelf.find(name)
    if run is None:
        launch = parts.launches.find(name)
        if launch is None:
            raise HTTPException(404)
        state = parts.launches.state_of(launch)
        faults = parts.launches.find_faults(name) if state == "failed" else []
        log = parts.launches.read_log(name)
        page = render(request, "starting.jinja", name=name, state=state, faults=faults, log=log)
        return bytes(page.body).decode()
    try:
        live = gather_live(run, find_worker(run), time.time())
    except RunError as error:
        raise HTTPException(409, str(error)) from error
    notes = [(event["time"], event["kind"], tell_note(event, language)) for event in reversed(live.notes)]
    page = render(
        request, "live.jinja", name=name, live=live, notes=notes, has_verdict=load_verdict(run) is not None,
        log=parts.launches.read_log(name), command=f"tuneproof resume {shlex.quote(str(run.path))}",
    )  # fmt: skip
    return bytes(page.body).decode()


@router.post("/runs/{name}/stop")
def stop_run(request: Request, name: str) -> Response:
    """Ask the run to save and stop."""
    if not stop_worker(require_run(request, name)):
        return JSONResponse({"message": tell("web.live.not_running", language_of(request))}, 409)
    return JSONResponse({"message": tell("web.live.stopping", language_of(request))})


@router.post("/runs/{name}/resume")
def resume_run(request: Request, name: str) -> Response:
    """Let a run go on from what is saved."""
    parts, run, language = parts_of(request), require_run(request, name), language_of(request)
    if state_of(run, run.load(RunRecord)) not in GOES_ON:
        return JSONResponse({"message": tell("web.live.cannot_resume", language)}, 409)
    parts.launches.start(name, ["resume", str(run.path)], language)
    return JSONResponse({"message": tell("web.live.resuming", language)})
