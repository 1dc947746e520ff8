"""Which base models a new run may be started with: a fixed list, from which a request picks one by its name.

The demo model, what the command line named, the bases of the runs that are there, and what lies in the cache of the
hub. No request can name anything else, a path or an address least of all.

    Bases(("./my-model",), shelf).list_names()      # ["demo", "./my-model", "Qwen/Qwen2.5-0.5B-Instruct"]
"""

from __future__ import annotations

import os
from pathlib import Path

from tuneproof.web.shelf import Shelf

DEMO = "demo"


class Bases:
    """The base models on offer."""

    def __init__(self, named: tuple[str, ...], shelf: Shelf) -> None:
        self.named = named
        self.shelf = shelf

    def list_names(self) -> list[str]:
        """Their names, those of the command line before those that were found."""
        used = sorted({line.model for line in self.shelf.list_lines() if line.model})
        return list(dict.fromkeys([*self.named, DEMO, *used, *list_cached(find_cache())]))


def find_cache() -> Path:
    """Where huggingface_hub keeps what it has fetched, by the variables that it goes by."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named)
    home = os.environ.get("HF_HOME")
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else (Path(cache) if cache else Path.home() / ".cache") / "huggingface") / "hub"


def list_cached(cache: Path) -> list[str]:
    """Ids of the models in the cache that have a config and weights in safetensors."""
    found = []
    for folder in sorted(cache.glob("models--*")):
        snapshots = [one for one in folder.glob("snapshots/*") if (one / "config.json").is_file()]
        if any(next(one.glob("*.safetensors"), None) for one in snapshots):
            found.append(folder.name.removeprefix("models--").replace("--", "/"))
    return found
