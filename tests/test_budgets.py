"""What keeps a file readable: 300 lines a file, 60 a function, 6 parameters, a docstring on top, plain names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.conftest import LONGEST
from tests.source import ROOT, SOURCE, Module, read_modules

FILE_LINES, FUNCTION_LINES, PARAMETERS = 300, 60, 6
EMPTY_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
ASSETS = (".css", ".jinja", ".js", ".py")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def list_functions() -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of the package, methods and inner ones too."""
    return ((module, node) for module in read_modules() for node in ast.walk(module.tree) if isinstance(node, Function))


def count_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters that a caller may give, `self` and `cls` not counted."""
    asked = function.args
    names = [argument.arg for argument in (*asked.posonlyargs, *asked.args, *asked.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_files_keep_their_budget() -> None:
    files = [path for path in SOURCE.rglob("*") if path.suffix in ASSETS]
    sizes = {str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: size for name, size in sizes.items() if size > FILE_LINES} == {}


def test_functions_keep_their_budget() -> None:
    sizes = {f"{at.name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1 for at, node in list_functions()}
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES} == {}


def test_functions_ask_for_few_parameters() -> None:
    counts = {f"{at.name}.{node.name}": count_parameters(node) for at, node in list_functions()}
    assert {name: count for name, count in counts.items() if count > PARAMETERS} == {}


def test_every_file_opens_with_what_it_is() -> None:
    assert [module.name for module in read_modules() if not ast.get_docstring(module.tree)] == []


def test_names_say_something() -> None:
    words = {
        module.name: {word for part in module.name.split(".") for word in part.split("_")} for module in read_modules()
    }
    assert [name for name, found in words.items() if found & EMPTY_NAMES] == []


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    assert [module.name for module in read_modules() if marks.search(module.text)] == []


def test_the_test_files_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
