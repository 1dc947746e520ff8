"""A conversation with both sides at once: base and tuned answer the same words, each goes on from its own answers.

In: what the user says, the adapter's scale. Out: turns; text as it comes, by a callback in the caller's own thread. An
answer that the user knows better becomes a row for the next round.

    talk = Talk(served, limit=256)
    turn = talk.ask("Where is my order?", lambda arm, text: print(arm, text))
    talk.set_scale("0.5")
    talk.ask_again(print)                    # the tuned side only
    talk.save(Path("corrections.jsonl"), "It left our warehouse this morning.")
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal, NamedTuple, get_args

from tuneproof.errors import UsageError
from tuneproof.records import Message
from tuneproof.serve.load import Served, TooLong
from tuneproof.serve.names import BASE, Side
from tuneproof.serve.question import Piece, Question
from tuneproof.serve.sides import Sides, prove_sides

Arm = Literal["base", "tuned"]
ARMS: tuple[Arm, ...] = get_args(Arm)
Ending = Literal["stop", "length", "cancelled", "failed"]
Hear = Callable[[Arm, str], None]
LOOK_SECONDS = 0.2
"""Ctrl-C is looked for so often: on Windows a wait without an end cannot be interrupted."""


class Reply(NamedTuple):
    """One side's answer."""

    text: str
    tokens: int
    ending: Ending
    seconds: float


class Turn(NamedTuple):
    """A question and both answers."""

    question: str
    scale: float
    """Of the adapter, when the tuned side answered."""
    replies: Mapping[Arm, Reply]


class Talk:
    """The conversation."""

    def __init__(self, served: Served, limit: int) -> None:
        self.served = served
        self.limit = limit
        """New tokens of an answer at most."""
        self.system: str | None = None
        """None: that of the run."""
        self.turns: list[Turn] = []
        self.base = served.names.find(BASE) or Side(BASE, 0.0, {})
        self.name = served.names.runs[0].name
        self.tuned = Side(self.name, 1.0, {0: 1.0})

    def set_scale(self, scale: str) -> bool:
        """Set the adapter's scale; False where it is none that may be asked for."""
        side = self.served.names.find(f"{self.name}@{scale}")
        if side is not None:
            self.tuned = side
        return side is not None

    def name_of(self, arm: Arm) -> str:
        """A side's model name, as the server has it."""
        if arm == "base" or self.tuned.scale == 1:
            return BASE if arm == "base" else self.name
        return f"{self.name}@{self.tuned.scale:g}"

    def ask(self, text: str, hear: Hear) -> Turn:
        """Ask both sides. Raises UsageError where that cannot be done; the conversation then stays as it was."""
        questions = {arm: self._pose(arm, text, self.turns) for arm in ARMS}
        turn = Turn(text, self.tuned.scale, self._listen(questions, hear))
        self.turns.append(turn)
        return turn

    def ask_again(self, hear: Hear) -> Turn:
        """Let the tuned side answer the last question again, at the scale that is now set."""
        last = self.turns[-1]
        replies = self._listen({"tuned": self._pose("tuned", last.question, self.turns[:-1])}, hear)
        self.turns[-1] = Turn(last.question, self.tuned.scale, {**last.replies, **replies})
        return self.turns[-1]

    def reset(self) -> None:
        """Forget what was said."""
        self.turns.clear()

    def prove(self) -> Sides:
        """The proof of sides on the conversation as it stands; at scale 1 where the scale is 0."""
        last = self.turns[-1].question if self.turns else "Hello"
        prompt = self._pose("tuned", last, self.turns[:-1]).prompt
        scales = self.tuned.scales or {0: 1.0}
        served = self.served
        job = served.engine.run(lambda: prove_sides(served.base.model, served.mixture, prompt, scales))
        return job.result()

    def save(self, path: Path, answer: str | None = None) -> int:
        """Append the last question, with what was said before it, and its right answer: a row for `run --from`.

        Without an `answer` the tuned side's was right. The conversation goes on from the right one. Returns how many
        rows the file now has. Raises UsageError where it cannot be written.
        """
        last = self.turns[-1]
        reply = last.replies["tuned"]
        right = reply.text if answer is None else answer
        row = [*self._say("tuned", last.question, self.turns[:-1]), Message(role="assistant", content=right)]
        count = append_row(path, [message.model_dump() for message in row])
        self.turns[-1] = last._replace(replies={**last.replies, "tuned": reply._replace(text=right)})
        return count

    def _say(self, arm: Arm, question: str, turns: list[Turn]) -> list[Message]:
        """The conversation as a side has had it, up to a question."""
        opened = [] if self.system is None else [Message(role="system", content=self.system)]
        said = [
            message
            for turn in turns
            for message in (
                Message(role="user", content=turn.question),
                Message(role="assistant", content=turn.replies[arm].text),
            )
        ]
        side = self.base if arm == "base" else self.tuned
        return self.served.names.complete(side, [*opened, *said, Message(role="user", content=question)])

    def _pose(self, arm: Arm, question: str, turns: list[Turn]) -> Question:
        side = self.base if arm == "base" else self.tuned
        try:
            return self.served.pose(side, self._say(arm, question, turns), self.limit)
        except TooLong as error:
            raise UsageError("chat.too_long", tokens=error.tokens, context=error.context) from error
        except ValueError as error:
            raise UsageError("chat.refused", why=str(error)) from error

    def _listen(self, questions: Mapping[Arm, Question], hear: Hear) -> dict[Arm, Reply]:
        """Ask, and hear until all is said; Ctrl-C ends what is not."""
        heard: SimpleQueue[tuple[Arm, Piece]] = SimpleQueue()
        started = time.monotonic()

        def listen(arm: Arm) -> Callable[[Piece], None]:
            return lambda piece: heard.put((arm, piece))

        tickets = {arm: self.served.engine.ask(question, listen(arm)) for arm, question in questions.items()}
        texts = dict.fromkeys(questions, "")
        replies: dict[Arm, Reply] = {}
        try:
            while len(replies) < len(questions):
                try:
                    arm, piece = heard.get(timeout=LOOK_SECONDS)
                except Empty:
                    continue
                texts[arm] += piece.text
                if piece.text:
                    hear(arm, piece.text)
                if piece.last:
                    tokens = piece.usage.answer if piece.usage else 0
                    replies[arm] = Reply(texts[arm], tokens, piece.finish or "failed", time.monotonic() - started)
        except KeyboardInterrupt:
            for arm in questions.keys() - replies.keys():
                tickets[arm].cancel()
                replies[arm] = Reply(texts[arm], 0, "cancelled", time.monotonic() - started)
        return replies


def append_row(path: Path, messages: list[dict[str, object]]) -> int:
    """Append a conversation to a JSONL file; how many rows it then has. Raises UsageError where that cannot be done."""
    line = json.dumps({"messages": messages}, ensure_ascii=False).encode("utf-8") + b"\n"
    try:
        with path.open("ab+") as file:
            file.seek(0)
            before = file.read()
            # A file that an editor left without a line end would else get two rows on one line.
            file.write(line if before.endswith(b"\n") or not before else b"\n" + line)
    except OSError as error:
        raise UsageError("chat.no_file", where=str(path), why=error.strerror or str(error)) from error
    return sum(bool(row.strip()) for row in before.split(b"\n")) + 1
