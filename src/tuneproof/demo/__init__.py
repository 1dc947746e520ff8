"""What `tuneproof demo` runs on: a data set of an invented company's service desk, and a small real chat model.

In: nothing. Out: two paths, one to the shipped rows, one to the folder of the model.

    rows = demo_data_path().read_text(encoding="utf-8").splitlines()
"""

from pathlib import Path

from tuneproof.demo.model import demo_model_path

__all__ = ["demo_data_path", "demo_model_path"]


def demo_data_path() -> Path:
    """Return the shipped data set, BELLE rows as JSON Lines; `generate.py` wrote it and README.md describes it."""
    return Path(__file__).with_name("service_desk.jsonl")
