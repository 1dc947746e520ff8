"""`--to peft`: the adapter by PEFT's conventions, so that any tool that reads PEFT adapters takes it.

The base goes by its hub id and commit, never by a local path: llama.cpp's converter and vLLM follow that field.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tuneproof.export.adapter import CONFIG, WEIGHTS, load_adapter
from tuneproof.export.folder import copy_tokenizer, write_json
from tuneproof.export.source import Source


def write_peft(source: Source, folder: Path) -> None:
    """Weights, config, tokenizer and chat template. Raises RunError when the run's adapter is no plain LoRA adapter."""
    config = load_adapter(source.adapter).config
    shutil.copyfile(source.adapter / WEIGHTS, folder / WEIGHTS)
    config |= {"base_model_name_or_path": source.base.id, "revision": source.base.revision, "inference_mode": True}
    # A set in PEFT, so its order differs from run to run.
    if isinstance(config["target_modules"], list):
        config["target_modules"] = sorted(config["target_modules"])
    write_json(folder / CONFIG, dict(sorted(config.items())))
    copy_tokenizer(source, folder)
