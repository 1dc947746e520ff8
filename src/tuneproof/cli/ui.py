"""`tuneproof ui`: the web app. It loads no model itself; its playground starts `tuneproof serve`."""

from __future__ import annotations

import os
import webbrowser
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from typer import Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import ConfigOptions
from tuneproof.cli.settings import gather_config
from tuneproof.cli.show import Screen
from tuneproof.errors import UsageError
from tuneproof.messages import current_language, tell

TOKEN = "TUNEPROOF_TOKEN"


@dataclass(kw_only=True)
class UiOptions(ConfigOptions):
    """Options of `ui`; a config and settings are what the runs start from that it starts."""

    runs: Annotated[Path, Option("--runs", metavar="DIR", help="cli.option.runs_folder")] = Path("runs")
    model: Annotated[list[str] | None, Option("--model", metavar="MODEL", help="cli.option.offered")] = None
    host: Annotated[str, Option("--host", metavar="ADDRESS", help="cli.option.host")] = "127.0.0.1"
    port: Annotated[int, Option("--port", metavar="N", min=0, max=65535, help="cli.option.port")] = 8321
    token: Annotated[str | None, Option("--token", metavar="TOKEN", help="cli.option.token")] = None
    allow_host: Annotated[list[str] | None, Option("--allow-host", metavar="NAME", help="cli.option.allow_host")] = None
    open: Annotated[bool, Option("--open", help="cli.option.open")] = False


def open_app(options: UiOptions, screen: Screen) -> int:
    """Serve until Ctrl-C. Raises UsageError, before anything listens, where it would not be safe or cannot be done."""
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise UsageError("ui.no_web")
    from tuneproof.web import Settings, serve_app

    settings = Settings(
        runs=options.runs,
        host=options.host,
        port=options.port,
        token=options.token or os.environ.get(TOKEN) or None,
        hosts=tuple(options.allow_host or ()),
        models=tuple(options.model or ()),
        given=_list_given(options),
        language=current_language(),
    )
    gather_config(options)  # What every run would be told is wrong is told now.
    if not settings.is_local and settings.token is None:
        raise UsageError("ui.no_token", where="--host", host=settings.host)

    def announce(address: str) -> None:
        screen.show({"address": address}, lines=[tell("ui.open", address=address)])
        if options.open:
            webbrowser.open(address)

    try:
        serve_app(settings, announce)
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise UsageError("ui.no_address", where="--port", address=address, why=error.strerror or str(error)) from error
    return 0


def _list_given(options: UiOptions) -> tuple[str, ...]:
    """Config and settings as the command lines of the runs take them."""
    given = ["--config", str(options.config.resolve())] if options.config is not None else []
    return (*given, *(part for setting in options.settings or () for part in ("--set", setting)))


COMMAND = Command(
    "ui",
    UiOptions,
    open_app,
    (
        "tuneproof ui",
        "tuneproof ui --runs runs --model ./my-model --open",
        "tuneproof ui --set data.task=category",
        "TUNEPROOF_TOKEN=secret tuneproof ui --host 0.0.0.0 --port 8080",
    ),
)
