"""What `tuneproof doctor` tells: versions, device, memory, disk, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import site
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from tuneproof.demo.model import find_gguf
from tuneproof.errors import ModelError
from tuneproof.messages import tell
from tuneproof.model.hardware import free_disk, inspect_hardware
from tuneproof.pipeline.abilities import list_abilities, look_around
from tuneproof.pipeline.chain import PACKAGES, list_versions

EXTRAS = {
    "4bit": "bitsandbytes",
    "web": "fastapi",
    "excel": "python_calamine",
    "modelscope": "modelscope",
    "llamacpp": "llama_cpp",
    "cluster": "ray",
    "math": "math_verify",
    "harness": "lm_eval",
}
FLOORS = {"torch": (2, 10), "transformers": (5, 3)}
"""Versions below which a known security hole is open: CVE-2026-24747 (torch), CVE-2026-4372 (transformers)."""


def describe_machine() -> dict[str, object]:
    """One section a key; every value is plain data."""
    hardware = inspect_hardware()
    return {
        "versions": list_versions(),
        "system": platform.platform(),
        "device": {
            "kind": hardware.device,
            "name": hardware.name,
            "dtype": hardware.dtype,
            "threads": hardware.threads,
        },
        "memory": {"total": hardware.memory_total, "free": hardware.memory_free},
        "disk": {"free_here": free_disk(Path()), "free_cache": free_disk(user_cache_path("tuneproof"))},
        "abilities": list_abilities(look_around()),
        "extras": {extra: find_spec(module) is not None for extra, module in EXTRAS.items()},
        "demo_model": _has_demo(),
        "hub": {
            name: os.environ.get(name) for name in ("HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE", "MODELSCOPE_CACHE")
        },
        "warnings": [*_old_versions(), *_path_files()],
    }


def _has_demo() -> bool:
    try:
        find_gguf()
    except ModelError:
        return False
    return True


def _old_versions() -> list[str]:
    """Packages with a known hole."""
    old = []
    for name in PACKAGES:
        try:
            parts = tuple(int(part) for part in version(name).split("+")[0].split(".")[:2])
        except (PackageNotFoundError, ValueError):
            continue
        if name in FLOORS and parts < FLOORS[name]:
            old.append(f"{name} {version(name)} < {'.'.join(map(str, FLOORS[name]))}")
    return old


def _path_files() -> list[str]:
    """`.pth` files that run code at every start of Python: how two poisoned packages of 2026 came in."""
    found = []
    for folder in site.getsitepackages():
        for file in sorted(Path(folder).glob("*.pth")):
            if any(
                line.startswith("import ") for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
            ):
                found.append(tell("doctor.path_file", file=file.name))
    return found
