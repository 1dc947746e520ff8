"""Both notebooks run from top to bottom, made small by their parameters; none has outputs in git.

`colab` asks a tiny model: what its commands come to with the demo model is shown by tests/e2e. `look_inside` names the
demo model in its cells.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.source import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FEW_STEPS = """
MORE = ["--set", "train.max_steps=2", "--set", "train.batch_size=4", "--set", "evaluate.retention_items=8",
        "--set", "evaluate.test_rows=8", "--set", "evaluate.select_rows=4", "--set", "evaluate.select_probes=4",
        "--set", "evaluate.checkpoints=1", "--set", "evaluate.scales=[1.0]", "--set", "evaluate.few_shot=[]",
        "--set", "evaluate.max_new_tokens=8", "--set", "evaluate.languages=[en]", "--set", "replay.fraction=0",
        "--set", "evaluate.drift_items=1", "--set", "evaluate.reworded_rows=0", "--set", "evaluate.train_rows=0"]
TIME = None
MODEL = "tiny"
DATA = "few.jsonl"
DRIVE = "drive"
"""
SMALL = {"colab": FEW_STEPS, "look_inside": "STEPS = 3\nROWS = 2\nWORDS = 4"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(
    path: Path, tmp_path: Path, tiny_model_dir: Path, request: pytest.FixtureRequest
) -> None:
    from tuneproof.demo import demo_data_path

    if path.stem != "colab":
        request.getfixturevalue("demo_model")
    (tmp_path / "tiny").symlink_to(tiny_model_dir, target_is_directory=True)
    lines = demo_data_path().read_text(encoding="utf-8").splitlines()
    (tmp_path / "few.jsonl").write_text("\n".join(lines[20:100]) + "\n", encoding="utf-8")
    (tmp_path / "drive").mkdir()
    book = nbformat.read(path, as_version=4)
    at = next(number for number, cell in enumerate(book.cells) if "parameters" in cell.metadata.get("tags", []))
    book.cells[at].source += "\n" + SMALL[path.stem]
    NotebookClient(book, timeout=280, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(out.get("text", "") for cell in book.cells if cell.cell_type == "code" for out in cell.outputs)
    if path.stem == "colab":
        assert (tmp_path / "drive" / "colab" / "report.html").is_file()
        assert (tmp_path / "drive" / "colab-state" / "latest.json").is_file()
        assert (tmp_path / "colab-adapter.zip").is_file()
        assert "iframe" in str(book.cells)
    else:
        assert "tokens are trained" in printed
        assert "wanted:" in printed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_in_git_has_no_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert [cell for cell in book.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)] == []
