"""How many processors this process may use: those of its affinity, within a container's limit.

`os.cpu_count` and PyTorch see the whole host, and `docker run --cpus 2` takes no core away: 64 threads that share the
time of two wait for each other most of it.

    count_processors()      # 2
"""

from __future__ import annotations

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of computing a period, and the period (cgroup v2); `max` where there is no limit."""


def count_processors() -> int:
    """Whole processors, one at least. A limit of 1.5 counts as 2, since both are there for part of the time."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, min(count, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return count
