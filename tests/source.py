"""The project's own source, read with `ast`: what the tests of its structure look at.

for module in read_modules(): print(module.name, module.room, len(module.text.splitlines()))
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tuneproof"


class Module(NamedTuple):
    """One file of the package."""

    name: str
    """Dotted, as it is imported: `tuneproof.config.load`; a package is named by its folder."""
    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder or file below `tuneproof` that it belongs to; the package itself is `__init__`."""
        return f"{self.name}.__init__".split(".")[1]


class Import(NamedTuple):
    """One name that a module imports."""

    target: str
    """The module it names, dotted: `torch.nn`, `tuneproof.config.load`."""
    line: int
    level: str
    """`module`: runs when the module is imported; `typing`: under TYPE_CHECKING; `inner`: inside a function."""


@cache
def read_modules() -> tuple[Module, ...]:
    """Every module of the package, sorted by name."""
    modules = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        modules.append(Module(name, path, text, ast.parse(text, str(path))))
    return tuple(modules)


def list_imports(module: Module) -> list[Import]:
    """Every import of a module, wherever it stands."""
    return list(_walk(module, module.tree, "module"))


def _walk(module: Module, node: ast.AST, level: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inner = level
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = "inner"
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            inner = "typing"
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield from (Import(target, child.lineno, level) for target in _name_targets(module, child))
        else:
            yield from _walk(module, child, inner)


def _name_targets(module: Module, node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules an import statement names; `from package import module` names the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    source = node.module or ""
    if node.level:
        here = module.name.split(".") if module.path.name == "__init__.py" else module.name.split(".")[:-1]
        source = ".".join([*here[: len(here) - node.level + 1], *([source] if source else [])])
    names = {other.name for other in read_modules()}
    return [f"{source}.{alias.name}" if f"{source}.{alias.name}" in names else source for alias in node.names]
