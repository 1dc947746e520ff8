"""What is exported: a run's adapter, the base that it stands on, and how the run computed with them.

In: names and folders from the run's records. Out: a `Source`. Nothing written into an export names a local folder: the
base goes by its hub id and commit, which are read off the folder that a hub's cache keeps it in where the run was given
a folder.

    name_base(".../hub/models--Qwen--Qwen2.5-0.5B/snapshots/060db64...", None)     # Qwen/Qwen2.5-0.5B, 060db64...
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from transformers import GenerationConfig
from transformers.utils.hub import cached_file

from tuneproof.demo.model import HUB_ID
from tuneproof.model.chat import end_ids
from tuneproof.model.find import find_model
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import load_config, load_tokenizer
from tuneproof.records import Row

HF_CACHE = re.compile(r"models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})[/\\]?$")
"""A snapshot in the cache of huggingface_hub: `models--ORG--NAME/snapshots/COMMIT`."""
MODELSCOPE_CACHE = re.compile(r"modelscope[/\\](?:hub[/\\])?(?:models[/\\])?([^/\\]+)[/\\]([^/\\]+)[/\\]?$")
"""A folder in the cache of modelscope: `modelscope/hub/models/ORG/NAME`; a dot in a name is written `___`."""


class BaseName(NamedTuple):
    """How an export names the base."""

    id: str
    revision: str | None
    known: bool = True
    """Whether it is a hub's id; else the name of a folder, which nobody else can load."""


class Source(NamedTuple):
    """A run's tuned model, not loaded."""

    run: str
    """The run's name."""
    adapter: Path
    """Folder in PEFT's layout, the chosen scale folded into `lora_alpha`."""
    model: str
    """The base as it is loaded here: a hub id or a folder."""
    revision: str | None
    base: BaseName
    dtype: DtypeName
    """What the run's base weights were held in."""
    quantization: Literal["none", "int8", "nf4"]
    device: str
    system_prompt: str | None = None
    rows: Sequence[Row] = ()
    """Rows that 4 and 5 bits are rounded for; without any the weights are rounded for themselves."""


def name_base(name: str, revision: str | None, given: str | None = None) -> BaseName:
    """The base's id and commit. `given`: the id that the user names, as `ORG/NAME` or `ORG/NAME@COMMIT`."""
    if given:
        title, _, commit = given.partition("@")
        return BaseName(title, commit or revision)
    if name == "demo":
        return BaseName(HUB_ID, None)
    if not Path(name).expanduser().is_dir():
        return BaseName(name, revision or find_commit(name))
    return name_folder(Path(name).expanduser().resolve())


def name_folder(folder: Path) -> BaseName:
    """What a folder is called by others: the id in a hub's cache, else its own name."""
    place = folder.as_posix()
    if found := HF_CACHE.search(place):
        return BaseName(f"{found[1]}/{found[2]}", found[3])
    if found := MODELSCOPE_CACHE.search(place):
        return BaseName(f"{found[1]}/{found[2].replace('___', '.')}", None)
    return BaseName(folder.name, None, known=False)


def find_commit(name: str) -> str | None:
    """The commit that a hub's model was loaded at, from its place in the cache."""
    found = HF_CACHE.search(locate_base(name, None).as_posix())
    return found[3] if found else None


def locate_base(name: str, revision: str | None) -> Path:
    """Folder of the base's files on this disk. Raises ModelError when it is not there."""
    place = find_model(name)
    if Path(place).is_dir():
        return Path(place)
    load_config(name, revision)
    return Path(str(cached_file(place, "config.json", revision=revision))).parent


def load_ends(source: Source, tokenizer: Any | None = None) -> list[int]:
    """Ids that end an answer, as the run measured: the tokenizer's, the base's, and the template's own."""
    tokenizer = tokenizer or load_tokenizer(source.model, source.revision)
    return end_ids(tokenizer, load_generation(source))


def load_generation(source: Source) -> GenerationConfig:
    """The base's generation config; an empty one where it has none."""
    folder = locate_base(source.model, source.revision)
    if (folder / "generation_config.json").is_file():
        return GenerationConfig.from_pretrained(folder)
    return GenerationConfig(eos_token_id=getattr(load_config(source.model, source.revision), "eos_token_id", None))
