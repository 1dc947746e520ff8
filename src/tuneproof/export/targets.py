"""The five targets: what is written for each, what is proven of it, and the lines to paste.

In: an `Order` and a `Source`. Out: files in a folder; the `Subject`s whose proof shows that they answer as the run did.

    write_target(order, source, stage, on_tensor)
    list_subjects(order, folder)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, get_args

from tuneproof.errors import UsageError
from tuneproof.export.adapter import read_adapter_config
from tuneproof.export.folder import read_json
from tuneproof.export.gguf.families import find_family
from tuneproof.export.gguf.rounding import HALF
from tuneproof.export.gguf.write import BITS, GgufType, write_lora, write_model
from tuneproof.export.lora import write_peft
from tuneproof.export.merged import write_merged
from tuneproof.export.ollama import CONTEXT, Modelfile, take_apart, write_modelfile, write_template
from tuneproof.export.source import Source, load_ends
from tuneproof.export.vllm import find_obstacles, write_command, write_merged_command, write_script
from tuneproof.messages import tell
from tuneproof.model.hardware import DtypeName
from tuneproof.model.load import load_config, load_tokenizer
from tuneproof.records.export import ReaderName, TargetName

MERGED_TYPES: dict[str, DtypeName] = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
DEFAULT_GGUF: GgufType = "f16"
MODELFILE = "Modelfile"
OLLAMA_ADAPTERS = ("llama", "gemma2")
"""Types of models whose adapters Ollama reads as safetensors."""
ADAPTER_FILE = "Modelfile.adapter"
VLLM_MERGED = "merged"
VLLM_ADAPTER = "adapter"


class Order(NamedTuple):
    """What is wanted."""

    target: TargetName
    dtype: str | None = None
    """Type of the weights that are written; None: the run's own, for GGUF F16."""


class Subject(NamedTuple):
    """One file or folder of an export that is proven."""

    file: str
    reader: ReaderName
    dtype: str
    lora: str | None = None
    """A LoRA file that is proven on top of a base that is written for the proof."""


def check_order(order: Order, source: Source) -> None:
    """Raise UsageError for a type that the target does not have, ModelError for a model that it does not take."""
    known = tuple(MERGED_TYPES) if order.target == "merged" else get_args(GgufType)
    if order.dtype is not None and (order.target in ("peft", "vllm") or order.dtype not in known):
        choices = ", ".join(known) if order.target not in ("peft", "vllm") else "-"
        raise UsageError("export.no_type", where="--dtype", dtype=order.dtype, target=order.target, known=choices)
    if order.target in ("gguf", "ollama"):
        find_family(load_config(source.model, source.revision))


def choose_gguf(order: Order) -> GgufType:
    """The type of a GGUF file."""
    return order.dtype or DEFAULT_GGUF  # type: ignore[return-value]


def choose_merged(order: Order, source: Source) -> DtypeName:
    """The type of merged weights: the run's own unless another is named."""
    return MERGED_TYPES[order.dtype] if order.dtype else source.dtype


def bits_of(order: Order, source: Source) -> float:
    """Bits a number of the model takes in the target; 0 where no model is written."""
    if order.target in ("gguf", "ollama"):
        return BITS[choose_gguf(order)]
    if order.target == "merged" or (order.target == "vllm" and not serves_adapter(source)):
        return 32.0 if choose_merged(order, source) == "float32" else 16.0
    return 0.0


def count_rounded(order: Order, source: Source) -> int:
    """Layers that are rounded for rows before a file is written."""
    if not source.rows or order.target not in ("gguf", "ollama") or choose_gguf(order) not in HALF:
        return 0
    return int(load_config(source.model, source.revision).num_hidden_layers)


def serves_adapter(source: Source) -> bool:
    """Whether vLLM takes the adapter itself."""
    return not find_obstacles(read_adapter_config(source.adapter))


def write_target(order: Order, source: Source, folder: Path, on_tensor: Callable[[], None]) -> None:
    """Write the files of a target into the folder."""
    if order.target == "peft":
        write_peft(source, folder)
    elif order.target == "merged":
        write_merged(source, folder, choose_merged(order, source), on_tensor)
    elif order.target == "vllm":
        _write_vllm(order, source, folder, on_tensor)
    else:
        kind = choose_gguf(order)
        write_model(source, folder / f"{plain_name(source)}-{kind.upper()}.gguf", kind, on_tensor)
        write_lora(source, folder / f"{plain_name(source)}-lora-F32.gguf")
        if order.target == "ollama":
            _write_ollama(order, source, folder)


def _write_vllm(order: Order, source: Source, folder: Path, on_tensor: Callable[[], None]) -> None:
    if serves_adapter(source):
        (folder / VLLM_ADAPTER).mkdir()
        write_peft(source, folder / VLLM_ADAPTER)
    else:
        (folder / VLLM_MERGED).mkdir()
        write_merged(source, folder / VLLM_MERGED, choose_merged(order, source), on_tensor)
    (folder / "serve.sh").write_text(write_script([vllm_command(source, "./")]), encoding="utf-8", newline="\n")


def vllm_command(source: Source, place: str) -> str:
    """The line that serves the run's model; `place`: the export's folder as the line should name it."""
    if serves_adapter(source):
        config = read_adapter_config(source.adapter)
        return write_command(plain_name(source), source.base, config, source.dtype, f"{place}{VLLM_ADAPTER}")
    return write_merged_command(plain_name(source), f"{place}{VLLM_MERGED}")


def _write_ollama(order: Order, source: Source, folder: Path) -> None:
    """A Modelfile for the merged model, and one for the adapter on a base that the user has as GGUF."""
    tokenizer = load_tokenizer(source.model, source.revision)
    pieces = take_apart(tokenizer)
    config = load_config(source.model, source.revision)
    modelfile = Modelfile(
        base=f"./{plain_name(source)}-{choose_gguf(order).upper()}.gguf",
        template=write_template(pieces),
        stops=[tokenizer.convert_ids_to_tokens(token) for token in load_ends(source, tokenizer)],
        system=source.system_prompt or pieces.system,
        context=min(CONTEXT, config.max_position_embeddings),
    )
    name = plain_name(source)
    comment = tell("export.ollama.comment", name=name)
    (folder / MODELFILE).write_text(write_modelfile(modelfile, comment), encoding="utf-8", newline="\n")
    alone = modelfile._replace(base="./base.gguf", adapter=f"./{name}-lora-F32.gguf")
    comment = tell("export.ollama.adapter_comment", name=name, base=source.base.id)
    (folder / ADAPTER_FILE).write_text(write_modelfile(alone, comment), encoding="utf-8", newline="\n")


def plain_name(source: Source) -> str:
    """The run's name as files and servers take it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", source.run).strip("-.") or "model"


def list_subjects(target: TargetName, folder: Path) -> list[Subject]:
    """What lies in the folder and is proven."""
    if target == "peft":
        return [Subject(".", "peft", "float32")]
    if target == "merged":
        return [Subject(".", "transformers", read_type(folder))]
    if target == "vllm":
        if (folder / VLLM_ADAPTER).is_dir():
            return [Subject(VLLM_ADAPTER, "peft", "float32")]
        return [Subject(VLLM_MERGED, "transformers", read_type(folder / VLLM_MERGED))]
    reader: ReaderName = "llama.cpp" if has_llamacpp() else "gguf"
    files = sorted(path.name for path in folder.glob("*.gguf"))
    subjects = [Subject(name, reader, name.rpartition("-")[2].removesuffix(".gguf").lower()) for name in files]
    subjects = [one._replace(lora=one.file) if "-lora-" in one.file else one for one in subjects]
    if target == "ollama":
        subjects.append(Subject(MODELFILE, "modelfile", "-"))
    # The model first: the adapter's file is read on a base of the same type.
    return sorted(subjects, key=lambda subject: (subject.lora is not None, subject.file))


def has_llamacpp() -> bool:
    """Whether llama.cpp can be asked."""
    return find_spec("llama_cpp") is not None


def read_type(folder: Path) -> str:
    """Type of the weights of a merged model."""
    config = read_json(folder / "config.json")
    return str(config.get("dtype") or config.get("torch_dtype"))


def list_commands(order: Order, source: Source, folder: Path) -> list[str]:
    """Lines to paste that use the export."""
    place, name = shlex.quote(str(folder)), plain_name(source)
    if order.target == "vllm":
        return [vllm_command(source, f"{place}/")]
    if order.target == "ollama":
        return [f"cd {place} && ollama create {name} -f {MODELFILE}", f"ollama run {name}"]
    if order.target == "gguf":
        return [f"llama-server -m {place}/{name}-{choose_gguf(order).upper()}.gguf --jinja"]
    if order.target == "merged":
        return [write_merged_command(name, str(folder))]
    return [f"PeftModel.from_pretrained(base, {str(folder)!r})"]


def list_notes(order: Order, source: Source) -> list[str]:
    """What a user should know of this export."""
    notes = []
    if not source.base.known:
        notes.append(tell("export.note.no_id", base=source.base.id))
    if source.model == "demo" and order.target in ("peft", "vllm"):
        notes.append(tell("export.note.demo", base=source.base.id))
    if order.target == "vllm":
        obstacles = find_obstacles(read_adapter_config(source.adapter))
        why = tell("export.vllm.between").join(tell(f"export.vllm.{reason}") for reason in obstacles)
        notes.append(tell("export.vllm.no", why=why) if obstacles else tell("export.vllm.yes"))
    if order.target in ("peft", "vllm") and source.quantization == "nf4":
        notes.append(tell("export.note.nf4"))
    if order.target in ("gguf", "ollama") and not has_llamacpp():
        notes.append(tell("export.note.no_llamacpp"))
    if order.target == "ollama":
        notes.append(tell("export.note.ollama"))
        family = load_config(source.model, source.revision).model_type
        if family not in OLLAMA_ADAPTERS:
            notes.append(tell("export.note.no_adapters", family=family))
    return notes
