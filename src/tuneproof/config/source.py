"""Read what the user wrote - a YAML file, `--set a.b=c` - into one plain tree, and note where each key stands.

YAML 1.1 has traps: `1e-4` is a string, `no` is false, `012` is ten, `12:30` is 750, a key may come twice and aliases
may blow up. Here only `true`, `false`, `null`, decimal integers and decimal numbers (with exponents) have a type of
their own; everything else is the text as written; doubled keys and aliases are refused.

    written = Written({}, {}, [])
    read_file(Path("run.yaml"), written)
    apply_setting("train.epochs=2", written)
    written.tree, written.sources["train.epochs"], written.faults
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tuneproof.errors import ConfigError, Fault, UsageError

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
NUMBER = re.compile(r"[-+]?(?!0[0-9])([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")
CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None}
LONGEST_NUMBER = 400
"""Digits; no float has more, and Python refuses to convert integers of thousands."""
DEEPEST = 50
"""Lists and mappings inside each other; a config has four."""

Sources = dict[str, str]


class Written(NamedTuple):
    """What the user wrote so far."""

    tree: dict[str, Any]
    sources: Sources
    """Dotted key -> `file:line` or `--set`."""
    faults: list[Fault]
    """Faults that leave the rest readable."""


def read_file(path: Path, written: Written) -> None:
    """Add a YAML file. Raises UsageError when it cannot be read, ConfigError when it is not YAML or no mapping."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError("config.missing", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("config.unreadable", where=str(path), why=str(error)) from error
    node = compose_yaml(text, str(path))
    if node is None or (isinstance(node, yaml.ScalarNode) and parse_scalar(node.value) is None):
        return
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError([Fault("config.no_mapping", where=f"{path}:1")])
    written.tree.update(_build(node, str(path), "", written))


def apply_setting(setting: str, written: Written) -> None:
    """Add one `key=value`; the value is a scalar, or what YAML's flow style writes in brackets or quotes."""
    key, equals, value = setting.partition("=")
    *sections, name = key.strip().split(".")
    if not equals or not name:
        written.faults.append(Fault("config.no_equals", where=f"--set {setting}"))
        return
    place = written.tree
    for section in sections:
        # What is no section here is a fault of the file, and told as one when the tree is checked.
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            return
        place = inner
    place[name] = _parse_value(value.strip(), key.strip(), written)
    written.sources[key.strip()] = "--set"


def parse_scalar(text: str) -> Any:
    """The value of an unquoted scalar: constant, integer, number, else the text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.match(text):
        return int(text)
    return float(text) if NUMBER.match(text) else text


def compose_yaml(text: str, file: str) -> yaml.Node | None:
    """The one document of a YAML text. Raises ConfigError for bad syntax, for aliases, which could blow up, and for
    nesting that no config has: the scanner looks through all open brackets at every token, which took minutes."""
    depth = 0
    try:
        for event in yaml.parse(text):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                line = _count_line(event.start_mark)
                raise ConfigError([Fault("config.syntax", where=f"{file}:{line}", why="nested too deeply")])
            if isinstance(event, yaml.AliasEvent):
                raise ConfigError([Fault("config.alias", where=f"{file}:{_count_line(event.start_mark)}")])
        return yaml.compose(text)
    except yaml.MarkedYAMLError as error:
        line, why = _count_line(error.problem_mark), error.problem or "?"
    except yaml.reader.ReaderError as error:
        line, why = text.count("\n", 0, error.position) + 1, f"{error.reason}: {error.character!r}"
    raise ConfigError([Fault("config.syntax", where=f"{file}:{line}", why=why)])


def _count_line(mark: Any) -> int:
    """1-based line of one of yaml's marks, which may be missing."""
    return mark.line + 1 if mark else 1


def _parse_value(text: str, key: str, written: Written) -> Any:
    """The value of a `--set`; what looks like YAML's flow style and is none is taken as text."""
    if text[:1] in ("[", "{", '"', "'"):
        try:
            node = compose_yaml(text, f"--set {key}")
        except ConfigError as error:
            if error.key != "config.syntax":
                written.faults.extend(error.faults)
            return text
        return _build(node, f"--set {key}", f"{key}.", written)
    return parse_scalar(text)


def _build(node: yaml.Node | None, file: str, prefix: str, written: Written) -> Any:
    """Plain data of a YAML node; notes the place of each key, and the keys that are doubled or no text."""
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, file, f"{prefix}{at}.", written) for at, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        assert isinstance(node, yaml.ScalarNode)
        return node.value if node.style else parse_scalar(node.value)
    tree: dict[str, Any] = {}
    for key, value in node.value:
        where = f"{file}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            written.faults.append(Fault("config.syntax", where=where, why="a key is a list or a mapping"))
            continue
        if key.value in tree:
            written.faults.append(Fault("config.doubled", where=where, key=prefix + key.value))
        written.sources[prefix + key.value] = where
        tree[key.value] = _build(value, file, f"{prefix}{key.value}.", written)
    return tree
