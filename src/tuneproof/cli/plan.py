"""`tuneproof plan`: what fits, why, how long, and the settings it would use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typer import Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import DataOptions, LimitOptions
from tuneproof.cli.screens.plan import draw_plan
from tuneproof.cli.settings import gather_config, require_model, require_rows
from tuneproof.cli.show import Screen
from tuneproof.errors import FitError


@dataclass(kw_only=True)
class PlanOptions(DataOptions, LimitOptions):
    """Options of `plan`."""

    gpus: Annotated[int, Option("--gpus", metavar="N", min=1, help="cli.option.gpus_planned")] = 1
    cards: Annotated[bool, Option("--cards", help="cli.option.cards")] = False


def plan_training(options: PlanOptions, screen: Screen) -> int:
    """Plan and show it. Returns the exit code of FitError when nothing fits: the plan is shown all the same."""
    from tuneproof.pipeline import plan_run

    config = gather_config(options)
    require_rows(config)
    require_model(config)
    with screen.follow() as progress:
        plan = plan_run(config, progress, cards=options.cards, ranks=options.gpus)
    screen.show(plan.model_dump(mode="json"), draw_plan(plan))
    return 0 if plan.fits else FitError.exit_code


COMMAND = Command(
    "plan",
    PlanOptions,
    plan_training,
    (
        "tuneproof plan rows.jsonl --model demo",
        "tuneproof plan rows.jsonl --model Qwen/Qwen1.5-1.8B-Chat --memory 6GB",
        "tuneproof plan rows.jsonl --model Qwen/Qwen2.5-3B-Instruct --memory 8GiB --cards",
        "tuneproof plan rows.jsonl --model Qwen/Qwen2.5-7B-Instruct --memory 12GB --gpus 4",
        "tuneproof plan rows.jsonl --model ./my-model --device cpu --time 20min --json",
    ),
)
