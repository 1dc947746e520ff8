"""An export's folder: whole or absent, readable by everyone, with nothing of this machine in it.

In: the folder's place. Out: a staging folder to write into, which takes the place when it is whole. The tokenizer's
files are copied as they are: saved again by another version of a library they may split text otherwise.

    with stage_folder(run / "export" / "merged") as stage:
        copy_tokenizer(source, stage)
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuneproof.errors import FitError
from tuneproof.export.source import Source, load_ends, load_generation, locate_base
from tuneproof.figures import format_bytes
from tuneproof.model.hardware import free_disk
from tuneproof.model.load import load_tokenizer

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)
LOCAL_KEYS = ("_name_or_path", "name_or_path", "is_local", "local_files_only", "cache_dir")
"""Keys of configs in which libraries leave paths and habits of the machine that wrote them."""


@contextmanager
def stage_folder(folder: Path, needed: int = 0) -> Iterator[Path]:
    """A folder beside `folder` that takes its place at the end; what was there before goes only then.

    Raises FitError when less than `needed` bytes are free.
    """
    free = free_disk(folder)
    if needed > free:
        raise FitError("export.no_disk", where=str(folder), needed=format_bytes(needed), free=format_bytes(free))
    stage = folder.with_name(f".{folder.name}.staging")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        yield stage
        open_modes(stage)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def open_modes(folder: Path) -> None:
    """Files as the umask allows: safetensors writes 0600, which colleagues and containers cannot read."""
    mask = os.umask(0)
    os.umask(mask)
    for path in folder.rglob("*"):
        path.chmod((0o777 if path.is_dir() or path.suffix == ".sh" else 0o666) & ~mask)


def copy_tokenizer(source: Source, folder: Path) -> None:
    """The base's tokenizer and chat template, and a generation config with every token that ends an answer."""
    base = locate_base(source.model, source.revision)
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    if (folder / "tokenizer_config.json").is_file():
        write_json(folder / "tokenizer_config.json", drop_local(read_json(folder / "tokenizer_config.json")))
    tokenizer = load_tokenizer(source.model, source.revision)
    # Older models keep it in tokenizer_config.json; vLLM and llama.cpp take a file.
    if isinstance(tokenizer.chat_template, str):
        (folder / "chat_template.jinja").write_text(tokenizer.chat_template, encoding="utf-8", newline="\n")
    generation = load_generation(source)
    ends = load_ends(source, tokenizer)
    generation.eos_token_id = ends if len(ends) > 1 else ends[0]
    generation.save_pretrained(folder)


def drop_local(config: dict[str, Any]) -> dict[str, Any]:
    """The config without what only this machine knows."""
    return {key: value for key, value in config.items() if key not in LOCAL_KEYS}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """As libraries of the field write it."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def list_sizes(folder: Path) -> dict[str, int]:
    """Name -> bytes of each file."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()
    }
