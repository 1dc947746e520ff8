"""By which names a server of ours is asked, and whose pages ask: what `serve` and the web app both refuse by.

A web page can let a name of its own point at this machine (DNS rebinding); its requests then carry that name in Host,
and its address in Origin. Addresses are always fine in Host, since nobody else can make them point here.

    is_known_host("localhost:8000", list_hosts("127.0.0.1"))      # True
"""

from __future__ import annotations

import platform
import re
from ipaddress import ip_address

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::[0-9]{1,5})?")
ORIGIN = re.compile(r"https?://([^/@\s]+)")


def is_known_host(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this machine: by an address, or by one of its names."""
    found = HOST.fullmatch(host)
    if found is None:
        return False
    name = found.group(1).lower()
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name in names
    return True


def is_own_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the server that the Host header names."""
    found = ORIGIN.fullmatch(origin)
    return found is not None and found.group(1).lower() == host.lower()


def list_hosts(bound: str) -> frozenset[str]:
    """Names by which a server on the address `bound` may be asked, besides addresses."""
    named = {"localhost", bound.lower()}
    if not is_loopback(bound):
        named |= {platform.node().lower(), f"{platform.node().lower()}.local"}
    return frozenset(named - {""})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a name that only a resolver could tell is not."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
