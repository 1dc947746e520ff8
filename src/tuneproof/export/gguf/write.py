"""GGUF files: the merged model in one of six types, and the adapter alone.

Tensors are written as they come, one at a time. Types follow llama.cpp's own converter: vectors and norms stay F32; in
a 4- or 5-bit file embeddings and head are Q8_0, since they decide every token. A row that does not divide into blocks
of 32 becomes F16. What 4 and 5 bits are rounded for are the run's rows (`rounding`).

    write_model(source, Path("model-F16.gguf"), "f16", on_tensor)
    write_lora(source, Path("adapter-lora-F32.gguf"))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gguf
import numpy as np
import torch
from torch import Tensor

from tuneproof.errors import ExportError
from tuneproof.export.adapter import Adapter, load_adapter
from tuneproof.export.gguf.families import ROPE_FACTORS, Family, add_settings, find_family, make_rope_factors
from tuneproof.export.gguf.rounding import HALF, round_layers
from tuneproof.export.gguf.words import add_words, read_words
from tuneproof.export.merge import Merger, Slot
from tuneproof.export.source import Source
from tuneproof.model.chat import encode_row
from tuneproof.model.load import load_config, load_tokenizer

GgufType = Literal["f32", "f16", "bf16", "q8_0", "q5_0", "q4_0"]
FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "bf16": gguf.LlamaFileType.MOSTLY_BF16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "q5_0": gguf.LlamaFileType.MOSTLY_Q5_0,
    "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
}
BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q5_0": 5.5, "q4_0": 4.5}
"""Bits a number, the scales of its block of 32 included."""
FINE = ("token_embd.weight", "output.weight")
ROWS = 1024
"""Rows, from all over the file, of which those that are rounded for are taken."""
Blocks = dict[str, np.ndarray[Any, Any]]


class Piece(NamedTuple):
    """One tensor of a file: its name, shape and type there, and how to get its numbers in fp32."""

    name: str
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType
    read: Callable[[], Tensor]
    packed: bool = False
    """Whether it reads the bytes as they are stored."""

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape in bytes of a type that has no numbers of its own in numpy."""
        if self.kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            return self.shape
        return gguf.quant_shape_to_byte_shape(self.shape, self.kind)

    @property
    def stored_type(self) -> np.dtype[Any]:
        """numpy's type of what is written."""
        plain = {gguf.GGMLQuantizationType.F32: np.float32, gguf.GGMLQuantizationType.F16: np.float16}
        return np.dtype(plain.get(self.kind, np.uint8))


def write_model(source: Source, path: Path, kind: GgufType, on_tensor: Callable[[], None]) -> None:
    """The merged model. Raises ModelError for a family or a tokenizer that GGUF files are not written for."""
    _write_weights(source, load_adapter(source.adapter), path, kind, on_tensor)


def write_base(source: Source, path: Path, kind: GgufType) -> None:
    """The base without the adapter, as the run held it: what the adapter's own file is proven on."""
    _write_weights(source, Adapter({}, {}), path, kind, lambda: None)


def _write_weights(source: Source, adapter: Adapter, path: Path, kind: GgufType, on_tensor: Callable[[], None]) -> None:
    merger = Merger(source, adapter)
    family = find_family(merger.config)
    words = read_words(load_tokenizer(source.model, source.revision), merger.config.vocab_size)
    rounded = round_for_rows(merger, kind, on_tensor) if adapter.pairs else {}
    writer = open_writer(path, family, source)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_settings(writer, family)
    add_words(writer, words)
    write_pieces(writer, list_pieces(merger, family, kind, rounded), on_tensor)


def round_for_rows(merger: Merger, kind: GgufType, on_layer: Callable[[], None]) -> Blocks:
    """Module -> its weight as blocks; empty for a type that is fine enough as it is, and where there are no rows."""
    source = merger.source
    if kind not in HALF or not source.rows:
        return {}
    tokenizer = load_tokenizer(source.model, source.revision)
    some = source.rows[:: -(-len(source.rows) // ROWS)]
    return round_layers(merger, [encode_row(tokenizer, row.messages).ids for row in some], kind, on_layer)


def write_lora(source: Source, path: Path) -> None:
    """The adapter alone, in fp32, as llama.cpp's `convert_lora_to_gguf.py` writes it.

    llama.cpp multiplies by alpha / r, so alpha is what makes that the adapter's own scaling.
    """
    adapter = load_adapter(source.adapter)
    family = find_family(load_config(source.model, source.revision))
    writer = open_writer(path, family, source)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    alphas = {pair.scaling * pair.rank for pair in adapter.pairs.values()}
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alphas.pop())
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    pieces = []
    for module, pair in adapter.pairs.items():
        name = f"{module}.weight"
        for part, tensor in (("lora_a", pair.a), ("lora_b", family.arrange(name, pair.b))):
            named = f"{family.rename(name)}.{part}"
            pieces.append(Piece(named, tuple(tensor.shape), gguf.GGMLQuantizationType.F32, partial(give, tensor)))
    write_pieces(writer, pieces, lambda: None)


def give(tensor: Tensor) -> Tensor:
    """A tensor that is in memory already."""
    return tensor.contiguous()


def open_writer(path: Path, family: Family, source: Source) -> gguf.GGUFWriter:
    """A file with the model's names."""
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[family.arch])
    writer.add_name(source.run)
    writer.add_basename(source.base.id.rpartition("/")[2])
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, source.base.id.rpartition("/")[2])
    if source.base.known:
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{source.base.id}")
    return writer


def read_arranged(merger: Merger, family: Family, slot: Slot) -> Tensor:
    """A tensor of the merged model with its rows in llama.cpp's order."""
    return family.arrange(slot.name, merger.read(slot))


def list_pieces(merger: Merger, family: Family, kind: GgufType, rounded: Blocks) -> list[Piece]:
    """All tensors of the model by llama.cpp's names, each with the type that it is stored in."""
    pieces = []
    for slot in merger.slots:
        name = family.rename(slot.name)
        blocks = rounded.get(slot.module) if slot.name.endswith(".weight") else None
        if blocks is None:
            read = partial(read_arranged, merger, family, slot)
            pieces.append(Piece(name, slot.shape, choose_type(name, slot.shape, kind), read))
        else:
            # Rows change places whole, so they may do it when they are bytes.
            read = partial(family.arrange, slot.name, torch.from_numpy(blocks))
            pieces.append(Piece(name, slot.shape, gguf.GGMLQuantizationType[kind.upper()], read, packed=True))
    factors = make_rope_factors(merger.config)
    if factors is not None:
        shape, numbers = tuple(factors.shape), torch.from_numpy(factors)
        pieces.append(Piece(ROPE_FACTORS, shape, gguf.GGMLQuantizationType.F32, partial(give, numbers)))
    return pieces


def choose_type(name: str, shape: tuple[int, ...], kind: GgufType) -> gguf.GGMLQuantizationType:
    """The type of one tensor in a file of `kind`."""
    if len(shape) < 2 or name.endswith("_norm.weight"):
        return gguf.GGMLQuantizationType.F32
    chosen = gguf.GGMLQuantizationType[kind.upper()]
    if kind.startswith(("q4", "q5")) and name in FINE:
        chosen = gguf.GGMLQuantizationType.Q8_0
    block = gguf.GGML_QUANT_SIZES[chosen][0]
    return chosen if shape[-1] % block == 0 else gguf.GGMLQuantizationType.F16


def write_pieces(writer: gguf.GGUFWriter, pieces: list[Piece], on_tensor: Callable[[], None]) -> None:
    """Header, names and places first, then the numbers, a tensor at a time."""
    for piece in pieces:
        size = int(np.prod(piece.stored_shape)) * piece.stored_type.itemsize
        writer.add_tensor_info(piece.name, piece.stored_shape, piece.stored_type, size, raw_dtype=piece.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for piece in pieces:
        writer.write_tensor_data(pack(piece))
        on_tensor()
    writer.close()


def pack(piece: Piece) -> np.ndarray[Any, Any]:
    """The numbers as they are stored. Raises ExportError where one does not fit: fp16 ends at 65504."""
    numbers = piece.read().numpy()
    if piece.packed:
        return numbers
    with np.errstate(over="ignore"):
        packed: np.ndarray[Any, Any] = gguf.quants.quantize(numbers, piece.kind)
    if piece.kind == gguf.GGMLQuantizationType.F16 and not np.isfinite(packed).all():
        raise ExportError("export.overflow", where=piece.name, dtype="f16")
    return packed
