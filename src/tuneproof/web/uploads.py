"""Data files that a reader has handed over, kept beside the runs: a run goes on from them after a stop.

A file lies in a folder named by the hash of its content, under a name of plain characters; the id that a page gets for
it is looked up in the list of what is there. In: chunks of bytes. Out: an Upload.

    upload = await uploads.keep("rows.jsonl", request.stream())
    uploads.find(upload.id).path
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".xlsx")
"""What `check` reads by its ending; each may be followed by `.gz`."""
NAME_LENGTH = 80


class UnknownEnding(ValueError):
    """A file that no reader is there for."""


class Upload(NamedTuple):
    """A file that was handed over."""

    id: str
    name: str
    size: int
    path: Path


class Uploads:
    """The folder of files that were handed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def keep(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Write the file, and publish it when it is whole. Raises UnknownEnding; what the chunks raise is passed on."""
        plain = clean_name(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, staged = tempfile.mkstemp(dir=self.folder, prefix=".part-")
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            # The name counts: a row's id is made of it and of the text.
            digest.update(plain.encode())
            place = self.folder / digest.hexdigest()[:16]
            place.mkdir(exist_ok=True)
            os.replace(staged, place / plain)
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise
        return Upload(place.name, plain, size, place / plain)

    def find(self, name: str) -> Upload | None:
        """The file of this id."""
        if not self.folder.is_dir() or name not in os.listdir(self.folder):
            return None
        files = [path for path in (self.folder / name).iterdir() if path.is_file()] if not name.startswith(".") else []
        return Upload(name, files[0].name, files[0].stat().st_size, files[0]) if len(files) == 1 else None


def clean_name(name: str) -> str:
    """The file's name in letters, digits, points, hyphens and underscores. Raises UnknownEnding."""
    last = re.split(r"[/\\]", name)[-1].lower()
    zipped = last.endswith(".gz")
    stem, point, ending = last.removesuffix(".gz").rpartition(".")
    if f"{point}{ending}" not in ENDINGS:
        raise UnknownEnding(name)
    plain = re.sub(r"[^\w-]+", "-", stem).strip("-_")[:NAME_LENGTH] or "rows"
    return f"{plain}.{ending}{'.gz' if zipped else ''}"
