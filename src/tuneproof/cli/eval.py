"""`tuneproof eval`: measure base and tuned model on the test split and the retention probes."""

from __future__ import annotations

from tuneproof.cli.app import Command
from tuneproof.cli.launch import go_on
from tuneproof.cli.options import GoOnOptions
from tuneproof.cli.screens.answers import draw_tallies, tally_answers
from tuneproof.cli.show import Screen


def measure_run(options: GoOnOptions, screen: Screen) -> int:
    """Measure both arms and show how many answers are right."""
    with screen.follow() as progress:
        run = go_on(options, options.run, progress, until="drift", store=options.store)
    tallies = tally_answers(run)
    payload: dict[str, object] = {"run": str(run.path), "suites": [tally._asdict() for tally in tallies]}
    screen.show(payload, draw_tallies(tallies))
    return 0


COMMAND = Command("eval", GoOnOptions, measure_run, ("tuneproof eval runs/demo", "tuneproof eval runs/demo --json"))
