"""Convert a GGUF file to a safetensors folder: `python -m tuneproof.model.convert FILE.gguf FOLDER [WEIGHTS]`.

The folder appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GgufConfig

from tuneproof.model.load import quiet_transformers


def convert_gguf(gguf: Path, folder: Path, weights: int | None = None) -> None:
    """Write the model of `gguf` and its tokenizer to `folder` in float32 safetensors.

    `dequantize=True` matters: without it transformers 5 keeps the weights quantised and training is 20 times slower.
    Raises ValueError when the file has fewer than the model it describes; `weights` are those counted in it, None for
    a file that is known.
    """
    if weights is not None:
        check_whole(gguf, weights)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        with quiet_transformers():
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype=torch.float32,
            )
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            # The file's own title, which is no place to load from.
            model.config._name_or_path = ""
            model.save_pretrained(stage)
            tokenizer.save_pretrained(stage)
        for file in stage.iterdir():
            file.chmod(0o644)
        stage.chmod(0o755)
        if not folder.exists():
            stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def check_whole(gguf: Path, weights: int) -> None:
    """Raise ValueError unless a file with so many weights can be the model that its header describes.

    transformers makes up what is missing, and takes a size that the header does not name from its first model of that
    architecture: a file of a few bytes fills the memory with 7 billion made-up weights.
    """
    with quiet_transformers(), torch.device("meta"):
        config = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_config(config)
        model.tie_weights()
    wanted = sum(weight.numel() for weight in model.parameters())
    if weights < wanted:
        raise ValueError(f"it holds {weights:,} weights, its header describes {wanted:,}")


if __name__ == "__main__":
    convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
