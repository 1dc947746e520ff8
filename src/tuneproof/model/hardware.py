"""What this machine offers: device, memory, the dtype it computes fast in.

In: what the user asked for (`auto`, `cpu`, `cuda`, `mps`). Out: one `Hardware`. Nothing here is measured by a clock,
so that two runs on one machine compute the same numbers.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil
import torch

from tuneproof.config import ModelSection
from tuneproof.errors import ModelError, UsageError
from tuneproof.processors import count_processors

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
HEAP_BLOCK = 32 * 2**20
"""Bytes of the largest block that glibc takes from its heap; what is larger is mapped on its own, each time anew."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt`'s settings (glibc's malloc.h)."""
HEAP_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_TOP_PAD_")
"""By which a user settles the same; or by `GLIBC_TUNABLES`."""
KERNEL_CACHES = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
"""How many prepared kernels PyTorch's own cache (ideep) and oneDNN's keep; read from the environment on first use."""
DtypeName = Literal["float32", "bfloat16", "float16"]

MARKS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad allocation",
    "alloc_failed",
    "cannot allocate memory",
)
"""What is said, in lower case: CUDA and MPS `out of memory`, CPUs `can't allocate` (Linux) and `not enough memory`
(Windows), `CUBLAS_STATUS_ALLOC_FAILED`, the C++ library `std::bad_alloc`."""

CGROUP = Path("/sys/fs/cgroup")
CGROUP_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)
"""Limit, use, and what of the use are files' pages, of version 2 and 1."""


class Hardware(NamedTuple):
    """One device and what it can do. Bytes are plain numbers."""

    device: Literal["cpu", "cuda", "mps"]
    name: str
    memory_total: int
    memory_free: int
    threads: int
    dtype: DtypeName
    """The fastest dtype that is safe to train in here."""


def inspect_hardware(device: DeviceName = "auto") -> Hardware:
    """The device to use. Raises UsageError when the one asked for is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device != "auto" and not available[device]:
        raise UsageError("hardware.no_device", where="--device", device=device)
    if device == "cuda" or (device == "auto" and available["cuda"]):
        free, total = torch.cuda.mem_get_info()
        dtype: DtypeName = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
        return Hardware("cuda", torch.cuda.get_device_name(), total, free, count_threads(), dtype)
    memory = psutil.virtual_memory()
    total, free = _cgroup_limit(memory.total, memory.available)
    if device == "mps" or (device == "auto" and available["mps"]):
        return Hardware("mps", "Apple GPU", total, free, count_threads(), "float32")
    name = str(torch.cpu.get_capabilities().get("cpu_name", "CPU"))
    return Hardware("cpu", name, total, free, count_threads(), _fast_cpu_dtype())


def count_threads(asked: int | None = None) -> int:
    """How many threads to compute with: `asked`, or PyTorch's number, which is that of the cores.

    Never more than OMP_NUM_THREADS, by which processes side by side share a machine, nor than there are processors.
    """
    said = os.environ.get("OMP_NUM_THREADS", "")
    most = count_processors()
    if said.isdecimal() and int(said) > 0:
        most = min(most, int(said))
    return min(asked or torch.get_num_threads(), most)


def take_hardware(knobs: ModelSection) -> Hardware:
    """The device that a config asks for; what is computed from now on has the config's number of threads."""
    use_threads(knobs.threads)
    return inspect_hardware(knobs.device)


def use_threads(asked: int | None = None) -> None:
    """Compute with `count_threads(asked)` threads from now on."""
    torch.set_num_threads(count_threads(asked))


def is_hopper(hardware: Hardware) -> bool:
    """Whether it is a card of the H100's generation, which cuBLAS gives a larger workspace."""
    return hardware.device == "cuda" and torch.cuda.get_device_capability() == (9, 0)


def require_gpus(count: int) -> None:
    """Raise UsageError unless there are `count` CUDA devices."""
    if torch.cuda.device_count() < count:
        raise UsageError("hardware.few_gpus", where="--gpus", asked=count, found=torch.cuda.device_count())


def _fast_cpu_dtype() -> DtypeName:
    """bfloat16 where the processor multiplies it in hardware, else float32.

    Measured with the demo model: with AVX-512-BF16 a training step is 1.9 times and generation 3.6 times as fast in
    bfloat16; with AVX-512 alone matrix products in bfloat16 run at about half the speed of float32.
    """
    abilities = torch.cpu.get_capabilities()
    return "bfloat16" if abilities.get("avx512_bf16") or abilities.get("amx_bf16") else "float32"


def _cgroup_limit(total: int, free: int) -> tuple[int, int]:
    """Total and free bytes within a container's memory limit (cgroup v2 or v1), where there is one.

    Pages of files that were read count as used there and are given back when memory is wanted: a model that was just
    downloaded takes none.
    """
    for names in CGROUP_FILES:
        try:
            limit, used, stat = ((CGROUP / name).read_text(encoding="ascii") for name in names[:3])
            cached = dict(line.split() for line in stat.splitlines()).get(names[3], 0)
            taken = int(used) - int(cached)
            return min(total, int(limit)), min(free, max(int(limit) - taken, 0))
        except (OSError, ValueError):
            continue
    return total, free


def import_bitsandbytes(where: str) -> Any:
    """The package that holds weights and optimizer states in fewer bits. Raises ModelError where it is not installed.

    `where`: the config key that asks for it.
    """
    if find_spec("bitsandbytes") is None:
        raise ModelError("model.no_bitsandbytes", where=where)
    import bitsandbytes

    return bitsandbytes


def free_disk(path: Path) -> int:
    """Free bytes where `path` will lie."""
    place = path.resolve()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(mark in str(error).lower() for mark in MARKS)


def reset_peak(device: str) -> None:
    """Start measuring the peak anew; on a CPU only Linux can.

    What the C library has kept of freed memory is given back to the system first: else a phase would be told to take
    what the one before has left (measured: 560 MiB after a step of the demo model, all of which go back).
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    release_heap()
    if os.access("/proc/self/clear_refs", os.W_OK):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def release_heap() -> None:
    """Give freed memory back to the system, where the C library can be asked to (glibc)."""
    trim = _find_in_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _find_in_libc(name: str) -> Any:
    """A function of the C library; None where it has none of the name, and elsewhere than on Linux."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


@contextmanager
def keep_heap(device: str, block: int) -> Iterator[None]:
    """Within this the C library keeps the heap's freed end for what is computed next (glibc, on a CPU).

    Left alone it gives the end back above 64 MiB, which is a step's activations, and the system zeroes each page of it
    again for the next step (benchmarks/RESULTS.md). `block`: bytes of the largest tensor that comes and goes. Where
    some come from the heap and some are too large for it, the kept end would lie beside those, so then nothing is kept;
    nor where the user's environment says how.
    """
    choose = _find_in_libc("mallopt")
    said = any(name in os.environ for name in HEAP_VARIABLES) or "malloc." in os.environ.get("GLIBC_TUNABLES", "")
    if choose is None or said or device != "cpu" or block > HEAP_BLOCK:
        yield
        return
    # Set both: with one of them set, glibc leaves the other where it began instead of following what is used.
    choose(M_MMAP_THRESHOLD, HEAP_BLOCK)
    choose(M_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        choose(M_TRIM_THRESHOLD, 2 * HEAP_BLOCK)
        release_heap()


def read_peak(device: str) -> int | None:
    """Peak bytes since `reset_peak`: the device's tensors (CUDA), the whole process (Linux CPU); None elsewhere."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return _read_status("VmHWM") if device == "cpu" else None


def read_loaded(device: str) -> int | None:
    """Bytes once weights have been loaded; the peak on CUDA, where they come one by one.

    On a CPU what is there then is the most that was needed: weights only add up, and the pages of a file that they are
    converted from are the system's to take back at any time, though they show in the process's size.
    """
    return read_peak(device) if device == "cuda" else read_resident(device)


def read_resident(device: str = "cpu") -> int | None:
    """Bytes of this process that lie in memory now (Linux); None elsewhere, and for other devices than the CPU."""
    return _read_status("VmRSS") if device == "cpu" else None


def _read_status(field: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    found = re.search(rf"{field}:\s+(\d+) kB", status.read_text(encoding="ascii"))
    return int(found.group(1)) * 1024 if found else None


def bound_kernel_caches() -> None:
    """Let oneDNN keep few prepared kernels; call it before anything is computed.

    On a CPU PyTorch keeps 1,024 matrix products ready, by shape, each with its scratch memory, in two caches. Packs
    and answers have a new length every time, so they fill up and are not used again (pytorch issue 27971). 40 steps of
    the demo model: 1.9 GiB with 32 of them instead of 2.8, at the same speed. What the user's environment says is kept.
    """
    for name in KERNEL_CACHES:
        os.environ.setdefault(name, "32")
