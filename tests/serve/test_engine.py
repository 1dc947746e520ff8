"""The engine: many questions at once, each with its own answer; bounds, cancelling, faults, an end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.serve.conftest import LIMITS
from tuneproof.progress import Quiet
from tuneproof.records import Message
from tuneproof.serve.engine import Busy, Closed, Engine
from tuneproof.serve.load import Served, open_served
from tuneproof.serve.question import Piece, Question

SIDES = ("base", "first", "second", "first@0.5", "first@0", "second@0.25")
SECONDS = 60.0


def pose(served: Served, model: str, text: str, limit: int = 12) -> Question:
    side = served.names.find(model)
    assert side is not None
    return served.pose(side, [Message(role="user", content=text)], limit)


def hear(served: Served, question: Question) -> list[Piece]:
    """All pieces of an answer."""
    heard: SimpleQueue[Piece] = SimpleQueue()
    served.engine.ask(question, heard.put)
    pieces = [heard.get(timeout=SECONDS)]
    while not pieces[-1].last:
        pieces.append(heard.get(timeout=SECONDS))
    return pieces


def say(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def wait_until_idle(engine: Engine) -> None:
    end = time.monotonic() + SECONDS
    while engine.running or engine.waiting:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def idle(served: Served) -> Iterator[Served]:
    wait_until_idle(served.engine)
    yield served
    wait_until_idle(served.engine)


@pytest.fixture(scope="module")
def narrow(run_paths: list[Path]) -> Iterator[Served]:
    """One answer at a time and two that wait."""
    with open_served(run_paths[:1], Quiet(), limits=LIMITS._replace(rows=1, queue=2, seconds=60.0)) as opened:
        yield opened


def test_a_hundred_mixed_questions_get_the_answers_that_each_side_gives_alone(idle: Served) -> None:
    asked = [pose(idle, SIDES[at % len(SIDES)], f"order {at // len(SIDES)}", 4 + at % 9) for at in range(102)]
    alone = [say(hear(idle, question)) for question in asked]
    order = list(range(len(asked)))
    random.Random(5).shuffle(order)
    mixed: dict[int, list[Piece]] = {}
    gate = threading.Semaphore(LIMITS.queue)

    def work(at: int) -> None:
        with gate:
            mixed[at] = hear(idle, asked[at])

    threads = [threading.Thread(target=work, args=(at,)) for at in order]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert [say(mixed[at]) for at in range(len(asked))] == alone
    assert all(mixed[at][-1].usage is not None for at in order)
    # The sides do differ, or the test would say nothing.
    base, first, second, half, off = (say(hear(idle, pose(idle, side, "order 3"))) for side in SIDES[:5])
    assert off == base
    assert len({base, first, second, half}) == 4


def test_a_long_prompt_is_read_in_parts_and_means_the_same(idle: Served) -> None:
    question = pose(idle, "first", "the user asks about an order " * 12)
    assert LIMITS.prompt_tokens < len(question.prompt)
    beside = pose(idle, "base", "hello", 40)
    alone = say(hear(idle, question))
    heard: SimpleQueue[Piece] = SimpleQueue()
    idle.engine.ask(beside, heard.put)
    assert say(hear(idle, question)) == alone
    whole = idle.engine.limits
    idle.engine.limits = whole._replace(prompt_tokens=10_000)
    try:
        assert say(hear(idle, question)) == alone
    finally:
        idle.engine.limits = whole


def test_a_full_queue_is_told_and_takes_more_when_it_is_not(narrow: Served) -> None:
    long = pose(narrow, "base", "hello", 400)._replace(stops=("never said",))
    heard: SimpleQueue[Piece] = SimpleQueue()
    tickets = [narrow.engine.ask(long, heard.put) for _ in range(3)]
    with pytest.raises(Busy):
        narrow.engine.ask(long, heard.put)
    # One that nobody waits for takes no place.
    tickets[-1].cancel()
    tickets.append(narrow.engine.ask(long, heard.put))
    for ticket in tickets:
        ticket.cancel()
    wait_until_idle(narrow.engine)
    assert say(hear(narrow, pose(narrow, "base", "hello"))) != ""


def test_a_cancelled_answer_ends_and_says_nothing_more(narrow: Served) -> None:
    heard: SimpleQueue[Piece] = SimpleQueue()
    ticket = narrow.engine.ask(pose(narrow, "base", "hello", 400), heard.put)
    heard.get(timeout=SECONDS)
    ticket.cancel()
    wait_until_idle(narrow.engine)
    told = [heard.get() for _ in range(heard.qsize())]
    assert not any(piece.last for piece in told)
    assert len(told) < 100


def test_an_answer_that_takes_too_long_is_ended(narrow: Served) -> None:
    kept = narrow.engine.limits
    narrow.engine.limits = kept._replace(seconds=0.0)
    try:
        pieces = hear(narrow, pose(narrow, "base", "hello", 400))
    finally:
        narrow.engine.limits = kept
    assert pieces[-1].fault == "timeout"


def test_a_fault_of_one_answer_leaves_the_others_and_the_engine_alone(
    narrow: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question = pose(narrow, "first", "hello")
    expected = say(hear(narrow, question))
    before = narrow.engine.failures
    slots = narrow.engine._slots
    with monkeypatch.context() as patch:
        patch.setattr(slots, "join", fail)
        assert hear(narrow, question)[-1].fault == "failed"
    with monkeypatch.context() as patch:
        patch.setattr(slots, "read", fail)
        assert hear(narrow, question)[-1].fault == "failed"
    assert narrow.engine.failures == before + 2
    assert "out of memory" in capsys.readouterr().err
    assert narrow.engine.alive
    assert say(hear(narrow, question)) == expected


def fail(*args: object, **options: object) -> None:
    raise RuntimeError("out of memory")


def test_a_job_is_done_between_turns_and_its_fault_is_its_own(narrow: Served) -> None:
    assert narrow.engine.run(lambda: threading.current_thread().name).result(SECONDS) == "tuneproof-engine"
    with pytest.raises(RuntimeError, match="out of memory"):
        narrow.engine.run(fail).result(SECONDS)
    assert narrow.engine.alive


def test_a_closed_engine_tells_who_waits_and_takes_no_more(run_paths: list[Path]) -> None:
    heard: SimpleQueue[Piece] = SimpleQueue()
    with open_served(run_paths[:1], Quiet(), limits=LIMITS._replace(rows=1)) as opened:
        engine, question = opened.engine, pose(opened, "base", "hello", 400)
        for _ in range(3):
            engine.ask(question, heard.put)
    told = [heard.get() for _ in range(heard.qsize())]
    assert [piece.fault for piece in told if piece.last] == ["closed"] * 3
    assert not engine.alive
    with pytest.raises(Closed):
        engine.ask(question, heard.put)
    with pytest.raises(Closed):
        engine.run(lambda: None)


def test_who_hears_the_end_finds_its_room_free(idle: Served) -> None:
    engine = idle.engine
    heard: SimpleQueue[tuple[bool, int]] = SimpleQueue()
    engine.ask(pose(idle, "first", "Hello"), lambda piece: heard.put((piece.last, engine.running)))
    running = [heard.get(timeout=SECONDS)]
    while not running[-1][0]:
        running.append(heard.get(timeout=SECONDS))
    assert running[-1] == (True, 0)
