"""What a machine can do is told from what is there, with a way out for each platform where something is missing."""

from __future__ import annotations

import pytest

from tuneproof.messages import load_catalogue
from tuneproof.pipeline.abilities import PACKAGES, PROGRAMS, Surroundings, list_abilities, look_around

BARE = Surroundings("Linux", False, False, None, False, frozenset(), frozenset())
FULL = Surroundings("Linux", True, False, "13.0", True, frozenset(PACKAGES), frozenset(PROGRAMS))


@pytest.mark.parametrize(
    ("here", "ability", "told"),
    [
        (BARE, "gpu", "doctor.gpu.none"),
        (BARE._replace(system="Darwin"), "gpu", "doctor.gpu.mac"),
        (BARE._replace(system="Darwin", mps=True), "gpu", True),
        (BARE._replace(system="Windows", driver=True), "gpu", "doctor.gpu.cpu_build"),
        (BARE._replace(driver=True, built_for="13.0"), "gpu", "doctor.gpu.driver"),
        (BARE._replace(packages=frozenset({"bitsandbytes"})), "four_bit", "doctor.four_bit.no_gpu"),
        (FULL._replace(packages=frozenset()), "four_bit", "doctor.four_bit.missing"),
        (FULL._replace(packages=frozenset({"fastapi"})), "web", "doctor.web.missing"),
        (FULL._replace(packages=frozenset()), "vllm", "doctor.vllm.missing"),
        (BARE._replace(system="Windows"), "vllm", "doctor.vllm.elsewhere"),
        (BARE._replace(programs=frozenset({"llama-server"})), "gguf_answers", True),
    ],
)
def test_what_is_missing_depends_on_the_platform(here: Surroundings, ability: str, told: bool | str) -> None:
    assert list_abilities(here)[ability] == told


def test_a_full_machine_lacks_nothing_and_a_bare_one_is_told_everything() -> None:
    assert set(list_abilities(FULL).values()) == {True}
    assert all(told in load_catalogue() for told in list_abilities(BARE).values())


def test_this_machine_can_be_looked_at() -> None:
    assert look_around().system
