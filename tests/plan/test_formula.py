"""The closed form against the trace: a bracket for models shaped like Llama and Qwen2."""

from __future__ import annotations

import pytest
from transformers import GPT2Config, LlamaConfig, MambaConfig, MixtralConfig, PretrainedConfig, Qwen2Config

from tuneproof.config import LoraSection
from tuneproof.errors import ModelError
from tuneproof.model.hardware import DtypeName
from tuneproof.plan.formula import (
    Load,
    Precision,
    count_adapter,
    count_linear,
    count_other,
    estimate_answers,
    estimate_step,
    read_dimensions,
)
from tuneproof.plan.kernels import Kernel
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Answering, Step, trace_answers, trace_step

KERNELS: dict[DtypeName, Kernel] = {"float32": "cpu", "bfloat16": "flash"}


def small(**options: object) -> LlamaConfig:
    """A model with the proportions of a real one in few layers."""
    sizes = {
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 6,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "tie_word_embeddings": True,
    }
    return LlamaConfig(**{**sizes, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(("dtype", "quantization"), [("float32", "none"), ("bfloat16", "none"), ("bfloat16", "nf4")])
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("segments", [(256,), (512, 300, 200)])
def test_formula_brackets_the_trace(
    dtype: DtypeName, quantization: str, checkpointing: bool, segments: tuple[int, ...]
) -> None:
    config = small()
    lora = LoraSection(rank=8, alpha=16)
    subject = describe_subject(config, dtype=dtype, lora=lora, quantization=quantization)
    trained = sum(segments) // 3
    traced = trace_step(subject, Step(segments, trained, checkpointing, 128), kernel=KERNELS[dtype]).peak
    load = Load(len(segments), sum(segments), trained, 128, checkpointing)
    estimate = estimate_step(read_dimensions(config), Precision(dtype, 8, quantization), load).total()
    assert 0.98 * traced <= estimate <= 1.12 * traced


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_formula_of_answering_is_near_the_trace(dtype: DtypeName) -> None:
    config = small()
    subject = describe_subject(config, dtype=dtype, lora=LoraSection(rank=8, alpha=16))
    traced = trace_answers(subject, Answering(16, 300, 60), kernel=KERNELS[dtype]).peak
    estimate = estimate_answers(read_dimensions(config), Precision(dtype, 8), 16, 300, 60).total()
    assert 0.9 * traced <= estimate <= 1.3 * traced


def test_counts_are_those_of_real_models(qwen18: Qwen2Config) -> None:
    demo = small(num_hidden_layers=30)
    sizes = read_dimensions(demo)
    assert count_linear(sizes) + count_other(sizes) == 134_515_008
    qwen = read_dimensions(qwen18)
    # 1,836.8 M with 147 thousand biases, which the formula leaves out; 0.94 M adapter weights a rank
    # (docs/evidence.md, rule 1).
    assert count_linear(qwen) + count_other(qwen) == pytest.approx(1_836.8e6, rel=2e-4)
    assert count_adapter(qwen, 16) == pytest.approx(14.99e6, rel=1e-3)


def test_experts_are_all_held_and_few_are_active() -> None:
    dense = read_dimensions(small())
    mixed = read_dimensions(MixtralConfig(num_local_experts=8, num_experts_per_tok=2))
    assert (dense.experts, dense.active) == (1, 1)
    assert (mixed.experts, mixed.active) == (8, 2)
    # Mixtral 8x7B has 46.7 billion weights.
    assert count_linear(mixed) + count_other(mixed) == pytest.approx(46.7e9, rel=0.01)


def test_other_names_of_the_same_sizes_are_read() -> None:
    sizes = read_dimensions(GPT2Config())
    assert (sizes.hidden, sizes.intermediate, sizes.layers, sizes.heads, sizes.key_heads) == (768, 3072, 12, 12, 12)


@pytest.mark.parametrize("config", [PretrainedConfig(), MambaConfig()])
def test_a_config_without_a_decoders_sizes_is_refused(config: PretrainedConfig) -> None:
    with pytest.raises(ModelError) as caught:
        read_dimensions(config)
    assert caught.value.key == "plan.no_dimensions"
