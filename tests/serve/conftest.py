"""Two finished runs on a tiny base, loaded once, with an engine at work; an app around it without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.serve.runs import make_run
from tuneproof.progress import Quiet
from tuneproof.serve.app import build_app
from tuneproof.serve.engine import Limits
from tuneproof.serve.guard import Gate
from tuneproof.serve.load import Served, open_served

LIMITS = Limits(rows=4, queue=8, seconds=30.0, prompt_tokens=64)
TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="session")
def run_paths(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of two runs."""
    folder = tmp_path_factory.mktemp("served")
    return [make_run(folder / name, tiny_model_dir, seed=seed).path for seed, name in enumerate(("first", "second"), 1)]


@pytest.fixture(scope="session")
def served(run_paths: list[Path]) -> Iterator[Served]:
    """Both of them, being served."""
    with open_served(run_paths, Quiet(), limits=LIMITS) as opened:
        yield opened


@pytest.fixture
def client(served: Served) -> Iterator[TestClient]:
    """A client of an open server on this machine."""
    app = build_app(served, Gate(frozenset({"localhost"})))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as opened:
        yield opened
