"""Addresses of this machine: one to listen on, told at once where it cannot be used, and a port that is free."""

from __future__ import annotations

import socket

HERE = "127.0.0.1"


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError where the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)


def find_port() -> int:
    """A port that is free at this moment."""
    with bind(HERE, 0) as server:
        port: int = server.getsockname()[1]
        return port
