"""What commands accept: one class a group of options, so that a flag is declared once and a command takes one value.

    Options              --json --lang --debug             every command
    |- TrustOptions      --trust-remote-code               what loads a model
    |- ClusterOptions    --cluster --workers              what a cluster can do
    |  `- RankOptions    --gpus                           what trains or measures
    `- ConfigOptions     --config --set                    what has a config
       |- DataOptions    DATA... --model --hub --test      what reads rows
       |- LimitOptions   --memory --time --device          what is planned
       |- FolderOptions  --out --gate --restart --fork ...     what writes a run folder
       `- TrialOptions   --seeds --learning-curve ...      what is run besides the run

`help` is a key of the message catalogue; `app.py` tells it in the language in use. `knobs` gives the config keys that
the flags stand for; `settings.py` merges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from tuneproof.cli.amounts import parse_duration, parse_size
from tuneproof.config.model import MODELSCOPE
from tuneproof.errors import UsageError
from tuneproof.messages import Language

Hub = Literal["huggingface", "modelscope"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(kw_only=True)
class Options:
    """Every command. Their effect comes from `manner.py`; here they are accepted, checked and explained."""

    json: Annotated[bool, Option("--json", help="cli.option.json")] = False
    lang: Annotated[Language | None, Option("--lang", help="cli.option.lang")] = None
    debug: Annotated[bool, Option("--debug", help="cli.option.debug")] = False


@dataclass(kw_only=True)
class TrustOptions(Options):
    """Commands that load a model. No config key stands for it, on purpose (consent.py); `app.py` gives it effect."""

    trust_remote_code: Annotated[bool, Option("--trust-remote-code", help="cli.option.trust")] = False


@dataclass(kw_only=True)
class ClusterOptions(Options):
    """Commands that a cluster can do."""

    cluster: Annotated[str | None, Option("--cluster", metavar="ADDRESS", help="cli.option.cluster")] = None
    workers: Annotated[int | None, Option("--workers", metavar="N", min=1, help="cli.option.workers")] = None


@dataclass(kw_only=True)
class RankOptions(ClusterOptions):
    """Commands that several processes share; `app.py` starts those of this machine, `launch.py` those of a cluster."""

    gpus: Annotated[int | None, Option("--gpus", metavar="N", min=1, help="cli.option.gpus")] = None


@dataclass(kw_only=True)
class ConfigOptions(Options):
    """Commands with a config."""

    config: Annotated[Path | None, Option("--config", metavar="FILE", help="cli.option.config")] = None
    settings: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="cli.option.set")] = None

    def knobs(self) -> dict[str, object]:
        """Config key -> value, for each flag that was given. Raises UsageError for a value that cannot be read."""
        return {}


@dataclass(kw_only=True)
class DataOptions(ConfigOptions, TrustOptions):
    """Commands that read rows."""

    data: Annotated[list[str] | None, Argument(metavar="DATA", help="cli.option.data")] = None
    model: Annotated[str | None, Option("--model", metavar="MODEL", help="cli.option.model")] = None
    hub: Annotated[Hub | None, Option("--hub", help="cli.option.hub")] = None
    test: Annotated[str | None, Option("--test", metavar="FILE", help="cli.option.test")] = None

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions. Raises UsageError where --hub has no --model of a hub to stand for."""
        name = self.model
        if self.hub == "modelscope":
            if name is None or name == "demo" or Path(name).exists():
                raise UsageError("cli.hub_without_model", where="--hub")
            name = name if name.startswith(MODELSCOPE) else MODELSCOPE + name
        given = {"data.files": self.data or None, "model.name": name, "data.test": self.test}
        return super().knobs() | {key: value for key, value in given.items() if value is not None}


@dataclass(kw_only=True)
class LimitOptions(ConfigOptions):
    """Commands that are planned."""

    memory: Annotated[str | None, Option("--memory", metavar="SIZE", help="cli.option.memory")] = None
    time: Annotated[str | None, Option("--time", metavar="DURATION", help="cli.option.time")] = None
    device: Annotated[Device | None, Option("--device", help="cli.option.device")] = None

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions."""
        given: dict[str, object] = {}
        if self.memory is not None:
            given["memory.limit"] = parse_size(self.memory, "--memory")
        if self.time is not None:
            given["train.time_limit"] = parse_duration(self.time, "--time")
        if self.device is not None:
            given["model.device"] = self.device
        return super().knobs() | given


@dataclass(kw_only=True)
class FolderOptions(ConfigOptions):
    """Commands that write a run folder."""

    out: Annotated[Path | None, Option("--out", metavar="RUN", help="cli.option.out")] = None
    gate: Annotated[bool, Option("--gate", help="cli.option.gate")] = False
    restart: Annotated[bool, Option("--restart", help="cli.option.restart")] = False
    fork: Annotated[bool, Option("--fork", help="cli.option.fork")] = False
    store: Annotated[str | None, Option("--store", metavar="URI", help="cli.option.store")] = None

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions."""
        return super().knobs() | ({"report.store": self.store} if self.store is not None else {})


@dataclass(kw_only=True)
class TrialOptions(ConfigOptions):
    """Commands that can run more than once; what is asked for comes on top of --time."""

    seeds: Annotated[int | None, Option("--seeds", metavar="N", min=1, max=10, help="cli.option.seeds")] = None
    learning_curve: Annotated[bool, Option("--learning-curve", help="cli.option.learning_curve")] = False
    probe_lr: Annotated[bool, Option("--probe-lr", help="cli.option.probe_lr")] = False
    cure: Annotated[bool, Option("--cure", help="cli.option.cure")] = False

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions."""
        given: dict[str, object] = {"trials.seeds": self.seeds} if self.seeds is not None else {}
        if self.learning_curve:
            given["trials.learning_curve"] = True
        if self.probe_lr:
            given["trials.probe_rate"] = True
        if self.cure:
            given["trials.cure"] = True
        return super().knobs() | given


@dataclass(kw_only=True)
class RunOptions(Options):
    """Commands that work on a run folder which is there."""

    run: Annotated[Path, Argument(metavar="RUN", help="cli.option.run")]


@dataclass(kw_only=True)
class ModelRunOptions(RunOptions, TrustOptions):
    """Commands that load the model of a run folder."""


@dataclass(kw_only=True)
class GoOnOptions(ModelRunOptions, RankOptions):
    """Commands that go on with a run."""

    store: Annotated[str | None, Option("--store", metavar="URI", help="cli.option.store")] = None
