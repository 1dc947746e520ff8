"""Safetensors files written as the tensors come: memory holds one tensor and not a file.

The library (`safetensors.torch.save_file`) wants all tensors of a file at once. The format is eight bytes, a JSON
header and the numbers, so the header is written first, from names and shapes alone
(https://huggingface.co/docs/safetensors: a length, a header padded with spaces, one buffer without holes).

    write_shards(folder, merger.slots, torch.bfloat16, merger.read)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from tuneproof.errors import ExportError
from tuneproof.export.merge import INDEX, SINGLE, Slot

SHARD_BYTES = 5_000_000_000
"""Largest file: what hubs and file systems take without trouble."""
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def write_shards(
    folder: Path,
    slots: Sequence[Slot],
    dtype: torch.dtype,
    read: Callable[[Slot], Tensor],
    *,
    on_tensor: Callable[[], None] = lambda: None,
    limit: int = SHARD_BYTES,
) -> None:
    """Write the tensors as `model.safetensors`, or as several files with their index, named as transformers does."""
    shards = cut_shards(slots, dtype.itemsize, limit)
    names = [SINGLE] if len(shards) == 1 else name_shards(len(shards))
    for name, shard in zip(names, shards, strict=True):
        with (folder / name).open("wb") as file:
            write_header(file, shard, dtype)
            for slot in shard:
                write_numbers(file, cast_once(read(slot), dtype, slot.name))
                on_tensor()
    if len(shards) > 1:
        places = {slot.name: name for name, shard in zip(names, shards, strict=True) for slot in shard}
        total = sum(slot.size for slot in slots) * dtype.itemsize
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def cut_shards(slots: Sequence[Slot], itemsize: int, limit: int) -> list[list[Slot]]:
    """The slots in their order, as many in a file as fit into `limit` bytes, one at least."""
    shards: list[list[Slot]] = [[]]
    filled = 0
    for slot in slots:
        size = slot.size * itemsize
        if shards[-1] and filled + size > limit:
            shards.append([])
            filled = 0
        shards[-1].append(slot)
        filled += size
    return shards


def name_shards(count: int) -> list[str]:
    """`model-00001-of-00003.safetensors` and so on."""
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def write_header(file: BinaryIO, slots: Sequence[Slot], dtype: torch.dtype) -> None:
    """Names, types, shapes and places of the tensors that follow."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for slot in slots:
        end = at + slot.size * dtype.itemsize
        header[slot.name] = {"dtype": NAMES[dtype], "shape": list(slot.shape), "data_offsets": [at, end]}
        at = end
    packed = json.dumps(header, separators=(",", ":")).encode()
    packed += b" " * (-len(packed) % 8)
    file.write(len(packed).to_bytes(8, "little") + packed)


def write_numbers(file: BinaryIO, tensor: Tensor) -> None:
    """The tensor's numbers, in row order."""
    file.write(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)


def cast_once(tensor: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """The tensor in `dtype`. Raises ExportError where a number does not fit: fp16 ends at 65504."""
    cast = tensor.to(dtype)
    if dtype != tensor.dtype and not torch.isfinite(cast).all():
        raise ExportError("export.overflow", where=name, dtype=str(dtype).removeprefix("torch."))
    return cast
