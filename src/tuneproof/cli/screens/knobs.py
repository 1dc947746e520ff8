"""A config with every key, the value, where it came from, and a line of help: a YAML file that can be read back.

In: a config and the sources of the keys that were given. Out: lines of YAML.

    train:
      epochs: 2  # --set. Passes over the rows.
"""

from __future__ import annotations

import json

from tuneproof.cli.words import quote_line
from tuneproof.config import RunConfig
from tuneproof.messages import current_language, tell
from tuneproof.messages.knobs import CHINESE


def write_knobs(config: RunConfig, sources: dict[str, str]) -> list[str]:
    """The config as lines of commented YAML."""
    lines = []
    for section in RunConfig.model_fields:
        lines.append(f"{section}:")
        values = getattr(config, section)
        for name in type(values).model_fields:
            key = f"{section}.{name}"
            source = sources.get(key) or tell("cli.config.default")
            lines.append(
                f"  {name}: {_write_value(getattr(values, name))}  # {quote_line(source)}. {explain_knob(key)}"
            )
    return lines


def explain_knob(key: str) -> str:
    """One line of help of a key: English stands at the knob, Chinese in the catalogue."""
    if current_language() == "zh" and key in CHINESE:
        return CHINESE[key]
    section, name = key.split(".")
    return str(getattr(RunConfig(), section).__class__.model_fields[name].description)


def _write_value(value: object) -> str:
    """A value in JSON, which YAML reads without its traps; what cannot be seen is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
