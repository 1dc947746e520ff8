"""What a model folder may not do: run code, fetch code, fill the memory. Asked before transformers sees the folder.

Its own code may run where the command line says so (consent.py), never that of another repository, never a kernel.

In: a name as the user gave it, its folder. Out: nothing, or a ModelError that says what was found. What transformers
itself makes of a damaged or hostile folder is told as the user's error too, whatever it raises.

    vet_folder("./my-model", Path("my-model"))
    with explained("./my-model"):
        AutoConfig.from_pretrained("my-model")
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers.utils.hub import cached_file

from tuneproof.consent import allows_code
from tuneproof.errors import ModelError, TuneproofError
from tuneproof.model.find import explain_failure, first_line

LARGEST_CONFIG = 1 << 24
"""Bytes of a JSON file that says what a model is; the largest known has less than one MiB."""
SAID_BY = ("config.json", "generation_config.json", "tokenizer_config.json", "processor_config.json")
"""Files of a model folder that can name code."""
DEEPEST = 50
"""Levels of a config that are looked at; transformers reads no deeper."""


def vet_folder(name: str, folder: Path) -> None:
    """Raise ModelError when a file of the folder would make transformers fetch or run code, or cannot be read."""
    for file in SAID_BY:
        if file == SAID_BY[0] or (folder / file).is_file():
            refuse_code(name, read_json(folder / file), file)


def vet_model(name: str, path: str, revision: str | None) -> None:
    """As `vet_folder`; of a hub's model only where its code may run, before any of it is loaded.

    Where none may run transformers is told so, and the config is vetted after.
    """
    if Path(path).is_dir():
        vet_folder(name, Path(path))
        return
    for file in SAID_BY if allows_code() else ():
        with explained(name):
            kept = cached_file(path, file, revision=revision, _raise_exceptions_for_missing_entries=False)
        if kept is not None:
            refuse_code(name, read_json(Path(kept)), file)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; of another value an empty one. Raises ModelError when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("model.bad_config", where=str(path), why=first_line(error)) from error
    return content if isinstance(content, dict) else {}


def refuse_code(name: str, config: Any, file: str = "config.json", depth: int = 0) -> None:
    """Raise ModelError when a config, or a part of it, would make transformers fetch or run code.

    A value such as `org/kernel` under `_attn_implementation` reaches the hub-kernel loader even when the caller names
    another attention (transformers 5.23, measured), so it is refused before transformers sees the file. Parts, such as
    `text_config`, are configs of their own.
    """
    if depth > DEEPEST:
        raise ModelError("model.bad_config", where=f"{name}/{file}", why=f"> {DEEPEST} levels")
    if isinstance(config, list):
        for part in config:
            refuse_code(name, part, file, depth + 1)
    if not isinstance(config, dict):
        return
    if code := config.get("auto_map"):
        if not allows_code():
            raise ModelError("model.remote_code", where=f"{name}/{file}", name=name)
        refuse_elsewhere(name, code, file)
    for key, value in config.items():
        if str(key).endswith("_implementation") and any(map(_names_repository, _list_values(value))):
            raise ModelError("model.remote_kernel", where=f"{name}/{file}", value=value)
        refuse_code(name, value, file, depth + 1)


def refuse_elsewhere(name: str, code: Any, file: str) -> None:
    """Raise ModelError for code that would be fetched from another repository than the model's own."""
    values = list(code.values()) if isinstance(code, dict) else [code]
    places = [place for value in values for place in (value if isinstance(value, list | tuple) else [value])]
    for place in places:
        if isinstance(place, str) and "--" in place:
            raise ModelError("model.code_elsewhere", where=f"{name}/{file}", value=place)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """A user's error for all that loading a model folder raises: a stranger's files can provoke nearly anything."""
    try:
        yield
    except (TuneproofError, MemoryError):
        raise
    except Exception as error:
        raise explain_failure(name, error) from error


def _list_values(value: Any) -> list[Any]:
    """A value, or those of a dictionary (an attention for each part of a model)."""
    return list(value.values()) if isinstance(value, dict) else [value]


def _names_repository(value: Any) -> bool:
    return isinstance(value, str) and "/" in value
