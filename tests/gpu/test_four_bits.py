"""A step on NF4 weights with 8-bit optimizer states on a CUDA device, against its plan, in 6 GB."""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, Qwen2Config

from tests.conftest import build_tiny_tokenizer
from tests.gpu.test_memory import RANK, check_step
from tuneproof.config import LoraSection
from tuneproof.model.load import add_adapter, load_base
from tuneproof.model.step import build_optimizer
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Step, trace_step


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_a_step_in_4_bits_takes_what_was_planned(qwen_config: Qwen2Config, tmp_path: Path) -> None:
    with torch.device("cuda"):
        AutoModelForCausalLM.from_config(qwen_config, dtype=torch.bfloat16).save_pretrained(tmp_path)
    build_tiny_tokenizer().save_pretrained(tmp_path)
    gc.collect()
    torch.cuda.empty_cache()
    base = load_base(str(tmp_path), device="cuda", dtype="bfloat16", quantization="nf4").model
    model: Any = add_adapter(base, rank=RANK, alpha=2 * RANK, dropout=0.0, targets="all-linear").train()
    optimizer = build_optimizer(model.parameters(), 1e-4, "adamw8bit")
    lora = LoraSection(rank=RANK, alpha=2 * RANK)
    subject = describe_subject(qwen_config, dtype="bfloat16", lora=lora, quantization="nf4")
    step = Step((1024,) * 4, 2000, True, 256)
    traced = trace_step(subject._replace(optimizer="adamw8bit"), step, kernel="flash")
    check_step(model, optimizer, traced, step)
