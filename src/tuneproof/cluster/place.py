"""A Ray cluster: the one that is there, or one on this machine alone, for as long as it is needed.

In: an address. Out: a connected process, and how many workers of which size the nodes bear.

    with open_cluster("local") as ray:
        shape = shape_group(ray.nodes(), Place("local"))
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from tuneproof.cluster import Place, require_ray
from tuneproof.errors import UsageError

CARRIED = ("HF_", "MODELSCOPE_", "TUNEPROOF_")
"""Beginnings of the variables that workers get from this process; nothing else of its environment leaves it."""
QUIET = {
    # Nothing is sent to anybody, not even that Ray was started.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray has its own words for what the workers tell us anyway.
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ctrl-C ends a search as it ends every command.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # One file of progress is enough.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}
LOOPBACK = "127.0.0.1"


class Shape(NamedTuple):
    """A group of workers."""

    workers: int
    cpus: int
    """Of each; its threads."""
    use_gpu: bool


@contextmanager
def open_cluster(address: str, *, cpus: int | None = None) -> Iterator[Any]:
    """The package `ray`, connected. Raises UsageError where it is not installed, or nothing answers at the address.

    `cpus`: of a Ray of its own (None: all of this machine). A local one listens to this machine alone.
    """
    require_ray()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    carried = {name: value for name, value in os.environ.items() if name.startswith(CARRIED)}
    if address == "local" and "PYTHONPATH" in os.environ:
        carried["PYTHONPATH"] = os.environ["PYTHONPATH"]
    common["runtime_env"] = {"env_vars": carried}
    try:
        if address == "local":
            ray.init("local", num_cpus=cpus, include_dashboard=False, _node_ip_address=LOOPBACK, **common)
        else:
            ray.init(address, **common)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        told = str(error).strip().splitlines()
        raise UsageError("cluster.no_answer", where="--cluster", address=address, why=told[0][:200]) from error
    # Ray takes SIGTERM for itself.
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


def shape_group(nodes: Sequence[Mapping[str, Any]], place: Place) -> Shape:
    """How many workers, and of which size. `nodes`: what `ray.nodes()` says.

    Raises UsageError where fewer GPUs or processors are there than are asked for.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = int(sum(node.get("GPU", 0) for node in alive))
    processors = [int(node.get("CPU", 0)) for node in alive if node.get("CPU", 0) >= 1]
    if (place.gpus or 0) > gpus:
        raise UsageError("cluster.few_gpus", where="--gpus", asked=place.gpus, found=gpus)
    if place.gpus or (gpus and not place.workers):
        return Shape(place.gpus or gpus, 1, use_gpu=True)
    wanted = place.workers or len(processors)
    if wanted > sum(processors) or not processors:
        raise UsageError("cluster.few_cpus", where="--workers", asked=wanted, found=sum(processors))
    # The largest size of which as many fit.
    cpus = max(size for size in range(1, max(processors) + 1) if sum(one // size for one in processors) >= wanted)
    return Shape(wanted, cpus, use_gpu=False)
