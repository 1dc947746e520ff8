"""What is measured of this process: the memory it holds, without what the C library has kept of freed blocks."""

from __future__ import annotations

import platform
import sys

import pytest

from tuneproof.model.hardware import read_loaded, read_peak, read_resident, reset_peak

MIB = 2**20


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="glibc alone can be asked")
def test_freed_memory_is_not_charged_to_the_next_phase() -> None:
    # Blocks below the size that is mapped on its own; every other one stays, so that nothing goes back by itself.
    blocks = [bytearray(b"x" * 100_000) for _ in range(2000)]
    held = read_resident()
    kept = blocks[::40]
    del blocks
    reset_peak("cpu")
    resident, peak = read_resident(), read_peak("cpu")
    assert held is not None
    assert resident is not None
    assert peak is not None
    assert resident < held - 100 * MIB
    assert peak < held - 100 * MIB
    assert len(kept) == 50
    more = bytearray(b"y" * (50 * MIB))
    grown = read_peak("cpu")
    assert grown is not None
    assert grown > peak + 40 * MIB
    assert len(more) == 50 * MIB
    assert read_loaded("cpu") == read_resident("cpu")


def test_other_devices_are_not_measured_by_the_process() -> None:
    assert read_peak("mps") is None
    assert read_loaded("mps") is None
