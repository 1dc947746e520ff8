"""Answers a second of the base by one process and by two, each with a core of its own: what sharing them out brings.

The same run up to the base's answers, once alone and once as two processes (cli/launch.py) with one thread each. What
is timed is the stage `base` as run.json has it; answers that earlier runs have made are not used.

    python benchmarks/answer_ranks.py --folder OUT --items 96        # about 4 minutes on two free cores
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.demo import demo_data_path
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir

LAUNCH = (
    "import sys; from tuneproof.cli.launch import launch_ranks; sys.exit(launch_ranks(sys.argv[2:], int(sys.argv[1])))"
)
ALONE = [sys.executable, "-m", "tuneproof"]
TOGETHER = [sys.executable, "-c", LAUNCH, "2"]


def write_config(path: Path, items: int) -> None:
    """The demo, with so many answers of the base, and a training of one step after them."""
    config = RunConfig()
    config.model.name, config.model.dtype = "demo", "float32"
    config.data.files, config.data.task = [str(demo_data_path())], "task"
    config.train.max_steps, config.train.batch_size, config.replay.fraction = 1, 1, 0.0
    knobs = {
        "test_rows": items // 2,
        "retention_items": items // 2,
        "select_rows": 1,
        "select_probes": 1,
        "few_shot": [],
    }
    for name, value in {**knobs, "remember": False, "languages": ["en"]}.items():
        setattr(config.evaluate, name, value)
    path.write_text(dump_config(config), encoding="utf-8")


def time_base(command: list[str], config: Path, out: Path) -> tuple[float, int]:
    """(seconds of the stage, answers made)."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "train", str(config), "--out", str(out)], check=True, env=environment)
    run = RunDir(out)
    made = sum(len(run.find_answers("base", path.stem)) for path in (out / "eval" / "base").glob("*.jsonl"))
    return run.load(RunRecord).stages["base"].seconds, made


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--items", type=int, default=96)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    config = given.folder / "run.yaml"
    write_config(config, given.items)
    one, made = time_base(ALONE, config, given.folder / "one")
    two, same = time_base(TOGETHER, config, given.folder / "two")
    told = {"answers": made, "same_number": made == same, "seconds_1": one, "seconds_2": two, "ratio": one / two}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
