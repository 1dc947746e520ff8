"""Load, check and write a config: every fault at once, each with its place, the reason, and the nearest name.

In: a YAML file and `--set a.b=c` (read by `source.py`). Out: a RunConfig, and for each given key where it came from.

    config, sources = load_config(Path("run.yaml"), ["train.epochs=2"])
    sources["train.epochs"]      # "--set"
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tuneproof.config import RunConfig
from tuneproof.config.source import Sources, Written, apply_setting, parse_scalar, read_file
from tuneproof.errors import ConfigError, Fault
from tuneproof.messages import load_catalogue, tell

LONGEST_VALUE = 60
"""Characters of a wrong value that are shown."""


def load_config(path: Path | None = None, settings: Sequence[str] = ()) -> tuple[RunConfig, Sources]:
    """The config, and for each key that was given where it came from (`file:line` or `--set`).

    Raises ConfigError with every fault of the file and the settings, UsageError when the file cannot be read.
    """
    written = Written({}, {}, [])
    if path is not None:
        read_file(path, written)
    for setting in settings:
        apply_setting(setting, written)
    try:
        config = validate_tree(written.tree, written.sources)
    except ConfigError as error:
        raise ConfigError(written.faults + error.faults) from None
    if written.faults:
        raise ConfigError(written.faults)
    return config, written.sources


def load_settled(path: Path, settings: Sequence[str] = ()) -> RunConfig:
    """The config of a run folder, which names its base. Raises as `load_config`, and where it names none."""
    config, _ = load_config(path, settings)
    if config.model.name is None:
        raise ConfigError([Fault("config.no_model", where=f"{path}: model.name")])
    return config


def validate_tree(tree: dict[str, Any], sources: Sources) -> RunConfig:
    """The config of a nested dictionary. Raises ConfigError with every fault."""
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        by_key: dict[str, list[Any]] = {}
        for fault in error.errors(include_url=False):
            by_key.setdefault(_name_key(fault), []).append(fault)
        raise ConfigError([_explain(key, faults, sources) for key, faults in by_key.items()]) from None


class _Dumper(yaml.SafeDumper):
    """Quotes each text that `parse_scalar` would read as something else, such as `1e-4`, and odd line breaks."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = parse_scalar(text) == text and text.isprintable()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _write_text)


def dump_config(config: RunConfig) -> str:
    """The config as YAML; reading it back gives the same config."""
    tree = config.model_dump(mode="json")
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30)
    return text


def list_keys(model: type[BaseModel] = RunConfig, prefix: str = "") -> list[str]:
    """Every key of the config, dotted."""
    keys = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += list_keys(kind, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


OTHERS = {
    "batch_size": "train.batch_size",
    "lr": "train.learning_rate",
    "lora_r": "lora.rank",
    "num_train_epochs": "train.epochs",
    "per_device_train_batch_size": "train.micro_batch",
    "r": "lora.rank",
    "seed": "train.seed",
}
"""What other trainers call them, or mean where several of ours end so."""


def find_key(name: str) -> str | None:
    """The key that is meant by a name without its section, with `_` for the dot, or as other trainers have it; None
    where there is none, or several."""
    found = [key for key in list_keys() if name in (key.rpartition(".")[2], key.replace(".", "_"))]
    return OTHERS.get(name) or (found[0] if len(found) == 1 else None)


def nearest_key(key: str) -> str | None:
    """The known key most like `key`: what it is without its section, then on its own level, then by its last part
    anywhere; None if none is."""
    if meant := find_key(key):
        return meant
    section, _, name = key.rpartition(".")
    here = _list_names(section)
    close = difflib.get_close_matches(name, here, 1, 0.6)
    if close:
        return f"{section}.{close[0]}" if section else close[0]
    by_name = {known.rpartition(".")[2]: known for known in reversed(list_keys())}
    close = difflib.get_close_matches(name, by_name, 1, 0.75)
    return by_name[close[0]] if close else None


def _list_names(section: str) -> list[str]:
    """Names that may stand in a section; those of the sections for the top level."""
    if not section:
        return list(RunConfig.model_fields)
    return [key.partition(".")[2] for key in list_keys() if key.startswith(f"{section}.")]


def _name_key(fault: Any) -> str:
    """The key a fault is about, without the places inside its value (an item, a member of a union)."""
    path = [str(part) for part in fault["loc"]]
    return ".".join(path if fault["type"] == "extra_forbidden" else path[:2])


def _explain(key: str, faults: Sequence[Any], sources: Sources) -> Fault:
    """One fault in the user's words for all that pydantic says about one key."""
    where = f"{sources[key]}: {key}" if key in sources else key
    if faults[0]["type"] != "extra_forbidden":
        value, why = repr(faults[0]["input"]), " / ".join(dict.fromkeys(_tell_why(fault) for fault in faults))
        shown = value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…"
        return Fault("config.value", where=where, key=key, value=shown, why=why)
    if key in list_keys():
        section, _, name = key.partition(".")
        return Fault("config.dotted", where=where, key=key, section=section, name=name)
    nearest = nearest_key(key)
    if nearest:
        return Fault("config.unknown", where=where, key=key, nearest=nearest)
    return Fault("config.strange", where=where, key=key, known=", ".join(_list_names(key.rpartition(".")[0])))


def _tell_why(fault: Any) -> str:
    """Why a value is refused, in the language in use; pydantic's own words where the catalogue has none."""
    key = f"config.why.{fault['type']}"
    if key not in load_catalogue():
        return tell("config.why.other", why=fault["msg"])
    return tell(key, **fault.get("ctx", {}))
