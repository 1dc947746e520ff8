"""The playground: one prompt, base and tuned model side by side, at any strength of the adapter, and which is which.

The page asks here, and here the worker is asked: the browser never learns its address or its token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tuneproof.web.parts import language_of, parts_of, render, require_run
from tuneproof.web.playground import NotReady

router = APIRouter()
SUGGESTIONS = 6
"""Prompts of the test rows that are offered."""
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class PlayRequest(BaseModel, extra="forbid"):
    """A prompt, and who is asked it."""

    prompt: Prompt
    system: str = Field("", max_length=20_000)
    scale: float = Field(1.0, ge=0, le=1)
    side: Literal["base", "tuned"] = "tuned"
    max_tokens: int = Field(128, ge=1, le=1024)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int = Field(0, ge=0, le=2**31)

    def messages(self) -> list[dict[str, str]]:
        """The conversation as the server takes it."""
        system = [{"role": "system", "content": self.system}] if self.system.strip() else []
        return [*system, {"role": "user", "content": self.prompt}]


@router.get("/runs/{name}/play")
def show_play(request: Request, name: str) -> Response:
    """The page."""
    run = require_run(request, name)
    answers = run.find_answers("tuned", "test") if run.answers_path("tuned", "test").is_file() else []
    step = max(1, len(answers) // SUGGESTIONS)
    prompts = [answer.prompt for answer in answers[::step]][:SUGGESTIONS]
    has_adapter = (run.adapter / "adapter_config.json").is_file()
    return render(request, "play.jinja", name=name, prompts=prompts, has_adapter=has_adapter)


@router.post("/runs/{name}/play/open")
async def open_worker(request: Request, name: str) -> Response:
    """Start the worker, or say how it stands; what makes it fail is drawn."""
    run, parts = require_run(request, name), parts_of(request)
    await parts.playground.open(name, run, language_of(request))
    return tell_worker(request, name)


@router.get("/runs/{name}/play/state")
def tell_worker(request: Request, name: str) -> Response:
    """How the worker of this run stands."""
    worker = parts_of(request).playground.find(name)
    if worker is None:
        return JSONResponse({"state": "off"})
    html = bytes(render(request, "faults.jinja", faults=worker.faults).body).decode() if worker.faults else ""
    return JSONResponse({"state": worker.state, "html": html, "line": worker.lines[-1] if worker.lines else ""})


@router.post("/runs/{name}/play/answer")
async def stream_answer(request: Request, name: str, wanted: PlayRequest) -> Response:
    """An answer as it is made: the server's own events, token by token with their probabilities."""
    require_run(request, name)
    playground = parts_of(request).playground
    worker = playground.find(name)
    if worker is None or worker.state != "ready":
        return JSONResponse({"state": "off"}, 409)
    body: dict[str, Any] = {
        "model": name_side(name, wanted),
        "messages": wanted.messages(),
        "stream": True,
        "logprobs": True,
        "max_tokens": wanted.max_tokens,
        "temperature": wanted.temperature,
        "seed": wanted.seed,
    }

    async def follow() -> AsyncIterator[bytes]:
        try:
            async for piece in playground.stream(name, body):
                yield piece
        except NotReady:
            yield b'data: {"error": {"message": "gone"}}\n\n'

    return StreamingResponse(follow(), media_type="text/event-stream")


def name_side(name: str, wanted: PlayRequest) -> str:
    """The server's model name for a side: `base`, NAME, NAME@0.5."""
    if wanted.side == "base":
        return "base"
    return name if wanted.scale == 1 else f"{name}@{wanted.scale:.3g}"


@router.post("/runs/{name}/play/proof")
async def prove_sides(request: Request, name: str, wanted: PlayRequest) -> Response:
    """Which side is which, by the bits of the logits after this prompt."""
    require_run(request, name)
    strong = wanted if wanted.scale > 0 else wanted.model_copy(update={"scale": 1.0})
    body = {"model": name_side(name, strong.model_copy(update={"side": "tuned"})), "messages": wanted.messages()}
    try:
        status, told = await parts_of(request).playground.post(name, "/v1/sides", body)
    except NotReady:
        return JSONResponse({"state": "off"}, 409)
    if status != 200:
        return JSONResponse({"message": str(told.get("error", {}).get("message", status))}, 502)
    html = bytes(render(request, "proof.jinja", sides=told).body).decode()
    return JSONResponse({"proven": told["proven"], "html": html})
