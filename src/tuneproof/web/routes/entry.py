"""The way in: the login page where a token is needed, static files, health."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from tuneproof.web.environment import MOST_TASKS, hash_static, load_static, write_task_rules
from tuneproof.web.guard import COOKIE, make_session
from tuneproof.web.parts import parts_of, render

router = APIRouter()
KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/static/{version}/tasks-{count}.css")
def give_rules(version: str, count: int) -> Response:
    """The style by which answers are filtered by task, for a report of so many tasks."""
    if version != hash_static() or not 0 <= count <= MOST_TASKS:
        raise HTTPException(404)
    return Response(write_task_rules(count), media_type="text/css", headers=KEEP)


@router.get("/static/{version}/{name}")
def give_static(version: str, name: str) -> Response:
    """A static file, from the list of them."""
    file = load_static().get(name)
    if file is None or version != hash_static():
        raise HTTPException(404)
    return Response(file.content, media_type=file.kind, headers=KEEP)


@router.get("/health")
def tell_health() -> Response:
    """That the app answers."""
    return JSONResponse({"status": "ok"})


@router.get("/login")
def show_login(request: Request) -> Response:
    """The page that asks for the token."""
    if parts_of(request).settings.token is None:
        return RedirectResponse("/", 303)
    return render(request, "login.jinja", wrong=False)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Set the cookie where the token is right."""
    token = parts_of(request).settings.token
    given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0]
    if token is None or not hmac.compare_digest(given.strip().encode(), token.encode()):
        return render(request, "login.jinja", 401, wrong=True)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, make_session(token), httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
def log_out() -> Response:
    """Take the cookie away."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
