"""Convert a GGUF file to a safetensors folder: `python -m tuneproof.model.convert FILE.gguf FOLDER`.

The folder appears whole or not at all: it is written beside its place and renamed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from tuneproof.model.load import quiet_transformers


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Write the model of `gguf` and its tokenizer to `folder` in float32 safetensors.

    `dequantize=True` matters: without it transformers 5 keeps the weights quantised and training is 20 times slower.
    """
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


if __name__ == "__main__":
    convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]))
