"""`tuneproof config schema` and `config show`: every knob, its type and bounds; a config as resolved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.screens.knobs import explain_knob, write_knobs
from tuneproof.cli.show import Screen
from tuneproof.config import RunConfig
from tuneproof.config.load import list_keys, load_config

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(kw_only=True)
class ShowOptions(Options):
    """Options of `config show`."""

    config: Annotated[Path | None, Argument(metavar="CONFIG", help="cli.option.resolved")] = None
    settings: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="cli.option.set")] = None


def show_config(options: ShowOptions, screen: Screen) -> int:
    """Show every key with its value, its source, and a line of help: a YAML file that can be used."""
    path = options.config
    if path is not None and path.is_dir():
        path = path / "config.yaml"
    config, sources = load_config(path, options.settings or [])
    given = {key: sources.get(key, "default") for key in list_keys()}
    help = {key: explain_knob(key) for key in given}
    payload: dict[str, object] = {"config": config.model_dump(mode="json"), "sources": given, "help": help}
    screen.show(payload, lines=write_knobs(config, sources))
    return 0


def show_schema(options: Options, screen: Screen) -> int:
    """Write the JSON Schema of the config, for editors."""
    screen.write_json({"$schema": DIALECT, **RunConfig.model_json_schema()})
    return 0


SCHEMA = Command("config schema", Options, show_schema, ("tuneproof config schema > tuneproof.schema.json",))
SHOW = Command(
    "config show",
    ShowOptions,
    show_config,
    (
        "tuneproof config show > run.yaml",
        "tuneproof config show run.yaml --set train.epochs=2",
        "tuneproof config show runs/demo",
    ),
)
