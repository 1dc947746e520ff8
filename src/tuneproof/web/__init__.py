"""The web app: see a run learn, read its report, compare answers live. `tuneproof ui`.

    web/
    |- settings      what it is started with
    |- app           the parts put together
    |- listen        the address
    |- guard         who may come in, and how much they may send
    |- parts         what routes share: pages, the reader's language, names of runs
    |- routes/       pages, and what their scripts ask for
    |- shelf         the runs of a folder, a line about each
    |- life          whether somebody works in a run folder
    |- live          how a run stands right now
    |- bases         base models on offer
    |- uploads       data files that were handed over
    |- children      check, plan, blame, compare as child processes that are awaited
    |- launch        runs as processes of their own, which outlive this one
    |- playground    the one worker that has a model loaded
    |- environment   templates and static files, on top of the report's
    |- words         what the scripts say
    |- templates/ static/

In: a folder of runs. Out: HTTP on this machine. It loads no torch, reads run folders, and leaves work to
`tuneproof ... --json`. Text of models, data and names is text, never markup.

    serve_app(Settings(Path("runs")), print)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tuneproof.web.app import build_app
from tuneproof.web.listen import bind
from tuneproof.web.settings import Settings

__all__ = ["Settings", "build_app", "serve_app"]


def serve_app(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `ready` is told the address. Raises OSError where that cannot be used."""
    import uvicorn

    listening = bind(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    config = uvicorn.Config(
        build_app(settings), log_level="warning", access_log=False, server_header=False, timeout_keep_alive=20,
        timeout_graceful_shutdown=3, limit_concurrency=200,
    )  # fmt: skip
    # After a clean end uvicorn sends the signal once more, to whom it would have gone.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
