"""What a plan needs to know of a model: its config and, where it is here, its tokenizer. Nothing is downloaded for a
model that the built-in table knows.

In: the name that the user gave: a hub id, a model's folder, a folder or file with nothing but a config.json, or
`demo`. Out: a `Blueprint`.

    blueprint = find_blueprint("Qwen/Qwen1.5-1.8B-Chat", None)
    blueprint.config.hidden_size, blueprint.tokenizer       # 2048, None
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from transformers import AutoConfig

from tuneproof.model.load import load_config, load_local, load_tokenizer, read_config
from tuneproof.plan.catalogue import Known, find_known, list_known, measure_known
from tuneproof.plan.formula import read_dimensions


class Blueprint(NamedTuple):
    """A model without its weights."""

    config: Any
    """Its transformers config."""
    tokenizer: Any
    """None where it is not here: lengths are then estimated."""
    source: Literal["config", "table"]
    """Where the config is from: the model's own file, or the built-in table."""


def find_blueprint(name: str, revision: str | None) -> Blueprint:
    """The blueprint of a model. Raises ModelError for one that is neither here, nor known, nor to be had."""
    path = Path(name).expanduser()
    if path.is_file() and path.name.endswith(".json"):
        return Blueprint(read_config(path), None, "config")
    if path.is_dir():
        return Blueprint(load_config(name, revision), _find_tokenizer(name, path), "config")
    if name != "demo":
        kept = load_local(name, revision)
        if kept is not None:
            return Blueprint(*kept, "config")
        known = find_known(name)
        if known is not None:
            return Blueprint(read_known(known), None, "table")
    return Blueprint(load_config(name, revision), load_tokenizer(name, revision), "config")


def read_known(known: Known) -> Any:
    """The transformers config of a model of the table."""
    return AutoConfig.for_model(**known.config)


def match_known(config: Any) -> Known | None:
    """The model of the table that has the same dimensions, so that its smaller relatives can be named."""
    sizes = read_dimensions(config)
    return next((one for one in list_known() if measure_known(one) == sizes), None)


def _find_tokenizer(name: str, folder: Path) -> Any:
    """The folder's tokenizer; None where it holds nothing but a config.json."""
    if any((folder / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")):
        return load_tokenizer(name)
    return None
