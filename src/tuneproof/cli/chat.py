"""`tuneproof chat`: a conversation with base and tuned side by side, in the terminal or from a pipe."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.figures import format_seconds
from tuneproof.cli.options import Device, TrustOptions
from tuneproof.cli.screens.chat import COMMANDS, Shown, draw_help, draw_sides
from tuneproof.cli.show import Screen
from tuneproof.errors import UsageError
from tuneproof.messages import tell

if TYPE_CHECKING:
    from tuneproof.serve.talk import Arm, Talk, Turn

ANSWER = 256


@dataclass(kw_only=True)
class ChatOptions(TrustOptions):
    """Options of `chat`."""

    run: Annotated[Path, Argument(metavar="RUN", help="cli.option.run")]
    save: Annotated[Path | None, Option("--save", metavar="FILE", help="cli.option.corrections")] = None
    max_new_tokens: Annotated[int, Option("--max-new-tokens", metavar="N", min=1, help="cli.option.chat_tokens")] = (
        ANSWER
    )
    device: Annotated[Device | None, Option("--device", help="cli.option.device")] = None


def chat(options: ChatOptions, screen: Screen) -> int:
    """Talk until the input ends."""
    from tuneproof.serve.load import open_served
    from tuneproof.serve.talk import Talk

    screen.farewell = "serve.stopped"
    with ExitStack() as stack:
        with screen.follow() as progress:
            served = stack.enter_context(open_served([options.run], progress, device=options.device))
        talk = Talk(served, options.max_new_tokens)
        session = Session(talk, options, screen)
        session.greet()
        while (line := screen.read_line("> ")) is not None and session.take(line.strip()):
            pass
        if screen.manner.json:
            screen.write_json({"run": str(options.run), "turns": session.told, "saved": session.saved})
    return 0


class Session:
    """What each line does."""

    def __init__(self, talk: Talk, options: ChatOptions, screen: Screen) -> None:
        self.talk = talk
        self.screen = screen
        self.run = options.run
        self.file = options.save or Path(f"{talk.name}-corrections.jsonl")
        self.told: list[dict[str, object]] = []
        self.saved = 0
        self._commands: dict[str, Callable[[str], None]] = {
            "scale": self.scale,
            "save": self.save,
            "system": self.set_system,
            "proof": self.prove,
            "reset": self.reset,
            "help": lambda rest: self.screen.note_picture(draw_help()),
        }

    def greet(self) -> None:
        """Which side is which, proven."""
        self.prove("")
        self.screen.note(tell("chat.hello"))

    def take(self, line: str) -> bool:
        """One line: a command, or something to ask. False when it ends the conversation."""
        word, _, rest = line.partition(" ")
        if word in ("/quit", "/exit"):
            return False
        try:
            if word.startswith("/"):
                self._commands.get(word[1:], self.refuse)(rest.strip())
            elif line:
                self._answer(lambda hear: self.talk.ask(line, hear), ("base", "tuned"))
        except UsageError as error:
            # Told, and the conversation goes on.
            self.screen.note(str(error))
        return True

    def refuse(self, rest: str) -> None:
        """A command that is none."""
        self.screen.note(tell("chat.no_command", names=", ".join(f"/{name}" for name in COMMANDS)))

    def scale(self, rest: str) -> None:
        """Set the adapter's scale; the last question is answered again."""
        if not self.talk.set_scale(rest):
            self.screen.note(tell("chat.no_scale"))
        elif self.talk.turns:
            self._answer(self.talk.ask_again, ("tuned",))
        else:
            self.screen.note(tell("chat.scale_is", name=self.talk.name_of("tuned")))

    def save(self, rest: str) -> None:
        """Keep the last question with its right answer."""
        if not self.talk.turns:
            self.screen.note(tell("chat.nothing_yet"))
            return
        rows = self.talk.save(self.file, rest or None)
        self.saved += 1
        again = shlex.join(["tuneproof", "run", str(self.file), "--from", str(self.run)])
        self.screen.note(tell("chat.saved", file=self.file, rows=rows))
        self.screen.note(f"  {again}")

    def set_system(self, rest: str) -> None:
        """Set the system prompt, and begin anew."""
        self.talk.system = rest or None
        self.reset("")

    def prove(self, rest: str) -> None:
        """Show the proof of sides."""
        sides = self.talk.prove()
        key = "chat.proven" if sides.proven else "chat.same" if sides.base == sides.off else "chat.not_proven"
        self.screen.note(tell(key, base=sides.base, off=sides.off, tuned=sides.tuned))

    def reset(self, rest: str) -> None:
        """Forget what was said."""
        self.talk.reset()
        self.screen.note(tell("chat.reset"))

    def _answer(self, ask: Callable[[Callable[[Arm, str], None]], Turn], arms: tuple[Arm, ...]) -> None:
        texts: dict[Arm, str] = dict.fromkeys(arms, "")
        with self.screen.redraw() as draw:

            def hear(arm: Arm, text: str) -> None:
                texts[arm] += text
                draw(draw_sides([Shown(self.talk.name_of(one), texts[one]) for one in arms], self.screen.width))

            turn = ask(hear)
            shown = [Shown(self.talk.name_of(arm), turn.replies[arm].text, tell_note(turn, arm)) for arm in arms]
            draw(draw_sides(shown, self.screen.width))
        self.told.append({**turn._asdict(), "replies": {arm: one._asdict() for arm, one in turn.replies.items()}})


def tell_note(turn: Turn, arm: Arm) -> str:
    """`12 tokens, 0.8 s`, and how it ended where it was not by itself."""
    reply = turn.replies[arm]
    note = tell("chat.note", tokens=reply.tokens, time=format_seconds(reply.seconds))
    return note if reply.ending == "stop" else f"{note}, {tell(f'chat.ending.{reply.ending}')}"


COMMAND = Command(
    "chat",
    ChatOptions,
    chat,
    (
        "tuneproof chat runs/first",
        "tuneproof chat runs/first --save corrections.jsonl",
        "echo 'Where is my order?' | tuneproof chat runs/first",
    ),
)
