"""What is measured of this process, the memory it holds, and what it may take: threads within a container's limit."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tuneproof import processors
from tuneproof.model import hardware
from tuneproof.model.hardware import (
    HEAP_BLOCK,
    HEAP_VARIABLES,
    count_threads,
    keep_heap,
    read_loaded,
    read_peak,
    read_resident,
    reset_peak,
)

MIB = 2**20
PAGES = 240 * MIB // resource.getpagesize()

only_glibc = pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="glibc alone can be asked"
)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*HEAP_VARIABLES, "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)


@only_glibc
@pytest.mark.usefixtures("no_settings")
def test_the_heaps_freed_end_is_used_again_as_it_is_until_it_is_given_back() -> None:
    with keep_heap("cpu", HEAP_BLOCK):
        use_heap()
        before, held = count_faults(), read_resident()
        use_heap()
        assert count_faults() - before < PAGES / 10
    freed = read_resident()
    assert held is not None
    assert freed is not None
    assert freed < held - 200 * MIB
    use_heap()
    before = count_faults()
    use_heap()
    assert count_faults() - before > PAGES / 2


@only_glibc
@pytest.mark.usefixtures("no_settings")
@pytest.mark.parametrize(
    ("device", "block", "variable"),
    [
        ("cuda", 1, ""),
        ("cpu", HEAP_BLOCK + 1, ""),
        ("cpu", 1, "MALLOC_TRIM_THRESHOLD_=131072"),
        ("cpu", 1, "GLIBC_TUNABLES=glibc.malloc.trim_threshold=131072"),
    ],
)
def test_where_the_heap_is_left_alone(device: str, block: int, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another device's work, blocks that are mapped beside it, a user who says how."""
    asked: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *setting: asked.append(setting))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    if variable:
        monkeypatch.setenv(*variable.split("=", 1))
    with keep_heap(device, block):
        assert not asked
    assert not asked
    monkeypatch.delenv(variable.partition("=")[0], raising=False)
    with keep_heap("cpu", 1):
        assert asked == [(-3, 32 * MIB), (-1, -1)]


def use_heap() -> None:
    """Write to `PAGES` in blocks that come from the heap, and let go of them."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    blocks = [library.malloc(24 * MIB) for _ in range(10)]
    for block in blocks:
        ctypes.memset(block, 1, 24 * MIB)
    for block in blocks:
        library.free(block)


def count_faults() -> int:
    """Pages that this process was given so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@only_glibc
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


@pytest.mark.parametrize(
    ("limit", "count"),
    [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 6), ("9900000 100000", 6)],
)
def test_a_containers_limit_counts_and_not_the_hosts_cores(
    limit: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n", encoding="ascii")
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(6)), raising=False)
    assert processors.count_processors() == count


@pytest.mark.parametrize("version", [1, 2])
def test_files_pages_in_a_containers_memory_are_free(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that was just downloaded fills the limit with pages that the system takes back when it needs them."""
    monkeypatch.setattr(hardware, "CGROUP", tmp_path)
    assert hardware._cgroup_limit(1000, 900) == (1000, 900)
    names = hardware.CGROUP_FILES[2 - version]
    for name, text in zip(names, ("800", "700", f"anon 200\n{names[3]} 500\n"), strict=False):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    assert hardware._cgroup_limit(1000, 900) == (800, 600)


@pytest.mark.parametrize(
    ("said", "asked", "count"), [(None, None, 6), (None, 3, 3), (None, 9, 6), ("2", None, 2), ("2", 3, 2), ("2", 1, 1)]
)
def test_threads_are_those_asked_for_within_what_there_is(
    said: str | None, asked: int | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr("tuneproof.model.hardware.count_processors", lambda: 6)
    assert count_threads(asked) == count
