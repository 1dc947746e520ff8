"""What the routes share, and how they answer: the parts of the app, the reader's language, pages, names of runs.

@router.get("/runs/{name}")
def show_run(request: Request, name: str) -> Response:
    run = require_run(request, name)
    return render(request, "report_page.jinja", page=gather_page(run, language_of(request)))
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tuneproof.messages import Language
from tuneproof.rundir import RunDir
from tuneproof.web.bases import Bases
from tuneproof.web.children import Job, Jobs
from tuneproof.web.environment import load_environment
from tuneproof.web.launch import Launches
from tuneproof.web.playground import Playground
from tuneproof.web.settings import Settings
from tuneproof.web.shelf import Shelf
from tuneproof.web.uploads import Uploads

LANGUAGES: dict[str, Language] = {"en": "en", "zh": "zh"}
LANGUAGE_COOKIE = "tuneproof-language"


@dataclass(frozen=True)
class Parts:
    """Everything that outlives a request."""

    settings: Settings
    shelf: Shelf
    jobs: Jobs
    launches: Launches
    uploads: Uploads
    bases: Bases
    playground: Playground


def parts_of(request: Request) -> Parts:
    """The parts of the app that a request came to."""
    parts: Parts = request.app.state.parts
    return parts


def language_of(request: Request) -> Language:
    """The language that the reader chose, else the one that the browser asks for first, else the server's."""
    asked = request.query_params.get("lang", request.cookies.get(LANGUAGE_COOKIE, ""))
    if asked in LANGUAGES:
        return LANGUAGES[asked]
    for wanted in re.findall(r"[a-z]+", request.headers.get("accept-language", "").lower()):
        if wanted in LANGUAGES:
            return LANGUAGES[wanted]
    return parts_of(request).settings.language


def render(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page, or a piece of one, in the reader's language."""
    language = language_of(request)
    page = load_environment(language).get_template(template).render(
        path=request.url.path, has_token=parts_of(request).settings.token is not None, **values
    )  # fmt: skip
    answer = HTMLResponse(page, status, headers={"Vary": "Accept-Language, Cookie"})
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, httponly=True, samesite="strict")
    return answer


def require_run(request: Request, name: str) -> RunDir:
    """The run of this name. Raises HTTPException 404."""
    run = parts_of(request).shelf.find(name)
    if run is None:
        raise HTTPException(404)
    return run


def require_job(request: Request, name: str) -> Job:
    """The job of this id. Raises HTTPException 404."""
    job = parts_of(request).jobs.find(name)
    if job is None:
        raise HTTPException(404)
    return job
