"""Nothing leaves the machine, and no code that came with a model or a data file is run."""

from __future__ import annotations

import ast
import socket

import pytest

from tests.source import list_imports, read_modules
from tuneproof.config.load import list_keys

# What could open a connection; rundir takes the machine's name from `socket`, nothing more. One module can: it asks the
# judge model that the user names, and is reached only where the config names one.
NETWORK = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "httpx2",
    "requests",
    "smtplib",
    "socket",
    "telnetlib",
    "urllib",
    "urllib3",
}
KNOWN = {
    ("tuneproof.rundir", "socket"),
    # The address that the server listens on.
    ("tuneproof.serve.listen", "socket"),
    ("tuneproof.evals.remote", "http"),
    ("tuneproof.evals.remote", "urllib"),
    # The web app listens, and speaks to the server child that it has started on this machine.
    ("tuneproof.web.listen", "socket"),
    ("tuneproof.web.playground", "httpx2"),
}
# Of these packages, what only takes texts apart.
HARMLESS = {"http.cookies", "urllib.parse"}
UNSAFE_CALLS = {"torch.load", "pickle.load", "pickle.loads", "eval", "exec", "yaml.load", "yaml.unsafe_load"}


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("example.org", 80)])
def test_the_guard_refuses_and_notes_other_machines(address: tuple[str, int], refused_connections: list[str]) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=1)
    assert address[0] in refused_connections.pop()
    refused_connections.clear()


def test_the_guard_lets_this_machine_speak_to_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def list_calls() -> list[tuple[str, ast.Call]]:
    """(module, call) for every call of the package."""
    return [(at.name, node) for at in read_modules() for node in ast.walk(at.tree) if isinstance(node, ast.Call)]


def test_no_module_can_open_a_connection() -> None:
    targets = {(at.name, imported.target) for at in read_modules() for imported in list_imports(at)}
    found = {(name, target.split(".")[0]) for name, target in targets if target not in HARMLESS}
    assert {(name, package) for name, package in found if package in NETWORK} - KNOWN == set()


def reads_tensors_only(call: ast.Call) -> bool:
    """Whether it is `torch.load(..., weights_only=True)`, whose reader builds tensors and plain values and no more."""
    given = {word.arg: word.value for word in call.keywords}
    only = given.get("weights_only")
    return ast.unparse(call.func) == "torch.load" and isinstance(only, ast.Constant) and only.value is True


def test_no_module_reads_a_format_that_can_carry_code() -> None:
    unsafe = [(name, call) for name, call in list_calls() if ast.unparse(call.func) in UNSAFE_CALLS]
    assert [f"{name}:{call.lineno}" for name, call in unsafe if not reads_tensors_only(call)] == []
    # An optimizer's state, written by torch in training, is all that is read this way.
    assert {name for name, _ in unsafe} <= {"tuneproof.explain.gradient"}


def test_code_of_a_model_is_trusted_where_the_command_line_says_so_and_nowhere_else() -> None:
    given = [(name, word) for name, call in list_calls() for word in call.keywords if word.arg == "trust_remote_code"]
    assert {name for name, _ in given} == {"tuneproof.model.load"}
    assert {ast.unparse(word.value) for _, word in given} == {"allows_code()", "False"}
    opened = {name for name, call in list_calls() if ast.unparse(call.func) == "trusting_code"}
    # A worker of a cluster is told what the command line that started it allows.
    assert opened == {"tuneproof.cli.app", "tuneproof.cluster.search", "tuneproof.cluster.worker"}
    # A config, which somebody else may have sent, cannot.
    assert [key for key in list_keys() if "trust" in key or "remote" in key] == []
