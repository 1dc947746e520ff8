"""Who may import whom (docs/design.md): every import counts, those under TYPE_CHECKING and in functions too."""

from __future__ import annotations

import sys
from graphlib import TopologicalSorter

from tests.source import list_imports, read_modules

GROUND = {
    *("bases", "config", "consent", "demo", "errors", "figures", "hosts", "messages", "processors", "progress"),
    *("records", "rundir", "statistics"),
}
STAGES = {"data", "evals", "explain", "export", "plan", "training"}

# Room -> rooms it may import, itself apart. Every file of the package stands in one of these rooms.
MAY_IMPORT = {
    **dict.fromkeys(GROUND, GROUND),
    "model": GROUND,
    **dict.fromkeys(STAGES, GROUND | {"model"}),
    "report": GROUND,
    "pipeline": GROUND | STAGES | {"model", "report"},
    "cluster": GROUND | {"pipeline"},
    "serve": GROUND | {"model"},
    "web": GROUND | {"report"},
    "cli": GROUND | {"pipeline", "cluster"},
    "__init__": GROUND,
    "__main__": {"cli"},
}
# A face inside its own command: the only imports of faces that cli may make, by file.
FACES = {("tuneproof.cli.chat", "serve"), ("tuneproof.cli.serve", "serve"), ("tuneproof.cli.ui", "web")}

WEIGHTS = {"accelerate", "peft", "safetensors", "torch", "transformers"}
GROUND_PACKAGES = {"filelock", "numpy", "platformdirs", "pydantic", "scipy", "yaml"}
# Packages that take long to import, or much memory.
HEAVY = WEIGHTS | {"bitsandbytes", "datasets", "gguf", "pandas", "pyarrow", "ray", "scipy"}
TORCH_FREE = GROUND | {"__init__", "__main__", "cli", "report", "web"}


def test_every_file_belongs_to_a_layer() -> None:
    assert [module.name for module in read_modules() if module.room not in MAY_IMPORT] == []


def test_a_module_imports_only_what_its_layer_may() -> None:
    wrong = []
    for module in read_modules():
        # The package's own face tells the version; it stands on the ground alone, so all above may ask it.
        allowed = (
            MAY_IMPORT.get(module.room, set()) | {module.room} | (set() if module.room in GROUND else {"__init__"})
        )
        for imported in list_imports(module):
            package, room = f"{imported.target}.__init__".split(".")[:2]
            if package == "tuneproof" and room not in allowed and (module.name, room) not in FACES:
                wrong.append(f"{module.name}:{imported.line} imports {imported.target}")
    assert wrong == []


def test_a_layer_uses_only_its_packages() -> None:
    wrong = []
    for module in read_modules():
        for imported in list_imports(module):
            package = imported.target.split(".")[0]
            if package == "tuneproof" or package in sys.stdlib_module_names:
                continue
            ground = module.room in GROUND and package not in GROUND_PACKAGES
            if ground or (module.room in TORCH_FREE and package in WEIGHTS):
                wrong.append(f"{module.name}:{imported.line} imports {package}")
    assert wrong == []


def test_light_faces_reach_no_heavy_package_when_they_are_imported() -> None:
    by_name = {module.name: module for module in read_modules()}
    waiting, seen, wrong = ["tuneproof", "tuneproof.cli", "tuneproof.report", "tuneproof.__main__"], set(), []
    while waiting:
        name = waiting.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        for imported in list_imports(by_name[name]):
            if imported.level == "module":
                parts = imported.target.split(".")
                waiting += [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
                wrong += [f"{name}:{imported.line} {imported.target}"] if parts[0] in HEAVY else []
    assert {"tuneproof.cli", "tuneproof.report", "tuneproof.config.load"} <= seen
    assert not wrong


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        module.name: {imported.target for imported in list_imports(module) if imported.level != "inner"} - {module.name}
        for module in read_modules()
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def test_stages_stand_apart() -> None:
    """The table itself: no stage may name another, and no layer one above it."""
    assert not any(MAY_IMPORT[stage] & STAGES for stage in STAGES)
    assert not any(MAY_IMPORT[room] - GROUND for room in GROUND)
    assert "model" not in MAY_IMPORT["cli"] | MAY_IMPORT["web"] | MAY_IMPORT["report"]
