"""`--to vllm`: whether vLLM serves this adapter as it is, and the line that starts it.

vLLM takes the adapter beside the base (`--lora-modules`) under its own conditions, read in `vllm/config/lora.py` and
`vllm/lora/peft_helper.py` (0.14 to 0.27): the highest rank is one of a few steps, `modules_to_save`, `bias` and DoRA
are refused, and embeddings and head are not adapted. Where one of them is broken the merged model is what to serve.

    find_obstacles(config)     # [] : yes
    write_command("service-desk", base, config, "bfloat16")
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from tuneproof.export.source import BaseName

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that `--max-lora-rank` takes; its default is 16."""
UNSERVED = ("embed_tokens", "lm_head")


def find_obstacles(config: dict[str, Any]) -> list[str]:
    """Why vLLM does not serve the adapter, as names of reasons; none where it does."""
    targets = config.get("target_modules") or []
    broken = {
        "rank": choose_rank(int(config["r"])) is None,
        "modules": bool(config.get("modules_to_save")),
        "dora": bool(config.get("use_dora")),
        "bias": config.get("bias", "none") != "none",
        "head": any(str(target).endswith(UNSERVED) for target in ([targets] if isinstance(targets, str) else targets)),
    }
    return [reason for reason, is_broken in broken.items() if is_broken]


def choose_rank(rank: int) -> int | None:
    """The smallest step that holds an adapter of this rank: 32 for 24. None above the last."""
    return next((step for step in RANKS if step >= rank), None)


def write_command(name: str, base: BaseName, config: dict[str, Any], dtype: str, folder: str = "./adapter") -> str:
    """The line that serves base and adapter; requests choose by `"model": name`."""
    options = [
        *(["--revision", base.revision] if base.revision else []),
        "--dtype",
        dtype,
        "--enable-lora",
        "--max-lora-rank",
        str(choose_rank(int(config["r"]))),
        "--lora-modules",
        f"{name}={folder}",
        "--generation-config",
        folder,
        "--chat-template",
        f"{folder}/chat_template.jinja",
    ]
    return shlex.join(["vllm", "serve", base.id, *options])


def write_merged_command(name: str, folder: str) -> str:
    """The line that serves the merged model."""
    return shlex.join(["vllm", "serve", folder, "--served-model-name", name])


def write_script(commands: Sequence[str]) -> str:
    """A script to start it from its own folder."""
    lines = ["#!/bin/sh", 'cd "$(dirname "$0")" || exit 1', *(f"exec {command}" for command in commands)]
    return "\n".join(lines) + "\n"
