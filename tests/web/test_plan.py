"""A plan that is asked for as soon as the page is open is one for this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.web.test_guard import make_client
from tuneproof.config import ModelSection
from tuneproof.model.hardware import take_hardware
from tuneproof.web import Settings


@pytest.mark.skipif(take_hardware(ModelSection()).device != "cpu", reason="here is a card to plan for")
def test_a_plan_waits_for_what_the_machine_has(tmp_path: Path, tiny_model_dir: Path) -> None:
    """With a limit and no device it would be one for a card, to which weights of 4 bits are open."""
    rows = "".join(json.dumps({"instruction": f"Say {n} twice.", "output": f"{n} {n}"}) + "\n" for n in range(40))
    settings = Settings(tmp_path / "runs", models=(str(tiny_model_dir),))
    with make_client(settings) as client:
        file = client.put("/files/rows.jsonl", content=rows).json()["id"]
        assert client.post("/machine").status_code == 200
        wanted = {"files": [file], "model": str(tiny_model_dir), "memory": "3GB"}
        job = client.post("/plans", json=wanted).json()["job"]
        while (told := client.get(f"/jobs/{job}").json())["state"] == "running":
            time.sleep(0.2)
    assert (told["state"], told["fits"]) == ("done", True)
    assert "train.micro_batch" in told["html"]
    assert "nf4" not in told["html"]
