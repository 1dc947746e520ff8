"""Load a base model, its tokenizer, and adapters on it.

In: a name (`model/find` says of what kind). Out: a `Base`. Weights come from safetensors only. No code from a model
folder is run unless the command line allows it: `config.json` is read first, and one that names code is refused.

    base = load_base("demo", device="cpu", dtype="float32")
    model = add_adapter(base.model, rank=16, alpha=32, dropout=0.0, targets="all-linear")
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.dynamic_module_utils import get_class_from_dynamic_module
from transformers.utils import logging as transformers_logging

from tuneproof.config.model import MODELSCOPE
from tuneproof.consent import allows_code
from tuneproof.errors import ModelError
from tuneproof.model.attention import choose_attention
from tuneproof.model.feed import join_blocks
from tuneproof.model.find import find_model
from tuneproof.model.fused import fuse_layers
from tuneproof.model.hardware import DtypeName, bound_kernel_caches, import_bitsandbytes, use_threads
from tuneproof.model.lora import join_neighbours, make_layer
from tuneproof.model.offload import stop_stream
from tuneproof.model.rendering import prove_template
from tuneproof.model.trust import explained, read_json, refuse_code, vet_model


class Base(NamedTuple):
    """A loaded base model and its tokenizer."""

    model: PreTrainedModel
    tokenizer: Any
    path: str
    """Folder or hub id it came from."""


def load_config(name: str, revision: str | None = None) -> Any:
    """The model's config, checked: no remote code, no remote kernel. Raises ModelError."""
    path = find_model(name, revision)
    vet_model(name, path, revision)
    with explained(name):
        config = AutoConfig.from_pretrained(path, revision=revision, trust_remote_code=allows_code())
    refuse_code(name, config.to_dict())
    if getattr(config, "auto_map", None):
        with explained(name):
            register_code(path, revision, config)
    return config


def register_code(path: str, revision: str | None, config: Any) -> None:
    """Let transformers build this kind of model by the folder's own classes, also where only the config is at hand.

    Only where the command line allows code: `refuse_code` let it pass.
    """
    AutoConfig.register(config.model_type, type(config), exist_ok=True)
    if place := config.auto_map.get("AutoModelForCausalLM"):
        kind = get_class_from_dynamic_module(place, path, revision=revision, code_revision=revision)
        AutoModelForCausalLM.register(type(config), kind, exist_ok=True)


def read_config(file: Path) -> Any:
    """A config from one JSON file, checked as `load_config` checks. Raises ModelError."""
    content = read_json(file)
    refuse_code(str(file), content)
    with explained(str(file)):
        return AutoConfig.for_model(**content)


def load_local(name: str, revision: str | None = None) -> tuple[Any, Any] | None:
    """Config and tokenizer of a hub model that was downloaded before; None where its config was not.

    The tokenizer is None where it was not downloaded. Raises ModelError as `load_config` does; code is not run, so that
    a model which needs its own is not found here.
    """
    try:
        config = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError):
        return None
    refuse_code(name, config.to_dict())
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=revision, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError):
        return config, None
    if not tokenizer.chat_template:
        return config, None
    prove_template(tokenizer.get_chat_template(), name)
    return config, tokenizer


def load_tokenizer(name: str, revision: str | None = None) -> Any:
    """The model's tokenizer. Raises ModelError when there is none, or it has no chat template that can be trusted."""
    path = find_model(name, revision)
    vet_model(name, path, revision)
    with explained(name):
        tokenizer = AutoTokenizer.from_pretrained(path, revision=revision, trust_remote_code=allows_code())
    if not tokenizer.chat_template:
        raise ModelError("model.no_template", where=name, name=name)
    with explained(name):
        template = tokenizer.get_chat_template()
    prove_template(template, name)
    if tokenizer.eos_token_id is None:
        raise ModelError("model.no_end_token", where=name, name=name)
    return tokenizer


def load_base(
    name: str,
    *,
    device: str,
    dtype: DtypeName,
    quantization: Literal["none", "int8", "nf4"] = "none",
    revision: str | None = None,
) -> Base:
    """Load model and tokenizer, ready to answer. Raises ModelError when they cannot be found, read or trusted."""
    bound_kernel_caches()
    use_threads()
    config = load_config(name, revision)
    tokenizer = load_tokenizer(name, revision)
    place = find_model(name, revision, weights=True)
    options: dict[str, Any] = {"dtype": getattr(torch, dtype), "device_map": {"": device}, "use_safetensors": True}
    if quantization != "none":
        options["quantization_config"] = _quantize(quantization, getattr(torch, dtype))
    with explained(name), quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(
            place,
            revision=revision,
            config=config,
            trust_remote_code=allows_code(),
            attn_implementation=choose_attention(config),
            **options,
        )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    fuse_layers(model)
    return Base(model, tokenizer, place)


def add_adapter(
    model: PreTrainedModel, *, rank: int, alpha: int, dropout: float, targets: str | list[str]
) -> PeftModel:
    """Wrap the model with a LoRA adapter named `default`: weights in fp32, B zero, so it changes nothing yet."""
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets, bias="none", task_type="CAUSAL_LM"
    )
    with warnings.catch_warnings():
        # peft 0.21 asks for a property that transformers 5.23 has renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        config._register_custom_module({nn.Linear: make_layer})  # type: ignore[dict-item]
        wrapped = get_peft_model(model, config)
    assert isinstance(wrapped, PeftModel)
    join_neighbours(wrapped)
    join_blocks(wrapped)
    return wrapped


def enable_checkpointing(model: PreTrainedModel) -> None:
    """Keep only each layer's input in the forward pass and recompute the rest in the backward pass.

    A model that cannot (JetMoe, CTRL) stays as it is, which the plan's trace of it shows: nothing is saved.
    """
    if not model.supports_gradient_checkpointing:
        return
    with warnings.catch_warnings():
        # Named activation_checkpointing_enable from 5.23 on; this name works from 5.3 (the floor) to 6.
        warnings.filterwarnings("ignore", message=".*checkpointing_enable.*", category=FutureWarning)
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def remove_adapter(model: PeftModel) -> None:
    """Take the adapter off: the base's modules stand where they stood, bit for bit, ready for another one.

    Recomputing of activations is switched off too: an adapter that is put on while it is on would make the embeddings
    part of the backward pass. Layers in host memory are left there: a next adapter may be streamed beside again.
    """
    stop_stream(model)
    base = model.unload()
    with warnings.catch_warnings():
        # As in `enable_checkpointing`: this name works from the floor on.
        warnings.filterwarnings("ignore", message=".*checkpointing.*", category=FutureWarning)
        if is_recomputing(base):
            base.gradient_checkpointing_disable()


def is_recomputing(base: Any) -> bool:
    """Whether activations are recomputed in the backward pass."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*checkpointing.*", category=FutureWarning)
        return bool(base.is_gradient_checkpointing)


def load_start(model: PeftModel, folder: Path, alpha: int) -> None:
    """Put the adapter of `folder` into the model's adapter, to be trained on from there.

    A scale that was chosen for it is folded into its `lora_alpha`. Here alpha is as it is given, so that the learning
    rate means the same, and the weights carry the scale: (alpha' / r) B A = (alpha / r) (alpha' / alpha B) A.
    """
    ratio = read_json(folder / "adapter_config.json")["lora_alpha"] / alpha
    weights = load_file(folder / "adapter_model.safetensors")
    set_peft_model_state_dict(
        model, {name: weight * ratio if "lora_B" in name else weight for name, weight in weights.items()}
    )


def set_adapter(model: PeftModel, folder: Path, scale: float = 1.0) -> None:
    """Put the adapter weights of `folder` into the model's adapter, at `scale` of their trained strength."""
    set_peft_model_state_dict(model, load_file(folder / "adapter_model.safetensors"))
    scale_adapter(model, scale)


def scale_adapter(model: PeftModel, scale: float) -> None:
    """Set the adapter's strength: 1 as trained, 0 the base. Exact interpolation of the weights, W + s (alpha/r) B A."""
    for module in model.modules():
        if isinstance(module, LoraLayer) and "default" in module.scaling:
            module.set_scale("default", scale)


def fingerprint_model(name: str) -> str:
    """Hash that changes with the base: of config.json, its own code, and of each weight file's name, size and header.

    A safetensors header holds every tensor's name, type and place; a hub's model is named by its revision on top, and
    its weights need not be here yet.
    """
    if name.startswith(MODELSCOPE):
        return hashlib.sha256(name.encode()).hexdigest()[:16]
    path = Path(find_model(name))
    digest = hashlib.sha256(str(path if not path.is_dir() else "").encode())
    if path.is_dir():
        digest.update((path / "config.json").read_bytes())
        for file in sorted(path.glob("*.py")):
            # Run only where it is allowed; a model's code is part of what it is.
            digest.update(file.read_bytes())
        for file in sorted(path.glob("*.safetensors")):
            with file.open("rb") as stream:
                digest.update(f"{file.name} {file.stat().st_size}".encode() + stream.read(1 << 20))
    return digest.hexdigest()[:16]


def sample_weights(name: str) -> str:
    """Hash of 64 blocks of 64 KiB from each weight file, evenly spread: another fine-tune of the same architecture has
    the same names, sizes and header, and may have the same first tensors."""
    digest = hashlib.sha256()
    if name.startswith(MODELSCOPE):
        return digest.hexdigest()[:16]
    path = Path(find_model(name))
    for file in sorted(path.glob("*.safetensors")) if path.is_dir() else []:
        size = file.stat().st_size
        with file.open("rb") as stream:
            for at in range(64):
                stream.seek(at * max(size - (1 << 16), 0) // 63)
                digest.update(stream.read(1 << 16))
    return digest.hexdigest()[:16]


def fingerprint_template(tokenizer: Any) -> str:
    """Hash of the chat template and the tokenizer's vocabulary."""
    words = json.dumps([tokenizer.chat_template, sorted(tokenizer.get_vocab().items())], ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence transformers' progress bars and advice: this tool has its own display."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        transformers_logging.enable_progress_bar()


def _quantize(how: Literal["int8", "nf4"], compute: torch.dtype) -> Any:
    """4-bit NormalFloat with double quantisation (QLoRA), or LLM.int8. Raises ModelError without bitsandbytes."""
    from transformers import BitsAndBytesConfig

    import_bitsandbytes("memory.quantization")
    if how == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )
