"""`tuneproof models`: base models that are good first choices, by memory, language and licence, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from tuneproof.cli.amounts import parse_size
from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.screens.bases import draw_bases
from tuneproof.cli.show import Screen


@dataclass(kw_only=True)
class ModelsOptions(Options):
    """Options of `models`."""

    memory: Annotated[str | None, Option("--memory", metavar="SIZE", help="cli.option.memory")] = None


def list_models(options: ModelsOptions, screen: Screen) -> int:
    """Show the list."""
    from tuneproof.pipeline import list_bases

    choices = list_bases(parse_size(options.memory, "--memory") if options.memory is not None else None)
    screen.show(choices.model_dump(mode="json"), draw_bases(choices))
    return 0


COMMAND = Command(
    "models",
    ModelsOptions,
    list_models,
    ("tuneproof models", "tuneproof models --memory 6GB", "tuneproof models --memory 8GB --json"),
)
