"""What this machine can do with tuneproof, and where not, what is missing and how to get it on this platform.

In: what is installed and found. Out: ability -> True, or the key of a sentence that says what to do.

    list_abilities(look_around())["gpu"]        # "doctor.gpu.cpu_build"
"""

from __future__ import annotations

import platform
import shutil
from importlib.util import find_spec
from typing import NamedTuple

import torch


class Surroundings(NamedTuple):
    """What abilities are told from."""

    system: str
    """`Linux`, `Windows`, `Darwin`."""
    cuda: bool
    """A CUDA device answers."""
    mps: bool
    """An Apple GPU answers."""
    built_for: str | None
    """CUDA version that PyTorch was built for."""
    driver: bool
    """NVIDIA's driver is there."""
    packages: frozenset[str]
    """Of PACKAGES, those that can be imported."""
    programs: frozenset[str]
    """Of PROGRAMS, those on the path."""


PACKAGES = ("bitsandbytes", "fastapi", "llama_cpp", "modelscope", "uvicorn", "vllm")
PROGRAMS = ("llama-server", "ollama")


def look_around() -> Surroundings:
    """This machine."""
    return Surroundings(
        system=platform.system(),
        cuda=torch.cuda.is_available(),
        mps=torch.backends.mps.is_available(),
        built_for=torch.version.cuda,
        driver=shutil.which("nvidia-smi") is not None,
        packages=frozenset(name for name in PACKAGES if find_spec(name) is not None),
        programs=frozenset(name for name in PROGRAMS if shutil.which(name) is not None),
    )


def list_abilities(here: Surroundings) -> dict[str, bool | str]:
    """Each ability: True, or what is missing."""
    return {
        "gpu": judge_gpu(here),
        "four_bit": judge_four_bit(here),
        "web": {"fastapi", "uvicorn"} <= here.packages or "doctor.web.missing",
        "modelscope": "modelscope" in here.packages or "doctor.modelscope.missing",
        "gguf_answers": bool({"llama_cpp"} & here.packages or {"llama-server"} & here.programs)
        or "doctor.gguf_answers.missing",
        "ollama": "ollama" in here.programs or "doctor.ollama.missing",
        "vllm": "vllm" in here.packages
        or ("doctor.vllm.missing" if here.system == "Linux" and here.cuda else "doctor.vllm.elsewhere"),
    }


def judge_gpu(here: Surroundings) -> bool | str:
    """Whether a GPU computes; where a driver is there and PyTorch does not see the card, why."""
    if here.cuda or here.mps:
        return True
    if here.driver:
        return "doctor.gpu.driver" if here.built_for else "doctor.gpu.cpu_build"
    return "doctor.gpu.mac" if here.system == "Darwin" else "doctor.gpu.none"


def judge_four_bit(here: Surroundings) -> bool | str:
    """Whether base weights can be held in 4 bits: a CUDA device and bitsandbytes."""
    if not here.cuda:
        return "doctor.four_bit.no_gpu"
    return "bitsandbytes" in here.packages or "doctor.four_bit.missing"
