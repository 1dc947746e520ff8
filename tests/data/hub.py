"""A hub for tests: a folder in its place, with the data set owner/name.

fake = put_hub(tmp_path, monkeypatch)
fake.online = False
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tuneproof.data import hub
from tuneproof.data.hub import Hub, HubError

ROW = '{"question": "q", "answer": "a"}\n'
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
FILES = (
    "README.md",
    "loader.py",
    "dataset_infos.json",
    "data/train-00000-of-00002.jsonl",
    "data/train-00001-of-00002.jsonl",
    "data/test-00000-of-00001.jsonl",
)


class FakeHub:
    """A hub that is a folder: `OWNER/NAME/FILE`; it counts what it is asked."""

    def __init__(self, root: Path, commit: str = COMMIT) -> None:
        self.root = root
        self.commit = commit
        self.online = True
        self.asked: list[str] = []

    def list_files(self, repo: str, revision: str | None) -> tuple[str, list[str]]:
        self.asked.append(f"{repo}@{revision}")
        if not self.online:
            raise HubError("offline", "no network")
        folder = self.root / repo
        if not folder.is_dir() or revision not in (None, "main", self.commit):
            raise HubError("missing", "404")
        return self.commit, sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())

    def download(self, repo: str, commit: str, files: Sequence[str]) -> Path:
        assert commit == self.commit
        assert all((self.root / repo / file).is_file() for file in files)
        return self.root / repo

    @property
    def hub(self) -> Hub:
        return Hub(self.list_files, self.download)


def put_hub(folder: Path, patch: pytest.MonkeyPatch) -> FakeHub:
    """The fake in the place of the real hub, and an empty cache."""
    fake = FakeHub(folder / "hub")
    for file in FILES:
        path = fake.root / "owner" / "name" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROW, encoding="utf-8")
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    patch.setattr(hub, "HUGGING_FACE", fake.hub)
    return fake
