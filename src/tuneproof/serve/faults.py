"""Faults as OpenAI tells them: `{"error": {"message", "type", "param", "code"}}`, with the status its clients know.

In: what went wrong. Out: a `Fault` to raise in a route, or its response. A message repeats little of what was sent, cut
and as ASCII where it is no text, since it may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

QUOTED = 80
TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class Fault(Exception):
    """A response that is no answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        kind = TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def respond(self) -> JSONResponse:
        """The response."""
        return JSONResponse(self.body, self.status, self.headers)


def refuse_model(name: str) -> Fault:
    """The name is not on the list."""
    return Fault(404, f"The model {quote(name)} does not exist; see /v1/models.", code="model_not_found", param="model")


def refuse_body(errors: Sequence[Mapping[str, Any]]) -> Fault:
    """What is wrong with a body: the first field, and how many others."""
    first = errors[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "str", "int", "float")]
    param = quote(".".join(place))[1:-1] or None
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message = f"{param}: {first['msg']}{more}" if param else f"{first['msg']}{more}"
    return Fault(422, message, code="invalid_value", param=param)


def quote(text: str) -> str:
    """A text of someone else's, short and harmless, in quotes."""
    return ascii(text[:QUOTED] + ("..." if len(text) > QUOTED else ""))
