"""Plans that were made before: the same question, asked again, is answered without loading anything.

In: a config with a memory limit. Out: the Plan that was made for exactly it: the same rows, model files, settings,
machine and code; None where there is none. Without a limit the answer depends on what is free at the moment, so nothing
is kept. No torch.

    kept = KeptPlan(config, cards=False)
    plan = kept.load() or kept.save(preview_plan(config, progress))
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import ValidationError

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.processors import count_processors
from tuneproof.records import Plan
from tuneproof.rundir import write_atomic

LAST_USE = 60 * 24 * 3600
"""Seconds after which a kept plan is removed."""
PACKAGES = ("torch", "transformers", "peft", "tokenizers", "bitsandbytes")
DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/dxg")
"""Where a graphics card shows on Linux and in WSL, without asking a library."""
MODEL_FILES = ("*.json", "*.model", "*.jinja", "*.safetensors")


class KeptPlan:
    """The plan of one question."""

    def __init__(self, config: RunConfig, *, cards: bool, ranks: int = 1) -> None:
        folder = user_cache_path("tuneproof") / "plans"
        asked = json.dumps([cards, ranks, *_describe(config)]) if config.memory.limit else ""
        self.path = folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.json" if asked else None

    def load(self) -> Plan | None:
        """The plan, if it was made before."""
        if self.path is None:
            return None
        try:
            return Plan.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None

    def save(self, plan: Plan) -> Plan:
        """Keep the plan, and return it; a cache that cannot be written keeps nothing."""
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(self.path, plan.model_dump_json())
                for old in self.path.parent.glob("*.json"):
                    if time.time() - old.stat().st_mtime > LAST_USE:
                        old.unlink(missing_ok=True)
            except OSError:
                pass
        return plan


def _describe(config: RunConfig) -> Iterator[object]:
    """All that a plan depends on."""
    yield dump_config(config)
    for name in [*config.data.files, *([config.data.test] if config.data.test else []), *config.evaluate.probes]:
        yield [[str(file), _hash(file)] for file in _list_files(Path(name))]
    yield [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in _list_model(config.model.name or "")]
    yield [_find_version(name) for name in PACKAGES]
    yield [platform.platform(), count_processors(), *map(os.environ.get, ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"))]
    yield [place for place in DRIVERS if Path(place).exists()]
    package = Path(str(files("tuneproof")))
    yield [[str(file), file.stat().st_mtime_ns] for file in sorted(package.rglob("*.py"))]
    speeds = user_cache_path("tuneproof") / "speeds.json"
    yield speeds.stat().st_mtime_ns if speeds.is_file() else None


def _list_files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _list_model(name: str) -> list[Path]:
    """Files that say what a model is: its own, or those of the hub's cache."""
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
        path = home / "hub" / f"models--{name.replace('/', '--')}"
        return sorted(one for one in path.glob("snapshots/*/*") if one.exists()) if path.is_dir() else []
    return sorted(one for pattern in MODEL_FILES for one in path.glob(pattern))


def _hash(file: Path) -> str | None:
    if not file.is_file():
        return None
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
