"""The files for others' machines parse, their commands are this version's, and the cost table is the script's."""

from __future__ import annotations

import re
import runpy
import subprocess
from typing import get_args, get_type_hints

import pytest
import yaml

from tests.source import ROOT
from tuneproof.cli import _list_commands

EXAMPLES = ROOT / "examples" / "cluster"


@pytest.mark.parametrize("name", ["sky.yaml", "slurm.sh", "kuberay.yaml"])
def test_its_command_is_one_of_this_version_and_names_its_run_folder(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    line = re.search(r"^.*\btuneproof (\w+) .*--out .*$", text, re.M)
    assert line is not None
    command = next(one for one in _list_commands() if one.name == line.group(1))
    hints = get_type_hints(command.options, include_extras=True)
    declared = [part for hint in hints.values() for part in get_args(hint)[1:]]
    known = {flag for option in declared for flag in (option.default, *(option.param_decls or ()))}
    assert set(re.findall(r"(?<= )--[a-z-]+", line.group(0))) <= known


def test_the_files_parse() -> None:
    assert yaml.safe_load((EXAMPLES / "sky.yaml").read_text(encoding="utf-8"))["resources"]["use_spot"] is True
    job = yaml.safe_load((EXAMPLES / "kuberay.yaml").read_text(encoding="utf-8"))
    groups = [job["spec"]["rayClusterSpec"]["headGroupSpec"], *job["spec"]["rayClusterSpec"]["workerGroupSpecs"]]
    assert all(group["template"]["spec"]["volumes"][0]["name"] == "shared" for group in groups)
    subprocess.run(["bash", "-n", str(EXAMPLES / "slurm.sh")], check=True)


@pytest.mark.parametrize(("page", "chinese"), [("scale.md", False), ("scale.zh-CN.md", True)])
def test_the_cost_table_is_up_to_date(page: str, chinese: bool) -> None:
    """`benchmarks/scale_model.py --write` writes it."""
    script = runpy.run_path(str(ROOT / "benchmarks" / "scale_model.py"), run_name="scale_model")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert script["fill_page"](text, script["draw_table"](chinese=chinese)) == text


def test_shares_follow_the_rule_of_the_crew() -> None:
    import math
    from statistics import NormalDist

    from tuneproof.model.crew import Crew

    script = runpy.run_path(str(ROOT / "benchmarks" / "scale_model.py"), run_name="scale_model")
    sizes = [round(1e6 * math.exp(0.8 * NormalDist().inv_cdf((at + 0.5) / 40))) for at in range(40)]
    busiest = max(sum(sizes[at] for at in Crew(rank, 6).share(sizes)) for rank in range(6))
    assert script["find_share"](6, 40, 0.8) == pytest.approx(busiest / sum(sizes), rel=1e-4)
