"""What the person at the command line has allowed for this one call: to run the Python code that a model brings along.

Never in a config, a record or the environment: a file that somebody sends may not switch it on, and what was allowed
once is asked for again. Only the command line's `--trust-remote-code` opens it; who loads a model asks.

    with trusting_code():
        allows_code()       # True
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_given: list[bool] = []


@contextmanager
def trusting_code() -> Iterator[None]:
    """Code of a model may run in this process, in any thread, until the context is left."""
    _given.append(True)
    try:
        yield
    finally:
        _given.pop()


def allows_code() -> bool:
    """Whether code of a model may run."""
    return bool(_given)
