"""Whatever the OpenAPI page allows, and much that it does not, gets an answer that the page describes; never a 500."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error, status_code_conformance
from schemathesis.generation import GenerationMode

from tuneproof.serve.app import build_app
from tuneproof.serve.guard import Gate
from tuneproof.serve.load import Served

EXAMPLES = 15
"""For each operation and way."""
TOKENS = 3


@pytest.fixture(scope="module")
def page(served: Served) -> Any:
    """The page, with the app that wrote it."""
    app = build_app(served, Gate(frozenset({"localhost", "testserver"})))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def send_many(operation: Any, mode: GenerationMode) -> set[int]:
    """Send requests of one operation, allowed ones or others; the statuses that came back."""
    statuses: set[int] = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(1)
    def send(case: Any) -> None:
        if isinstance(case.body, dict) and type(case.body.get("max_tokens", 1)) is int:
            # The tiny model would go on for as long as it is let.
            case.body["max_tokens"] = min(case.body.get("max_tokens", TOKENS), TOKENS)
        if isinstance(case.body, dict) and mode is GenerationMode.POSITIVE:
            case.body["model"] = "first@0.5"  # A name that is made up would end each request at once.
        response = case.call()
        case.validate_response(response, checks=[not_a_server_error, status_code_conformance])
        statuses.add(response.status_code)

    # There is no wrong request of an operation that takes nothing.
    with suppress(Unsatisfiable):
        send()
    return statuses


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_a_bug(mode: GenerationMode, page: Any) -> None:
    operations = [found.ok() for found in page.get_all_operations()]
    seen = {operation.label: send_many(operation, mode) for operation in operations}
    assert {"GET /health", "GET /metrics", "GET /v1/models/{model}", "POST /v1/sides"} <= seen.keys()
    answered = 200 if mode is GenerationMode.POSITIVE else 422
    assert answered in seen["POST /v1/chat/completions"]
    assert answered in seen["POST /v1/sides"]
