"""Finished runs to export, and every target of one of them, written and proven once a session.

Exports are asked in this process here: a fresh one takes five seconds to start. `test_fresh.py` does it in earnest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.export.runs import make_finished_run, save_qwen
from tuneproof.export.parity.child import hear
from tuneproof.pipeline import ExportRequest
from tuneproof.pipeline.export import export_targets
from tuneproof.progress import Quiet
from tuneproof.records import Export
from tuneproof.records.export import TargetName
from tuneproof.rundir import RunDir

TARGETS: tuple[TargetName, ...] = ("peft", "merged", "gguf", "ollama", "vllm")
Redo = Callable[..., Export]


@pytest.fixture(scope="session")
def qwen_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2 of Qwen's kind, by its folder in a hub's cache."""
    from transformers import Qwen2Config

    commit = "0123456789abcdef0123456789abcdef01234567"
    folder = tmp_path_factory.mktemp("hub") / "models--Some--Qwen-tiny" / "snapshots" / commit
    return save_qwen(folder, Qwen2Config, tie_word_embeddings=False)


@contextmanager
def without_llamacpp() -> Iterator[None]:
    """As where llama-cpp-python is not installed: what is proven does not hang on the machine.

    No longer than the export takes: `test_llamacpp.py` may come next in this process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuneproof.export.targets.has_llamacpp", lambda: False)
        yield


@pytest.fixture(scope="session")
def qwen_run(qwen_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A finished run on it, with no export."""
    return make_finished_run(tmp_path_factory.mktemp("runs") / "desk", qwen_dir)


@pytest.fixture(scope="session")
def exported(qwen_run: RunDir) -> dict[str, Export]:
    """Target -> export of the run, each proven."""
    request = ExportRequest(qwen_run.path, TARGETS, items=4)
    with without_llamacpp():
        return {export.target: export for export in export_targets(request, Quiet(), hear)}


@pytest.fixture
def redo(qwen_run: RunDir, exported: dict[str, Export], tmp_path: Path) -> Redo:
    """Prove a target of a copy of the run again, after `spoil` has had its folder; `settings` go to the request."""

    def perform(
        target: Any, spoil: Callable[[Path], None] = lambda folder: None, ask: Any = hear, **settings: Any
    ) -> Export:
        copy = tmp_path / qwen_run.name
        shutil.copytree(qwen_run.path, copy, dirs_exist_ok=True)
        spoil(copy / "export" / target)
        request = ExportRequest(copy, [target], **{"items": 4, "check": True, **settings})
        with without_llamacpp():
            return export_targets(request, Quiet(), ask)[0]

    return perform
