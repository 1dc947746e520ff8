"""The docs say what the code does: commands, options, exit codes, config keys, rooms, links; and name no machine."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from tests.source import ROOT, SOURCE, read_modules
from tuneproof import errors
from tuneproof.cli import _list_commands
from tuneproof.config import RunConfig
from tuneproof.errors import TuneproofError
from tuneproof.records.data import FindingKind
from tuneproof.rundir import PLACES

PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
# Folders that only one machine has; a path such as /tmp/x in an example would mislead as well.
MACHINE = re.compile(r"(?<![\w.~])/(home|mnt|opt|root|tmp|Users|work)/\w")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["docs/contract.md", "README.md"])
def test_every_command_is_described(page: str) -> None:
    text = read(page)
    assert [command.name for command in _list_commands() if f"tuneproof {command.name}" not in text] == []


def test_every_option_is_described() -> None:
    hints = [get_type_hints(command.options, include_extras=True) for command in _list_commands()]
    declared = [part for hint in hints for kind in hint.values() for part in get_args(kind)[1:]]
    # typer keeps the first name where a default would stand.
    flags = {name for option in declared for name in (option.default, *(option.param_decls or ()))} - {..., None}
    assert {"--json", "--set", "--out"} <= flags
    assert sorted(flag for flag in flags if f"`{flag}" not in read("docs/contract.md")) == []


def test_every_exit_code_of_an_error_is_described() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TuneproofError)]
    codes = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", read("docs/contract.md"), re.M) for code in row.split(",")
    }
    assert {kind.exit_code for kind in kinds} <= codes
    assert {0, 1, 2, 3, 4, 5, 6, 10, 11, 130, 143} <= codes


def test_every_place_of_the_run_folder_is_described() -> None:
    assert [place for place in PLACES.values() if f"`{place}`" not in read("docs/contract.md")] == []


def test_every_kind_of_finding_is_described() -> None:
    assert [kind for kind in get_args(FindingKind) if f"`{kind}`" not in read("docs/contract.md")] == []


def test_every_section_of_the_config_is_named_in_the_contract() -> None:
    assert [name for name in RunConfig.model_fields if f"`{name}`" not in read("docs/contract.md")] == []


def test_the_page_of_the_config_is_up_to_date() -> None:
    """`scripts/config_page` writes it."""
    write_page = runpy.run_path(str(ROOT / "scripts" / "config_page"))["write_page"]
    assert read("docs/config.md") == write_page()
    assert read("docs/config.zh-CN.md") == write_page(chinese=True)


def test_every_room_stands_in_the_design() -> None:
    tree = read("docs/design.md").partition("## Who may import whom")[0]
    rooms = {module.room for module in read_modules()} - {"__init__", "__main__"}
    named = {room: f"{room}/" if (SOURCE / room).is_dir() else f"{room}.py" for room in rooms}
    assert [room for room, name in named.items() if not re.search(rf"─ {re.escape(name)} ", tree)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_no_file_names_a_path_of_some_machine() -> None:
    files = [*PAGES, ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "constraints.txt", ROOT / ".ci" / "run"]
    files += [
        path for path in SOURCE.rglob("*") if path.suffix in (".css", ".jinja", ".js", ".jsonl", ".md", ".py", ".txt")
    ]
    named = {str(file.relative_to(ROOT)): MACHINE.findall(file.read_text(encoding="utf-8")) for file in files}
    assert {file: found for file, found in named.items() if found} == {}


def test_locked_files_name_no_index() -> None:
    lines = [*read("constraints.txt").splitlines(), *read("requirements/locked.txt").splitlines()]
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    assert [line for line in pins if "://" in line or line.startswith("-") or "==" not in line] == []
    hashed = read("requirements/locked.txt").count("--hash=sha256:")
    assert hashed == len([line for line in read("requirements/locked.txt").splitlines() if not line.startswith("#")])
