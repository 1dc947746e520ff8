"""`tuneproof serve`: base and tuned models behind OpenAI's interface, until Ctrl-C."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Group, RenderableType
from rich.text import Text
from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import Device, TrustOptions
from tuneproof.cli.screens.frame import make_facts
from tuneproof.cli.show import Screen
from tuneproof.cli.words import clean_text
from tuneproof.errors import UsageError
from tuneproof.messages import tell

if TYPE_CHECKING:
    from tuneproof.serve.listen import Ready


@dataclass(kw_only=True)
class ServeOptions(TrustOptions):
    """Options of `serve`."""

    runs: Annotated[list[Path], Argument(metavar="RUN...", help="cli.option.serve_runs")]
    host: Annotated[str, Option("--host", metavar="ADDRESS", help="cli.option.host")] = "127.0.0.1"
    port: Annotated[int, Option("--port", metavar="N", min=0, max=65535, help="cli.option.port")] = 8000
    token: Annotated[
        str | None, Option("--token", metavar="TOKEN", envvar="TUNEPROOF_TOKEN", help="cli.option.token")
    ] = None
    allow_host: Annotated[list[str] | None, Option("--allow-host", metavar="NAME", help="cli.option.allow_host")] = None
    device: Annotated[Device | None, Option("--device", help="cli.option.device")] = None


def serve_models(options: ServeOptions, screen: Screen) -> int:
    """Serve until a signal comes."""
    try:
        from tuneproof.serve.listen import ServeRequest, serve_runs
    except ModuleNotFoundError as error:
        raise UsageError("serve.no_packages", where="tuneproof serve", name=error.name) from None

    def tell_ready(ready: Ready) -> None:
        commands = [f"  {line}" for lines in ready.heavy.values() for line in lines]
        screen.show(ready._asdict(), draw_ready(ready), [tell("serve.heavy"), *commands, "", tell("serve.stop")])

    request = ServeRequest(
        options.runs, options.host, options.port, options.token or None, options.allow_host or (), options.device
    )
    screen.farewell = "serve.stopped"
    with screen.follow() as progress:
        serve_runs(request, progress, tell_ready)
    return 0


def draw_ready(ready: Ready) -> RenderableType:
    """Where it is, what may be asked, and who may ask."""
    scaled = tell("serve.scaled", name=ready.models[-1])
    facts = [
        (tell("serve.url"), ready.url),
        (tell("serve.models"), f"{', '.join(clean_text(name) for name in ready.models)} ({clean_text(scaled)})"),
        (tell("serve.access"), tell("serve.with_token" if ready.guarded else "serve.this_machine")),
        (tell("serve.device"), f"{ready.device}, {ready.dtype}"),
        (tell("serve.limits"), tell("serve.limits_are", context=f"{ready.context:,}", rows=ready.rows)),
    ]
    return Group(make_facts(facts), Text())


COMMAND = Command(
    "serve",
    ServeOptions,
    serve_models,
    (
        "tuneproof serve runs/first",
        "tuneproof serve runs/first runs/second --port 8080",
        "TUNEPROOF_TOKEN=... tuneproof serve runs/first --host 0.0.0.0",
    ),
)
