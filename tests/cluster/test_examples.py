"""The files for others' machines parse, their commands are this version's, and the cost table is the script's."""

from __future__ import annotations

import re
import subprocess
from typing import get_args, get_type_hints

import pytest
import yaml

from benchmarks import scale_model
from benchmarks.pages import fill_page, list_pages
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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_cost_table_is_up_to_date(language: str) -> None:
    """`python -m benchmarks.scale_model --write` writes it."""
    text = list_pages("scale")[language].read_text(encoding="utf-8")
    assert fill_page(text, scale_model.MARK, scale_model.draw_table(chinese=language == "zh")) == text


def test_shares_follow_the_rule_of_the_crew() -> None:
    import math
    from statistics import NormalDist

    from tuneproof.model.crew import Crew

    sizes = [round(1e6 * math.exp(0.8 * NormalDist().inv_cdf((at + 0.5) / 40))) for at in range(40)]
    busiest = max(sum(sizes[at] for at in Crew(rank, 6).share(sizes)) for rank in range(6))
    assert scale_model.find_share(6, 40, 0.8) == pytest.approx(busiest / sum(sizes), rel=1e-4)
