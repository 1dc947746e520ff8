"""From a command's options to the config of a run, and the name of its folder.

Flags beat `--set`, `--set` beats the config file, the file beats a command's own defaults. All faults of file and
settings are told at once.

    config = gather_config(options)
    folder = options.out or name_run(config)        # runs/rows-smollm2-135m-instruct
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneproof.cli.options import ConfigOptions
from tuneproof.config import RunConfig
from tuneproof.config.data import STDIN, names_hub
from tuneproof.config.load import load_config, validate_tree
from tuneproof.errors import ConfigError, Fault, UsageError


def gather_config(options: ConfigOptions, defaults: Mapping[str, object] | None = None) -> RunConfig:
    """The config of a command: `defaults` below what the user gave. Raises ConfigError with every fault, UsageError."""
    given, sources = load_config(options.config, options.settings or [])
    tree: dict[str, Any] = given.model_dump(exclude_unset=True)
    for key, value in (defaults or {}).items():
        if key not in sources:
            _put(tree, key, value)
    for key, value in options.knobs().items():
        _put(tree, key, value)
    return validate_tree(tree, sources)


def require_rows(config: RunConfig) -> None:
    """Raise UsageError unless data files are named and there: told before a run folder is made or a library loaded."""
    if not config.data.files:
        raise UsageError("data.no_files", where="DATA")
    files = [file for file in config.data.files if file != STDIN]
    for file in [*files, *([config.data.test] if config.data.test else [])]:
        # Whether a hub has a data set of this name is told when it is asked for.
        if not Path(file).exists() and not names_hub(file):
            raise UsageError("data.missing_file", where=file)


def require_model(config: RunConfig) -> None:
    """Raise ConfigError unless a base model is named."""
    if config.model.name is None:
        raise ConfigError([Fault("config.no_model", where="model.name")])


def name_run(config: RunConfig) -> Path:
    """`runs/DATA-MODEL` of the first data file and the model's name; with --from `runs/DATA-from-RUN`."""
    if config.train.start_from is not None:
        return Path("runs") / f"{_slug(_stem(config.data.files[0]))}-from-{_slug(Path(config.train.start_from).name)}"
    model = re.split(r"[/\\]", (config.model.name or "").rstrip("/\\"))[-1].removesuffix(".gguf")
    return Path("runs") / f"{_slug(_stem(config.data.files[0]))}-{_slug(model)}"


def _stem(file: str) -> str:
    if file == STDIN:
        return "stdin"
    name = Path(file).name or Path(file).resolve().name
    return re.sub(r"(?i)(\.(jsonl?|csv|tsv|parquet|xlsx))?(\.gz)?$", "", name)


def _slug(name: str) -> str:
    """Lower case; letters of any script, digits, points and underscores stay, all else becomes one hyphen."""
    return re.sub(r"[^\w.]+", "-", name.lower()).strip("-.") or "run"


def _put(tree: dict[str, Any], key: str, value: object) -> None:
    *sections, name = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[name] = value
