"""The fresh process: `python -m tuneproof.export.parity.child FOLDER` reads `request.json` and writes what it hears.

It loads what the request names in the way a user of that format would, and answers with nothing of the run's own code
for templates and tokens.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tuneproof.export.parity.ask import Heard, Request, save_heard


def hear(request: Request) -> Heard:
    """Ask the reader that the request names."""
    if request.reader == "llama.cpp":
        from tuneproof.export.parity.llamacpp import hear_llamacpp

        return hear_llamacpp(request)
    if request.reader == "gguf":
        from tuneproof.export.parity.ggufs import hear_gguf

        return hear_gguf(request)
    if request.reader == "run":
        from tuneproof.export.parity.run import hear_run

        return hear_run(request)
    from tuneproof.export.parity.huggingface import hear_folder

    return hear_folder(request)


def main(folder: Path) -> None:
    """Read, ask, write."""
    request = Request.model_validate_json((folder / "request.json").read_bytes())
    save_heard(hear(request), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
