"""`tuneproof answer`: answers to a file of questions, as JSON lines on stdout and nothing else there."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import TrustOptions
from tuneproof.cli.show import Screen
from tuneproof.records.answer import ArmName


@dataclass(kw_only=True)
class AnswerOptions(TrustOptions):
    """Options of `answer`."""

    run: Annotated[Path, Argument(metavar="RUN", help="cli.option.run")]
    file: Annotated[Path, Argument(metavar="FILE", help="cli.option.questions")]
    arm: Annotated[ArmName, Option("--arm", help="cli.option.arm")] = "tuned"
    max_new_tokens: Annotated[
        int | None, Option("--max-new-tokens", metavar="N", min=1, help="cli.option.max_new_tokens")
    ] = None
    out: Annotated[Path | None, Option("--out", metavar="FILE", help="cli.option.answers")] = None
    settings: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="cli.option.set")] = None


def answer_questions(options: AnswerOptions, screen: Screen) -> int:
    """Answer the questions; the answers go to stdout, or into the file that --out names."""
    from tuneproof.pipeline import AnswerRequest, answer_file

    request = AnswerRequest(
        options.run, options.file, options.arm, options.max_new_tokens, options.out, options.settings or ()
    )
    # What libraries print must not end up between the answers.
    with redirect_stdout(sys.stderr), screen.follow() as progress:
        replies = answer_file(request, progress)
    answers = [reply.model_dump(mode="json") for reply in replies]
    if screen.manner.json:
        place = str(options.out) if options.out else None
        screen.write_json({"run": str(options.run), "arm": options.arm, "out": place, "answers": answers})
    elif options.out is None:
        screen.write_lines(answers)
    return 0


COMMAND = Command(
    "answer",
    AnswerOptions,
    answer_questions,
    (
        "tuneproof answer runs/first questions.txt",
        "tuneproof answer runs/first questions.jsonl --out answers.jsonl",
        "tuneproof answer runs/first questions.csv --arm base --max-new-tokens 64",
    ),
)
