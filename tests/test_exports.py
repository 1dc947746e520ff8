"""The public face: what `__all__` lists is there, sorted, documented, and complete."""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType

import pytest

import tuneproof
from tests.source import ROOT, read_modules
from tuneproof.rundir import PLACES

FACES = [module.name for module in read_modules() if "__all__" in module.text]


@pytest.mark.parametrize("name", FACES)
def test_exports_are_sorted_and_exist(name: str) -> None:
    face = import_module(name)
    assert face.__all__ == sorted(set(face.__all__))
    assert all(hasattr(face, exported) for exported in face.__all__)


def test_every_public_name_of_the_package_is_exported() -> None:
    names = {name for name, value in vars(tuneproof).items() if not isinstance(value, ModuleType)}
    public = {name for name in names if not name.startswith("_")} - {"annotations"}
    assert public | {"__version__"} == set(tuneproof.__all__)


def test_every_record_of_a_run_folder_is_exported() -> None:
    assert {kind.__name__ for kind in PLACES} <= set(tuneproof.__all__)


def test_everything_exported_says_what_it_is() -> None:
    assert all(getattr(tuneproof, name).__doc__ for name in tuneproof.__all__ if name != "__version__")


def test_the_changelog_begins_with_this_version() -> None:
    heads = re.findall(r"^## \[?([0-9][^\]\s]*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert heads[0] == tuneproof.__version__
