"""What the web app is started with.

settings = Settings(Path("runs"), token="a long secret")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneproof.hosts import is_loopback
from tuneproof.messages import Language


@dataclass(frozen=True)
class Settings:
    """Where the runs lie, who may come in, and how much may be sent."""

    runs: Path
    """Folder whose direct children are run folders; what the app itself keeps lies in `.web` inside it."""
    host: str = "127.0.0.1"
    port: int = 8321
    token: str | None = None
    hosts: tuple[str, ...] = ()
    """Further names by which the app is asked, such as a proxy's."""
    models: tuple[str, ...] = ()
    """Base models that a new run may be started with, beside `demo` and those of the runs that are there."""
    given: tuple[str, ...] = ()
    """`--config` and `--set` that the command line of every check, plan and run begins with."""
    upload_limit: int = 10**9
    """Largest data file, in bytes."""
    language: Language = "en"
    """Of a reader whose browser asks for neither language."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the app."""
        return is_loopback(self.host)

    @property
    def folder(self) -> Path:
        """What the app keeps beside the runs: uploaded files, logs of the processes it started."""
        return self.runs / ".web"
