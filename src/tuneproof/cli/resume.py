"""`tuneproof resume`: go on with a run that was stopped, by its own config."""

from __future__ import annotations

from tuneproof.cli.app import Command
from tuneproof.cli.launch import go_on
from tuneproof.cli.options import GoOnOptions
from tuneproof.cli.run import show_summary
from tuneproof.cli.show import Screen


def resume_chain(options: GoOnOptions, screen: Screen) -> int:
    """Go on to the end of the chain and show the summary."""
    with screen.follow() as progress:
        run = go_on(options, options.run, progress, store=options.store)
    return show_summary(run, screen)


COMMAND = Command(
    "resume",
    GoOnOptions,
    resume_chain,
    ("tuneproof resume runs/demo", "tuneproof resume runs/first --store s3://bucket/runs/first"),
)
