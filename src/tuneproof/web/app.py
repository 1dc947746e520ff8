"""The parts put together: routes, the guard before them, and pages for what goes wrong.

app = build_app(Settings(Path("runs")))
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tuneproof.errors import RunError
from tuneproof.messages import tell
from tuneproof.web.bases import Bases
from tuneproof.web.children import Jobs
from tuneproof.web.guard import Guard
from tuneproof.web.launch import Launches
from tuneproof.web.parts import Parts, language_of, render
from tuneproof.web.playground import Playground
from tuneproof.web.routes import entry, jobs, live, new, play, report, runs
from tuneproof.web.settings import Settings
from tuneproof.web.shelf import Shelf
from tuneproof.web.uploads import Uploads

PROBLEMS = {404: "web.problem.missing", 409: "web.problem.conflict", 422: "web.problem.invalid"}


def build_app(settings: Settings) -> FastAPI:
    """The app; what it holds (children, the playground's worker) ends with it, runs do not."""

    @asynccontextmanager
    async def live_in(app: FastAPI) -> AsyncIterator[None]:
        shelf = Shelf(settings.runs)
        parts = Parts(
            settings=settings,
            shelf=shelf,
            jobs=Jobs(),
            launches=Launches(settings.folder / "runs"),
            uploads=Uploads(settings.folder / "files"),
            bases=Bases(settings.models, shelf),
            playground=Playground(settings.folder),
        )
        app.state.parts = parts
        try:
            yield
        finally:
            await parts.jobs.close()
            await parts.playground.close()

    app = FastAPI(title="tuneproof", docs_url=None, redoc_url=None, openapi_url=None, lifespan=live_in)
    for router in (entry.router, runs.router, new.router, jobs.router, live.router, report.router, play.router):
        app.include_router(router)
    app.add_exception_handler(HTTPException, show_problem)
    app.add_exception_handler(RequestValidationError, show_invalid)
    app.add_exception_handler(RunError, show_damage)
    # The last one added stands first: what is refused is not compressed.
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Guard, settings=settings)
    return app


async def show_problem(request: Request, problem: Exception) -> Response:
    """A page for a reader, an object for a script."""
    assert isinstance(problem, HTTPException)
    language = language_of(request)
    key = PROBLEMS.get(problem.status_code)
    text = tell(key, language) if key else str(problem.detail)
    detail = problem.detail if key and problem.status_code == 409 else ""
    return answer_problem(request, problem.status_code, text, detail)


async def show_invalid(request: Request, problem: Exception) -> Response:
    """A request whose values are not what the route takes."""
    return answer_problem(request, 422, tell(PROBLEMS[422], language_of(request)), "")


async def show_damage(request: Request, problem: Exception) -> Response:
    """A run folder with a record that cannot be read."""
    assert isinstance(problem, RunError)
    language = language_of(request)
    return answer_problem(request, 409, f"{problem.where}: {problem.message(language)}", problem.hint(language))


def answer_problem(request: Request, status: int, text: str, detail: str) -> Response:
    """In the form that is asked for."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return render(request, "problem.jinja", status, status_code=status, text=text, detail=detail)
    return JSONResponse({"message": text, "detail": detail}, status)
