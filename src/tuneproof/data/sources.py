"""What the user named as data -> the files to read, in a stable order, and what beside them is left out.

A name is a file, a folder (its files with an ending that is read, by name; hidden ones and folders inside it are not
looked at) or a data set of a hub. What lies on this machine goes before a data set of the same name.

    sources = list_sources(["rows.jsonl", "more/", "owner/name:train"], (".jsonl", ".csv"))
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from tuneproof.config.data import names_hub
from tuneproof.data.decode import file_kind
from tuneproof.data.hub import fetch_dataset
from tuneproof.errors import UsageError


class Sources(NamedTuple):
    """Files, and what was passed over."""

    files: dict[Path, str]
    """File -> the name that it was asked for by; in the order in which they are read."""
    left_out: list[str]
    """Of folders and data sets: what is not read, because its ending is none that we know or it was not asked for."""


def list_sources(names: Sequence[Path | str], kinds: Collection[str]) -> Sources:
    """The files behind `names`, whose endings must be among `kinds`.

    Raises UsageError for what is not there, holds no data file, or has another ending.
    """
    sources = Sources({}, [])
    if not names:
        raise UsageError("data.no_file")
    for name in names:
        path = Path(name)
        if path.is_dir():
            add_folder(path, kinds, sources)
        elif path.exists():
            if file_kind(path) not in kinds:
                raise UsageError("data.unknown_extension", where=str(path), ending=path.suffix, known=list_kinds(kinds))
            sources.files.setdefault(path, str(name))
        elif names_hub(path.as_posix()):
            dataset = fetch_dataset(path.as_posix(), list(kinds))
            sources.files.update(dict.fromkeys(dataset.files, str(name)))
            sources.left_out.extend(f"{path.as_posix()}: {file}" for file in dataset.left_out)
        else:
            raise UsageError("data.missing_file", where=str(path))
    return sources


def add_folder(folder: Path, kinds: Collection[str], sources: Sources) -> None:
    """Add the data files of a folder. Raises UsageError when it has none."""
    inside = sorted((file for file in folder.iterdir() if not file.name.startswith(".")), key=lambda file: file.name)
    files = [file for file in inside if file.is_file() and file_kind(file) in kinds]
    if not files:
        raise UsageError("data.empty_folder", where=str(folder), known=list_kinds(kinds))
    for file in files:
        sources.files.setdefault(file, str(folder))
    sources.left_out.extend(f"{file}/" if file.is_dir() else str(file) for file in inside if file not in files)


def list_kinds(kinds: Collection[str]) -> str:
    """The endings, for use in a sentence."""
    return " ".join([*kinds, ".gz"])


def file_stem(path: Path) -> str:
    """The file's name without its endings: the task of rows that name none."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem
