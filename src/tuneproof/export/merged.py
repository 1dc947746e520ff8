"""`--to merged`: one model, base and adapter in one, as transformers, vLLM, TGI and converters read it.

The sum is made in fp32 and cast once; weights go from file to file one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from tuneproof.export.adapter import load_adapter
from tuneproof.export.folder import copy_tokenizer, drop_local, read_json, write_json
from tuneproof.export.merge import Merger
from tuneproof.export.shards import write_shards
from tuneproof.export.source import Source, locate_base
from tuneproof.model.hardware import DtypeName


def write_merged(source: Source, folder: Path, dtype: DtypeName, on_tensor: Callable[[], None]) -> None:
    """Config, weights, tokenizer. Raises ModelError or RunError when base and adapter do not belong together."""
    merger = Merger(source, load_adapter(source.adapter))
    write_shards(folder, merger.slots, getattr(torch, dtype), merger.read, on_tensor=on_tensor)
    config = drop_local(read_json(locate_base(source.model, source.revision) / "config.json"))
    config.pop("quantization_config", None)
    config["torch_dtype" if "torch_dtype" in config else "dtype"] = dtype
    write_json(folder / "config.json", config)
    copy_tokenizer(source, folder)


def measure_merged(source: Source, bytes_per_number: float) -> tuple[int, int]:
    """Tensors of the merged model, and bytes of its weights."""
    slots = Merger(source, load_adapter(source.adapter)).slots
    return len(slots), int(sum(slot.size for slot in slots) * bytes_per_number)
