"""The routes: OpenAI's `/v1/models` and `/v1/chat/completions`, the proof of sides, health, metrics.

In: `Served`, a `Gate`. Out: an ASGI app, guarded. Every response that is no answer has OpenAI's shape of an error.

    app = build_app(served, Gate(hosts=frozenset({"localhost"})))
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from tuneproof import __version__
from tuneproof.serve.engine import Closed
from tuneproof.serve.exchange import Exchange, refuse
from tuneproof.serve.faults import Fault, refuse_body, refuse_model
from tuneproof.serve.guard import Gate, Guard
from tuneproof.serve.load import Served, TooLong
from tuneproof.serve.metrics import Metrics
from tuneproof.serve.names import BASE, Side
from tuneproof.serve.question import Question
from tuneproof.serve.schema import (
    ChatRequest,
    Completion,
    ErrorBody,
    Health,
    ModelCard,
    ModelList,
    SidesBody,
    SidesRequest,
)
from tuneproof.serve.sides import prove_sides
from tuneproof.serve.wording import Wording

GONE = 499
"""Nginx' number for a client that went; it stands in no response that anyone reads."""
FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 401, 403, 404, 405, 408, 413, 422, 429, 500, 503, 504)
}


def build_app(served: Served, gate: Gate) -> ASGIApp:
    """The guarded app."""
    app = FastAPI(
        title="tuneproof serve",
        version=__version__,
        description="Base and tuned models of finished runs, behind OpenAI's interface.",
        responses=FAULTS,
        redoc_url=None,
        docs_url=None,
    )
    desk = Desk(served)
    add = app.add_api_route
    add("/v1/models", desk.list_models, response_model=ModelList)
    add("/v1/models/{model}", desk.show_model, response_model=ModelCard)
    add("/v1/chat/completions", desk.complete, methods=["POST"], response_model=Completion)
    add("/v1/sides", desk.prove, methods=["POST"], response_model=SidesBody)
    add("/health", desk.tell_health, response_model=Health)
    add("/metrics", desk.tell_metrics, response_class=PlainTextResponse)
    app.add_exception_handler(Fault, answer_fault)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(Exception, answer_bug)
    return Guard(app, gate)


class Desk:
    """What the routes do."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.metrics = Metrics(served.engine)
        self.created = int(time.time())

    def list_models(self) -> ModelList:
        """The base and each run, under the names that may be asked for."""
        return ModelList(data=[self._describe(name) for name in (BASE, *(run.name for run in self.served.names.runs))])

    def show_model(self, model: str) -> ModelCard:
        """One of them; a scale may be named."""
        self._find(model)
        return self._describe(model)

    async def complete(self, body: ChatRequest, request: Request) -> Response:
        """Go on with a conversation."""
        side = self._find(body.model)
        question = await asyncio.to_thread(self._pose, side, body)
        wording = Wording(f"chatcmpl-{uuid.uuid4().hex}", body, self.served.names.fingerprint)
        exchange = Exchange(self.served.engine, question)
        try:
            exchange.ask()
        except Fault:
            self.metrics.refuse(side.name)
            raise

        def close() -> None:
            exchange.close()
            self.metrics.note(side.name, exchange)

        if body.stream:
            return EventStream(tell_events(exchange, wording), close)
        try:
            return await answer_or_leave(request, collect(exchange, wording))
        finally:
            close()

    async def prove(self, body: SidesRequest) -> SidesBody:
        """Show that the base is itself bit for bit beside this adapter, and that the adapter is another model."""
        side = self._find(body.model)
        if not side.scales:
            raise Fault(422, "A run's name is needed, with a scale above 0.", code="invalid_value", param="model")
        prompt = await asyncio.to_thread(self._encode, side, body.messages)
        served = self.served
        try:
            job = served.engine.run(lambda: prove_sides(served.base.model, served.mixture, prompt, side.scales))
        except Closed:
            raise refuse("closed") from None
        sides = await asyncio.wrap_future(job)
        return SidesBody(model=body.model, proven=sides.proven, **sides._asdict())

    def tell_health(self, response: Response) -> Health:
        """Whether questions are answered."""
        engine = self.served.engine
        response.status_code = 200 if engine.alive else 503
        return Health(
            status="ok" if engine.alive else "failed",
            models=[BASE, *(run.name for run in self.served.names.runs)],
            running=engine.running,
            waiting=len(engine.waiting),
        )

    def tell_metrics(self) -> Response:
        """Prometheus' text."""
        return Response(self.metrics.write(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _find(self, model: str) -> Side:
        side = self.served.names.find(model)
        if side is None:
            raise refuse_model(model)
        return side

    def _encode(self, side: Side, turns: list[Any]) -> tuple[int, ...]:
        try:
            return self.served.encode(side, [turn.as_message() for turn in turns])
        except TooLong as error:
            message = f"The prompt has {error.tokens} tokens; prompt and answer may have {error.context}."
            raise Fault(400, message, code="context_length_exceeded", param="messages") from None
        except ValueError as error:
            message = f"The model's chat template refuses these messages: {str(error)[:200]}"
            raise Fault(400, message, code="invalid_messages", param="messages") from None

    def _pose(self, side: Side, body: ChatRequest) -> Question:
        prompt = self._encode(side, body.messages)
        return Question(
            prompt=prompt,
            scales=side.scales,
            limit=min(body.limit, self.served.context - len(prompt)),
            stops=body.stops,
            temperature=body.temperature or 0.0,
            top_p=body.top_p or 1.0,
            seed=body.seed,
            likely=body.likely,
        )

    def _describe(self, model: str) -> ModelCard:
        side = self._find(model)
        names = self.served.names
        return ModelCard(
            id=model,
            created=self.created,
            root=names.runs[0].config.model.name or BASE,
            parent=None if side.name == BASE else BASE,
            max_model_len=self.served.context,
            system_prompt=names.prompt_of(side),
        )


class EventStream(StreamingResponse):
    """Server-sent events; `close` is called at the end, also where the client went before the first of them."""

    def __init__(self, events: AsyncIterator[str], close: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them; Starlette stops when the client goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


async def tell_events(exchange: Exchange, wording: Wording) -> AsyncIterator[str]:
    """The events of an answer. A fault is one of them: the status is out already, and clients know this event."""
    yield wording.begin()
    try:
        async for piece in exchange.pieces():
            for event in wording.tell(piece):
                yield event
    except Fault as fault:
        yield wording.fail(fault.body)
    yield wording.end()


async def collect(exchange: Exchange, wording: Wording) -> Response:
    """The whole answer."""
    pieces = [piece async for piece in exchange.pieces()]
    return Response(wording.complete(pieces), media_type="application/json")


async def answer_or_leave(request: Request, answer: Coroutine[Any, Any, Response]) -> Response:
    """The answer, unless the client goes before it is there: what it then gets nobody reads."""
    working, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(wait_until_gone(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else Response(status_code=GONE)
    finally:
        working.cancel()
        leaving.cancel()


async def wait_until_gone(request: Request) -> None:
    """Wait until the client closes its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def answer_fault(request: Request, fault: Exception) -> Response:
    """One of our own."""
    assert isinstance(fault, Fault)
    return fault.respond()


async def answer_invalid(request: Request, error: Exception) -> Response:
    """A body that is not as the schema has it."""
    assert isinstance(error, RequestValidationError)
    return refuse_body(error.errors()).respond()


async def answer_http(request: Request, error: Exception) -> Response:
    """A path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    return Fault(error.status_code, str(error.detail), headers=error.headers).respond()


async def answer_bug(request: Request, error: Exception) -> JSONResponse:
    """What should not be; the log has the traceback."""
    return Fault(500, "This is a bug of the server; its log says more.", code="bug").respond()
