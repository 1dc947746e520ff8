"""What a cluster loses, and what that costs: a worker killed -9 in the middle of training, then a whole node.

A Ray cluster of two nodes (two raylets) on this machine runs the same config as one process does. Once a few steps are
done, one worker is killed -9; when the next group has gone on, the node that holds one of its workers is taken away.
What is asked: that the run ends by itself, that its adapter and losses are those of the undisturbed run, and that no
row of any step was left out or taken twice (tokens and trained tokens of every step are the same).

    python benchmarks/cluster_losses.py run.yaml --folder OUT       # about six times as long as the training
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tuneproof.rundir import RunDir

WEIGHTS = "adapter/adapter_model.safetensors"
GLANCE = 0.05
PATIENCE = 900.0


class Proof(NamedTuple):
    """The disturbed run beside the undisturbed one."""

    groups: int
    """Groups of workers that it took."""
    seconds: float
    steps: int
    repeated: int
    """Steps that were computed again."""
    loss_gap: float
    """Largest relative difference of a step's loss."""
    weight_gap: float
    """Largest difference of a weight, over the largest weight of the adapter."""
    same_tokens: bool
    """Whether every step saw as many tokens, trained and in all, as in the undisturbed run."""


def list_steps(run: RunDir) -> list[dict[str, Any]]:
    """Every step as it was computed, repeated ones too."""
    return [event for event in run.load_events() if event["kind"] == "step"]


def list_groups(run: RunDir) -> list[dict[str, Any]]:
    """Every group of workers that has begun."""
    return [event for event in run.load_events() if event["kind"] == "group"]


def wait_for(run: RunDir, groups: int, steps: int, job: subprocess.Popen[bytes]) -> None:
    """Wait until so many groups have begun, and the last of them has done so many steps."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and job.poll() is None:
        events = run.load_events()
        begun = [at for at, event in enumerate(events) if event["kind"] == "group"]
        if len(begun) >= groups:
            done = [event for event in events[begun[groups - 1] :] if event["kind"] == "step"]
            if len(done) >= steps:
                return
        time.sleep(GLANCE)
    raise SystemExit(f"group {groups} did not get to {steps} steps (exit code {job.poll()})")


def run_disturbed(config: Path, folder: Path, after: int) -> tuple[RunDir, float]:
    """Train on two nodes, of which one is lost after a worker was; returns the run and its seconds."""
    from ray.cluster_utils import Cluster  # type: ignore[import-not-found,unused-ignore]

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    node = cluster.add_node(num_cpus=1)
    run, begun = RunDir(folder / "disturbed"), time.perf_counter()
    command = [sys.executable, "-m", "tuneproof", "train", str(config), "--out", str(run.path)]
    job = subprocess.Popen([*command, "--cluster", cluster.address, "--workers", "2"])
    try:
        wait_for(run, 1, after, job)
        killed = list_groups(run)[0]["ranks"][1]["pid"]
        os.kill(killed, signal.SIGKILL)
        print(f"killed worker {killed} after step {list_steps(run)[-1]['step']}", flush=True)
        wait_for(run, 2, after, job)
        cluster.remove_node(node, allow_graceful=False)
        print(f"took a node away after step {list_steps(run)[-1]['step']}", flush=True)
        code = job.wait(PATIENCE)
    finally:
        job.kill()
        cluster.shutdown()
    if code:
        raise SystemExit(f"the run ended with exit code {code}")
    return run, time.perf_counter() - begun


def compare_runs(one: RunDir, two: RunDir, seconds: float) -> Proof:
    """What the losses have cost; a step that was computed again counts as it was last."""
    from safetensors.numpy import load_file

    last = sorted(path.name for path in one.checkpoints.iterdir() if path.name.startswith("checkpoint-"))
    newest = max(last, key=lambda name: int(name.rsplit("-", 1)[1]))
    first, second = (load_file(run.checkpoints / newest / "adapter_model.safetensors") for run in (one, two))
    largest = max(float(abs(weight).max()) for weight in first.values())
    gap = max(float(abs(first[name] - second[name]).max()) for name in first)
    ours, theirs = ({step["step"]: step for step in list_steps(run)} for run in (one, two))
    return Proof(
        groups=len(list_groups(two)),
        seconds=seconds,
        steps=len(theirs),
        repeated=len(list_steps(two)) - len(theirs),
        loss_gap=max(abs(theirs[at]["loss"] / step["loss"] - 1) for at, step in ours.items()),
        weight_gap=gap / largest,
        same_tokens=ours.keys() == theirs.keys()
        and all(theirs[at][name] == step[name] for at, step in ours.items() for name in ("tokens", "trained_tokens")),
    )


def main() -> None:
    """Run both, and print the proof as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--after", type=int, default=5, help="steps of a group before it loses something")
    given = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    one = RunDir(given.folder / "undisturbed")
    subprocess.run(
        [sys.executable, "-m", "tuneproof", "train", str(given.config), "--out", str(one.path)],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    two, seconds = run_disturbed(given.config, given.folder, given.after)
    print(json.dumps(compare_runs(one, two, seconds)._asdict(), indent=1))


if __name__ == "__main__":
    main()
