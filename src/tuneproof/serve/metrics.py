"""What Prometheus reads: requests, tokens, seconds to the first token, answers under way.

Labels are run names, never what a client sent, so their number is bounded. In: an engine, and what the routes tell.
Out: text for GET /metrics.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tuneproof.serve.engine import Engine
from tuneproof.serve.exchange import Exchange

SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 600)


class Metrics:
    """Counters of one server."""

    def __init__(self, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tuneproof_requests", "Chat requests by run and how they ended", ["model", "end"], registry=self.registry
        )
        self.tokens = Counter("tuneproof_tokens", "Tokens read and said", ["model", "kind"], registry=self.registry)
        self.first = Histogram(
            "tuneproof_first_token_seconds", "From asking to the first text", buckets=SECONDS, registry=self.registry
        )
        self.whole = Histogram(
            "tuneproof_answer_seconds", "From asking to the end", buckets=SECONDS, registry=self.registry
        )
        for name, told, read in (
            ("running", "Answers under way", lambda: engine.running),
            ("waiting", "Questions in the queue", lambda: len(engine.waiting)),
            ("failures", "Turns of the engine that failed", lambda: engine.failures),
        ):
            Gauge(f"tuneproof_{name}", told, registry=self.registry).set_function(read)

    def note(self, model: str, exchange: Exchange) -> None:
        """A request that is over."""
        self.requests.labels(model, exchange.end).inc()
        if exchange.usage is not None:
            self.tokens.labels(model, "prompt").inc(exchange.usage.prompt)
            self.tokens.labels(model, "answer").inc(exchange.usage.answer)
        if exchange.first is not None:
            self.first.observe(exchange.first)
            self.whole.observe(exchange.seconds)

    def refuse(self, model: str) -> None:
        """A request that found the queue full."""
        self.requests.labels(model, "refused").inc()

    def write(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
