"""Names of base models -> a folder on this machine, or the name on the Hugging Face hub that transformers fetches.

    demo                           the demo model, converted on its first use
    ./folder                       a folder with config.json, tokenizer and *.safetensors
    ./model.gguf                   a GGUF file: converted once into the user's cache, in full precision
    owner/name                     the Hugging Face hub, or the mirror that HF_ENDPOINT names
    modelscope:owner/name          ModelScope (`--hub modelscope`), by its own package

In: a name. Out: a path or a hub's name; and for what goes wrong on the way a ModelError that says what to do.

    find_model("modelscope:Qwen/Qwen2.5-0.5B-Instruct", weights=True)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub import errors as hub_errors
from platformdirs import user_cache_path

from tuneproof.config.model import MODELSCOPE
from tuneproof.demo.model import demo_model_path, run_conversion
from tuneproof.errors import FitError, ModelError
from tuneproof.model.hardware import free_disk

DESCRIPTION = ["*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
"""Files of a model without its weights: config, tokenizer, template."""
WEIGHTS = "*.safetensors"

CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    # From the special to the general: a gated model's error is also one of a missing model.
    (hub_errors.GatedRepoError, "model.gated"),
    (hub_errors.RevisionNotFoundError, "model.no_revision"),
    (hub_errors.RepositoryNotFoundError, "model.missing"),
    (hub_errors.LocalEntryNotFoundError, "model.offline"),
    (hub_errors.OfflineModeIsEnabled, "model.offline"),
    (ConnectionError, "model.offline"),
)
SAYINGS = (
    ("does not recognize this architecture", "model.unknown_architecture"),
    ("Unrecognized configuration class", "model.unknown_architecture"),
    ("Unrecognized model in", "model.unknown_architecture"),
    ("no file named model.safetensors", "model.no_safetensors"),
    ("does not appear to have a file named model.safetensors", "model.no_safetensors"),
    ("couldn't connect to", "model.offline"),
)
"""What transformers 5 says where its error has no class of its own."""


def find_model(name: str, revision: str | None = None, *, weights: bool = False) -> str:
    """Folder or hub id for `name`. `weights`: fetch them too, where the model lies on ModelScope.

    Raises ModelError when `name` is neither a folder with a config.json nor a GGUF file nor looks like a hub id, and
    FitError when the disk has no room for a converted file.
    """
    if name == "demo":
        return str(demo_model_path())
    if name.startswith(MODELSCOPE):
        return fetch_modelscope(name, revision, weights=weights)
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            files = sorted(file.name for file in path.glob("*.gguf"))
            raise ModelError(
                "model.only_gguf" if files else "model.no_config", where=name, name=name, file=path / (files or [""])[0]
            )
        return str(path)
    if path.is_file():
        return str(convert_file(path))
    if name.count("/") > 1 or name.startswith((".", "~", "/")) or not name.replace("/", "").strip():
        raise ModelError("model.no_folder", where=name, name=name)
    return name


def convert_file(file: Path) -> Path:
    """Folder of a GGUF file's model in safetensors: converted once, whole or absent, again when the file changes.

    Quantised weights are written out in float32: what they stand for is trained on and measured, not what they were
    made from. Raises ModelError for a file that is no GGUF or cannot be converted, FitError when the disk is full.
    """
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ModelError("model.no_gguf", where=str(file), name=file.name)
    about = file.resolve().stat()
    mark = hashlib.sha256(f"{file.resolve()} {about.st_size} {about.st_mtime_ns}".encode()).hexdigest()[:12]
    folder = user_cache_path("tuneproof") / f"{file.stem.lower()}-{mark}"
    if (folder / "config.json").is_file():
        return folder
    weights, free = count_weights(file), free_disk(folder)
    needed = 4 * weights
    if needed > free:
        raise FitError("disk.full", where=str(folder.parent), needed=needed // 10**6, free=free // 10**6)
    why = run_conversion(file, folder, weights)
    if why is not None:
        raise ModelError("model.no_conversion", where=str(file), name=file.name, why=why)
    return folder


def count_weights(file: Path) -> int:
    """Weights in a GGUF file, from its list of tensors. Raises ModelError when that cannot be read."""
    from gguf import GGUFReader

    try:
        return sum(int(tensor.n_elements) for tensor in GGUFReader(file).tensors)
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError("model.no_conversion", where=str(file), name=file.name, why=str(error)[:200]) from error


def fetch_modelscope(name: str, revision: str | None = None, *, weights: bool = False) -> str:
    """Folder of a ModelScope model: its description, and with `weights` those too; what is there is not fetched again.

    Raises ModelError when the package is missing, or ModelScope cannot be reached or has no such model.
    """
    if find_spec("modelscope") is None:
        raise ModelError("model.no_modelscope", where=name)
    from modelscope.hub.snapshot_download import snapshot_download
    from modelscope_hub.errors import AuthenticationError, HubError, NotExistError, PermissionDeniedError

    kinds = (
        (PermissionDeniedError, "model.scope_gated"),
        (AuthenticationError, "model.scope_gated"),
        (NotExistError, "model.scope_missing"),
    )
    model = name.removeprefix(MODELSCOPE)
    wanted = [*DESCRIPTION, WEIGHTS] if weights else DESCRIPTION
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    try:
        folder = snapshot_download(model, revision=revision, allow_patterns=wanted, local_files_only=offline)
    except (HubError, OSError, ValueError) as error:
        # Its older functions hide what happened behind an error of the HTTP library.
        causes = [type(cause).__mro__ for cause in list_causes(error)]
        key = next((key for kind, key in kinds if any(kind in cause for cause in causes)), "model.scope_offline")
        raise ModelError(key, where=name, name=model, why=first_line(error)) from error
    return str(folder)


def explain_failure(name: str, error: Exception) -> ModelError:
    """A user's error for what transformers raised, by the classes of its causes and else by what it says."""
    for cause in list_causes(error):
        key = next((key for kind, key in CAUSES if isinstance(cause, kind)), None)
        if key is not None:
            return ModelError(key, where=name, name=name, why=first_line(error))
    text = str(error)
    key = next((key for words, key in SAYINGS if words in text), "model.cannot_load")
    return ModelError(key, where=name, name=name, why=first_line(error))


def list_causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def first_line(error: BaseException) -> str:
    """What an error says, in one line of at most 300 characters."""
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
