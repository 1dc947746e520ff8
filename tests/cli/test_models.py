"""The list of first choices: sizes add up, what fits is told, and both languages say why each is there."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Call
from tuneproof.bases import BASES
from tuneproof.pipeline.bases import count_parameters, list_bases


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_the_shape_of_a_base_has_the_parameters_that_are_published(base: object) -> None:
    listed = next(one for one in BASES if one is base)
    assert count_parameters(listed) / 1e9 == pytest.approx(listed.parameters, rel=0.01)


def test_the_list_goes_from_small_to_large_and_names_each_once() -> None:
    assert [base.parameters for base in BASES] == sorted(base.parameters for base in BASES)
    assert len({base.name for base in BASES}) == len(BASES)


def test_a_card_fits_what_the_reasons_promise() -> None:
    def fit(limit: int) -> dict[str, str]:
        return {base.name: base.fit for base in list_bases(limit).bases}

    assert fit(6 * 10**9)["Qwen/Qwen2.5-1.5B-Instruct"] == "full"
    assert fit(8 * 10**9)["Qwen/Qwen3-4B-Instruct-2507"] == "nf4"
    assert fit(12 * 10**9)["Qwen/Qwen2.5-7B-Instruct"] == "nf4"
    assert fit(24 * 10**9)["Qwen/Qwen2.5-7B-Instruct"] == "full"
    assert fit(24 * 10**9)["Qwen/Qwen2.5-14B-Instruct"] == "nf4"
    assert set(fit(500 * 10**6).values()) == {"no"}


@pytest.mark.parametrize(("language", "word"), [("en", "Read the licence"), ("zh", "许可证")])
def test_the_screen_and_the_record_tell_the_same(language: str, word: str, call: Call) -> None:
    done = call("models", "--memory", "6GB", "--lang", language)
    assert done.code == 0
    assert word in done.out
    assert all(base.name in done.out for base in BASES)
    told = json.loads(call("models", "--memory", "6GB", "--json").out)
    assert [base["name"] for base in told["bases"]] == [base.name for base in BASES]
    assert told["limit_bytes"] == 6 * 10**9


def test_hub_goes_with_the_name_of_a_model(call: Call, rows: str) -> None:
    done = call("plan", rows, "--hub", "modelscope")
    assert done.code == 2
    assert "--hub modelscope --model" in done.err
