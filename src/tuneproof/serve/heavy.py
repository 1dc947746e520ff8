"""Commands of servers for many users, for the same runs: vLLM, llama.cpp's llama-server, Ollama.

This server is for looking and for proof; these are for load. In: the runs, and where their base lies. Out: lines that
can be pasted. A chosen scale is part of the adapter folder (`lora_alpha`), so each of them answers as the run does.

    suggest_commands(served.names.runs, served.base.path)["vllm"]
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from tuneproof.serve.names import BASE, ServedRun

VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM accepts for --max-lora-rank (vllm/config/lora.py)."""
PORT = 8000


def suggest_commands(runs: Sequence[ServedRun], base: str) -> dict[str, list[str]]:
    """Lines by tool. A tool that wants another format gets the line that exports it before its own."""
    return {"vllm": [_vllm(runs, base)], "llama-server": _llama_server(runs), "ollama": _ollama(runs)}


def _vllm(runs: Sequence[ServedRun], base: str) -> str:
    ranks = [json.loads((run.run.adapter / "adapter_config.json").read_text(encoding="utf-8"))["r"] for run in runs]
    rank = next((allowed for allowed in VLLM_RANKS if allowed >= max(ranks)), max(ranks))
    modules = [f"{run.name}={run.run.adapter.resolve()}" for run in runs]
    words = ["vllm", "serve", base, "--served-model-name", BASE, "--enable-lora", "--max-lora-rank", str(rank)]
    return shlex.join([*words, "--max-loras", str(len(runs)), "--lora-modules", *modules])


def _llama_server(runs: Sequence[ServedRun]) -> list[str]:
    """The merged model of the first run; what an export also writes, the adapter alone, is left out."""
    run = runs[0]
    folder = run.run.path / "export" / "gguf"
    found = sorted(path for path in folder.glob("*.gguf") if "-lora-" not in path.name)
    # Before it is exported the shell finds the name.
    model = shlex.quote(str(found[0])) if found else f"{shlex.quote(str(folder))}/*-F16.gguf"
    lines = [] if found else [shlex.join(["tuneproof", "export", str(run.run.path), "--to", "gguf"])]
    return [*lines, f"llama-server --model {model} {shlex.join(['--alias', run.name, '--port', str(PORT)])}"]


def _ollama(runs: Sequence[ServedRun]) -> list[str]:
    run = runs[0]
    folder = run.run.path / "export" / "ollama"
    modelfile = folder / "Modelfile"
    lines = [] if modelfile.is_file() else [shlex.join(["tuneproof", "export", str(run.run.path), "--to", "ollama"])]
    create = shlex.join(["ollama", "create", run.name.lower(), "--file", str(modelfile)])
    return [*lines, f"{create} && {shlex.join(['ollama', 'run', run.name.lower()])}"]
