"""The run's adapter folder, from a checkpoint: PEFT's layout, readable by everyone, nothing private in it.

In: a checkpoint folder, the chosen scale. Out: adapter weights, config (the scale folded into `lora_alpha`, so that
any PEFT reader gets it), tokenizer and chat template. No optimizer state, no pickles, no local path.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file

from tuneproof.config.model import MODELSCOPE
from tuneproof.errors import TrainingError
from tuneproof.training.checkpoint import sync

WEIGHTS = "adapter_model.safetensors"
PRIVATE = ("optimizer", "scheduler", "rng_state", "trainer_state", "training_args", "manifest", "scaler")


def save_adapter(checkpoint: Path, folder: Path, scale: float, *, base: str | None) -> None:
    """Write the adapter folder, whole or not at all. Raises TrainingError when a weight is not finite."""
    for name, tensor in load_file(checkpoint / WEIGHTS).items():
        if not torch.isfinite(tensor).all():
            raise TrainingError("train.bad_adapter", where=f"{checkpoint.name}/{WEIGHTS}", name=name)
    stage = folder.with_name(f".{folder.name}.staging")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    for path in sorted(checkpoint.iterdir()):
        if path.is_file() and not path.name.startswith(PRIVATE):
            shutil.copyfile(path, stage / path.name)
    config = json.loads((stage / "adapter_config.json").read_text(encoding="utf-8"))
    config["lora_alpha"] = config["lora_alpha"] * scale
    # Another hub is where it was fetched from, not a part of its name.
    config["base_model_name_or_path"] = base.removeprefix(MODELSCOPE) if base else base
    (stage / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    # On the disk before its name is: run.json says that the stage is done right after this.
    for path in stage.iterdir():
        sync(path)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(stage, folder)
    sync(folder.parent)
