"""The built-in dimensions: each model has as many weights as its publisher says, and its names are found."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.plan.catalogue import Known, find_known, list_known, list_smaller, name_like

PUBLISHED = {
    "qwen1.5-0.5b": 463_987_712,
    "qwen1.5-1.8b": 1_836_828_672,
    "qwen1.5-4b": 3_950_369_280,
    "qwen1.5-7b": 7_721_324_544,
    "qwen1.5-14b": 14_167_290_880,
    "qwen1.5-32b": 32_512_218_112,
    "qwen2-0.5b": 494_032_768,
    "qwen2-1.5b": 1_543_714_304,
    "qwen2-7b": 7_615_616_512,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-1.5b": 1_543_714_304,
    "qwen2.5-3b": 3_085_938_688,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-14b": 14_770_033_664,
    "qwen2.5-32b": 32_763_876_352,
    "qwen2.5-72b": 72_706_203_648,
    "qwen3-0.6b": 596_049_920,
    "qwen3-1.7b": 1_720_574_976,
    "qwen3-4b": 4_022_468_096,
    "qwen3-8b": 8_190_735_360,
    "qwen3-14b": 14_768_307_200,
    "qwen3-32b": 32_762_123_264,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "llama-3-8b": 8_030_261_248,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.3-70b": 70_553_706_496,
    "smollm2-135m": 134_515_008,
    "smollm2-360m": 361_821_120,
    "smollm2-1.7b": 1_711_376_384,
    "smollm3-3b": 3_075_098_624,
    "mistral-7b@v0.3": 7_248_023_552,
    "gemma-2b": 2_506_172_416,
    "gemma-7b": 8_537_680_896,
    "gemma-2-2b": 2_614_341_888,
    "gemma-2-9b": 9_241_705_984,
    "gemma-2-27b": 27_227_128_320,
    "gemma-3-270m": 268_098_176,
    "gemma-3-1b": 999_885_952,
    "phi-1.5": 1_418_270_720,
    "phi-2": 2_779_683_840,
    "phi-3-mini": 3_821_079_552,
    "phi-3.5-mini": 3_821_079_552,
    "phi-3-medium": 13_960_238_080,
    "phi-4-mini": 3_836_021_760,
    "phi-4": 14_659_507_200,
    "minicpm-1b": 1_361_000_000,
    "minicpm-2b": 2_724_880_896,
    "minicpm4-0.5b": 434_000_000,
    "minicpm4-8b": 8_190_000_000,
    "internlm2.5-1.8b": 1_889_110_016,
    "internlm2.5-7b": 7_737_708_544,
    "internlm2.5-20b": 19_861_149_696,
    "internlm3-8b": 8_804_241_408,
}
"""Weights of each model as counted in its published safetensors files; round numbers stand for a model card's."""


@pytest.mark.parametrize("known", list_known(), ids=lambda known: known.name)
def test_a_model_of_the_table_has_the_published_number_of_weights(known: Known) -> None:
    config = AutoConfig.for_model(**known.config)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    published = PUBLISHED[known.name]
    weights = sum(parameter.numel() for parameter in model.parameters())
    assert weights == (published if published % 1_000_000 else pytest.approx(published, rel=0.005))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Qwen/Qwen1.5-1.8B-Chat", "qwen1.5-1.8b"),
        ("qwen/qwen2.5-7b-instruct", "qwen2.5-7b"),
        ("Qwen/Qwen3-4B-Instruct-2507", "qwen3-4b"),
        ("Qwen/Qwen3-0.6B-Base", "qwen3-0.6b"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-8b"),
        ("unsloth/Llama-3.2-1B-Instruct", "llama-3.2-1b"),
        ("HuggingFaceTB/SmolLM2-360M-Instruct", "smollm2-360m"),
        ("google/gemma-2-2b-it", "gemma-2-2b"),
        ("microsoft/Phi-3.5-mini-instruct", "phi-3.5-mini"),
        ("microsoft/Phi-3-mini-4k-instruct", "phi-3-mini"),
        ("openbmb/MiniCPM-2B-sft-bf16-llama-format", "minicpm-2b"),
        ("internlm/internlm2_5-1_8b-chat", "internlm2.5-1.8b"),
        ("internlm/internlm3-8b-instruct", "internlm3-8b"),
    ],
)
def test_names_as_people_write_them_are_found(name: str, found: str) -> None:
    known = find_known(name)
    assert known is not None
    assert known.name == found


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen3-30B-A3B", "someone/my-model", "demo", ""])
def test_what_is_not_in_the_table_is_not_guessed(name: str) -> None:
    assert find_known(name) is None


def test_smaller_models_are_of_the_same_family_largest_first() -> None:
    known = find_known("Qwen/Qwen2.5-7B-Instruct")
    assert known is not None
    assert [one.name for one in list_smaller(known)] == ["qwen2.5-3b", "qwen2.5-1.5b", "qwen2.5-0.5b"]
    smallest = find_known("Qwen/Qwen2.5-0.5B")
    assert smallest is not None
    assert list_smaller(smallest) == []


@pytest.mark.parametrize(
    ("given", "smaller", "named"),
    [
        ("Qwen/Qwen1.5-1.8B-Chat", "qwen1.5-0.5b", "Qwen/Qwen1.5-0.5B-Chat"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.2-3b", "meta-llama/Llama-3.2-3B-Instruct"),
        ("google/gemma-3-1b-it", "gemma-3-270m", "google/gemma-3-270m-it"),
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", "smollm2-360m", "HuggingFaceTB/SmolLM2-360M-Instruct"),
        ("microsoft/phi-4", "phi-4-mini", "phi-4-mini"),
        ("internlm/internlm2_5-7b-chat", "internlm2.5-1.8b", "internlm2.5-1.8b"),
    ],
)
def test_a_smaller_model_is_named_like_the_one_that_was_asked_for(given: str, smaller: str, named: str) -> None:
    known = find_known(given)
    assert known is not None
    (other,) = (one for one in list_smaller(known) if one.name == smaller)
    assert name_like(other, known, given) == named
