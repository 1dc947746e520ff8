"""Speeds of a device before a model is there: remembered, scaled, probed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tuneproof.plan import pace
from tuneproof.plan.budget import Speeds
from tuneproof.plan.formula import Dimensions
from tuneproof.plan.pace import Setting, find_speeds, probe_speeds, remember_speeds

SMALL = Dimensions(64, 160, 2, 4, 2, 16, 512, True)
SETTING = Setting(SMALL, "cpu", "some CPU", 2, "float32")
SPEEDS = Speeds(train=900.0, generate=240.0, prefill=2400.0, attend=1e-6)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return user_cache_path("tuneproof") / "speeds.json"


def test_what_a_run_measured_is_found_again() -> None:
    assert find_speeds(SETTING) is None
    remember_speeds(SETTING, SPEEDS._replace(train=1.0))
    remember_speeds(SETTING, SPEEDS)
    assert find_speeds(SETTING) == (SPEEDS, "remembered")
    for other in (
        SETTING._replace(dtype="bfloat16"),
        SETTING._replace(threads=4),
        SETTING._replace(name="another"),
        SETTING._replace(quantization="nf4"),
        SETTING._replace(offload=True),
    ):
        assert find_speeds(other) is None


def test_another_model_has_the_speed_of_its_products() -> None:
    remember_speeds(SETTING, SPEEDS)
    twice = SETTING._replace(sizes=SMALL._replace(layers=4))
    found = find_speeds(twice)
    assert found is not None
    ratio = SETTING.products / twice.products
    assert found.speeds == pytest.approx((900 * ratio, 240 * ratio, 2400 * ratio, 2e-6, 1))
    # The nearest one is taken, and recomputation costs a third of a step more: three passes for two.
    remember_speeds(twice, SPEEDS)
    recomputed = find_speeds(twice._replace(checkpointing=True))
    assert recomputed is not None
    assert recomputed.speeds == pytest.approx((600, 240, 2400, 1e-6, 1))


def test_a_file_that_is_not_ours_is_as_if_it_were_not_there(place: Path) -> None:
    for content in ("no json", "[1]", '{"a": 1}', json.dumps([{"key": []}])):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
        assert find_speeds(SETTING) is None
    remember_speeds(SETTING, SPEEDS)
    assert find_speeds(SETTING) is not None


def test_a_hiccup_is_not_remembered() -> None:
    for speeds in (SPEEDS._replace(generate=384_000.0), SPEEDS._replace(train=float("nan"))):
        remember_speeds(SETTING, speeds)
        assert find_speeds(SETTING) is None


def test_a_probe_gives_larger_models_lower_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PROBE", 0.02)
    small = probe_speeds(SETTING)
    large = probe_speeds(SETTING._replace(sizes=SMALL._replace(layers=200)))
    assert small.source == "probed"
    assert all(speed > 0 for speed in small.speeds)
    for name in ("train", "generate", "prefill"):
        assert getattr(large.speeds, name) < getattr(small.speeds, name) / 10
