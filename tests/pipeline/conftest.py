"""What the tests of the cure share: a finished run whose gain is real and which forgets too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.curing import FORGETS, Script
from tests.pipeline.test_chain import make_config, write_rows
from tests.pipeline.test_trials import QUICK
from tuneproof.pipeline import RunRequest, run_all
from tuneproof.progress import Quiet
from tuneproof.records import Selection
from tuneproof.rundir import RunDir


@pytest.fixture(scope="session")
def forgetful(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A finished run whose gain is real and which forgets too much."""
    folder = tmp_path_factory.mktemp("cure")
    config = make_config(write_rows(folder / "rows.jsonl", 120), tiny_model_dir, **QUICK)
    with pytest.MonkeyPatch.context() as patch:
        Script(patch).verdicts = [FORGETS]
        run = run_all(RunRequest(config, folder / "run", command="tuneproof run rows.jsonl"), Quiet())
    assert run.load(Selection).scale == 1.0
    return run
