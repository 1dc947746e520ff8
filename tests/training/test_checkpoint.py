"""A checkpoint is whole or invisible, and a damaged one is named and passed over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tuneproof.training.checkpoint import check_checkpoint, find_checkpoint, list_checkpoints, publish_checkpoint


def publish(folder: Path, step: int, text: str = "weights") -> Path:
    stage = folder / ".staging" / f"checkpoint-{step}"
    stage.mkdir(parents=True)
    (stage / "adapter_model.safetensors").write_text(text, encoding="utf-8")
    (stage / "adapter_model.safetensors").chmod(0o600)
    (stage / "optimizer.pt").write_text("moments", encoding="utf-8")
    publish_checkpoint(stage, folder / f"checkpoint-{step}")
    return folder / f"checkpoint-{step}"


def test_a_published_checkpoint_is_whole_and_readable(tmp_path: Path) -> None:
    path = publish(tmp_path, 3)
    assert list_checkpoints(tmp_path) == [3]
    assert check_checkpoint(path) is None
    assert stat.S_IMODE((path / "adapter_model.safetensors").stat().st_mode) & 0o044 == 0o044


def test_half_a_checkpoint_is_invisible(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "checkpoint-9" / "adapter_model.safetensors").write_text("half", encoding="utf-8")
    (tmp_path / ".staging" / "checkpoint-10").mkdir(parents=True)
    assert list_checkpoints(tmp_path) == []
    assert find_checkpoint(tmp_path) == (None, [])
    assert not (tmp_path / ".staging").exists()


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "manifest"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path: Path, damage: str) -> None:
    good, bad = publish(tmp_path, 2), publish(tmp_path, 10)
    file = bad / "adapter_model.safetensors"
    if damage == "flip":
        file.write_text("weighty", encoding="utf-8")
    elif damage == "truncate":
        file.write_text("w", encoding="utf-8")
    elif damage == "delete":
        file.unlink()
    else:
        (bad / "manifest.json").write_text("{", encoding="utf-8")
    found, skipped = find_checkpoint(tmp_path)
    assert found == good
    assert len(skipped) == 1
    assert skipped[0].startswith("checkpoint-10: ")
    assert ("manifest.json" if damage == "manifest" else "adapter_model.safetensors") in skipped[0]


def test_publishing_again_replaces(tmp_path: Path) -> None:
    publish(tmp_path, 4, "old")
    path = publish(tmp_path, 4, "new")
    assert (path / "adapter_model.safetensors").read_text(encoding="utf-8") == "new"
    assert check_checkpoint(path) is None
