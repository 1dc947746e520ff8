"""`tuneproof export`: the tuned model in other tools' forms, each proven to answer as the run did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.screens.export import draw_exports, list_lines
from tuneproof.cli.show import Screen
from tuneproof.errors import ExportError
from tuneproof.records.export import TargetName


class Target(str, Enum):
    """`TargetName` as typer reads it: a list of literals it cannot."""

    PEFT = "peft"
    MERGED = "merged"
    GGUF = "gguf"
    OLLAMA = "ollama"
    VLLM = "vllm"


@dataclass(kw_only=True)
class ExportOptions(Options):
    """Options of `export`."""

    run: Annotated[Path, Argument(metavar="RUN", help="cli.option.run")]
    to: Annotated[list[Target], Option("--to", metavar="TARGET", help="cli.option.to")]
    dtype: Annotated[str | None, Option("--dtype", metavar="TYPE", help="cli.option.dtype")] = None
    base: Annotated[str | None, Option("--base", metavar="MODEL", help="cli.option.export_base")] = None
    base_id: Annotated[str | None, Option("--base-id", metavar="ID", help="cli.option.base_id")] = None
    items: Annotated[int, Option("--items", metavar="N", min=1, help="cli.option.items")] = 20
    check: Annotated[bool, Option("--check", help="cli.option.check_only")] = False
    settings: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="cli.option.set")] = None


def export_model(options: ExportOptions, screen: Screen) -> int:
    """Write and prove; 7 when a proof fails."""
    from tuneproof.pipeline import ExportRequest, export_run

    given: dict[str, Any] = {name: getattr(options, name) for name in ("dtype", "base", "base_id", "items", "check")}
    targets: list[TargetName] = list(dict.fromkeys(target.value for target in options.to))
    request = ExportRequest(options.run, targets, settings=options.settings or (), **given)
    with screen.follow() as progress:
        exports = export_run(request, progress)
    passed = all(export.parity is not None and export.parity.passed for export in exports)
    payload = {"run": str(options.run), "passed": passed, "exports": [one.model_dump(mode="json") for one in exports]}
    screen.show(payload, draw_exports(exports), list_lines(exports) if passed else [])
    return 0 if passed else ExportError.exit_code


COMMAND = Command(
    "export",
    ExportOptions,
    export_model,
    (
        "tuneproof export runs/first --to gguf",
        "tuneproof export runs/first --to ollama --dtype q8_0",
        "tuneproof export runs/first --to merged --dtype bf16 --to peft",
        "tuneproof export runs/first --to gguf --check",
    ),
)
