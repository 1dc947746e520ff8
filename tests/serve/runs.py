"""Finished runs without the training: a tiny base, an adapter of random weights, the records that serving reads.

run = make_run(tmp_path / "first", tiny_model_dir, seed=1)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.model.load import add_adapter, fingerprint_model, fingerprint_template, load_base, load_tokenizer
from tuneproof.records import Parts, Phases, Plan, RunRecord, Settings
from tuneproof.rundir import RunDir


def save_adapter(
    base: Path, folder: Path, *, rank: int = 4, seed: int = 1, targets: Any = "all-linear", spread: float = 0.5
) -> Path:
    """An adapter in PEFT's layout of random weights of size `spread`: its answers are others than the base's."""
    model = add_adapter(
        load_base(str(base), device="cpu", dtype="float32").model,
        rank=rank,
        alpha=2 * rank,
        dropout=0.0,
        targets=targets,
    )
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = spread * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(str(folder))
    return folder


def make_run(path: Path, base: Path, *, seed: int = 1, system_prompt: str | None = None, **adapter: Any) -> RunDir:
    """A run folder with what `serve` and `chat` read."""
    run = RunDir(path)
    config = RunConfig()
    config.model.name = str(base)
    config.model.device = "cpu"
    config.data.system_prompt = system_prompt
    path.mkdir(parents=True)
    run.config.write_text(dump_config(config), encoding="utf-8")
    tokenizer = load_tokenizer(str(base))
    fingerprint = {"base": fingerprint_model(str(base)), "template": fingerprint_template(tokenizer)}
    run.save(
        RunRecord(
            status="done",
            command="",
            fingerprint=fingerprint,
            versions={},
            device="cpu",
            seed=1,
            created=0.0,
            stages={},
        )
    )
    run.save(make_plan(str(base)))
    save_adapter(base, run.adapter, seed=seed, **adapter)
    return run


def make_plan(model: str) -> Plan:
    """A plan for this machine's CPU in fp32."""
    settings = Settings(
        micro_batch=4, accumulation=2, max_tokens=64, checkpointing=False, quantization="none", dtype="float32",
        packing=True, loss_chunk=64,
    )  # fmt: skip
    return Plan(
        model=model, device="cpu", limit_bytes=1, fits=True, grade="fits", peak_bytes=1, phases=Phases(), parts=Parts(),
        settings=settings, steps=1, seconds=1.0, disk_bytes=1, alternatives=[], rejected=[],
    )  # fmt: skip
