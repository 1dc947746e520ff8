"""The trainers that `benchmarks/training.py` holds against each other; each runs in a process of its own.

    python benchmarks/contenders.py NAME JOB.json OUT.json

In: a `Job`: model, rows as token ids and masks, batch, LoRA. Out: a `Result`. Every contender gets the same ids, the
same trained tokens, the same start of the adapter and the same order of rows (one seed), the same AdamW and learning
rate, and differs in nothing but what it does with them. Where TRL packs, a step has about as many tokens as `batch`
rows.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from tuneproof.model.hardware import DtypeName, inspect_hardware, read_peak, reset_peak

PACK = 1024
"""Tokens of a pack where TRL packs: its default."""
PRODUCTS = ((2048, 2048, 2048), (1024, 576, 1536), (2048, 576, 1536), (1024, 1536, 576))
"""Matrix products (tokens, in, out) of which the fastest is a processor's rate."""


class Job(NamedTuple):
    """The work."""

    model: str
    rows: list[tuple[list[int], list[bool]]]
    batch: int
    rank: int
    alpha: int
    rate: float
    seed: int
    out: str
    clock: str = "wall"
    """`wall`, or `cpu`: seconds of one thread's work, which hold on a busy machine."""
    device: Literal["cpu", "cuda"] = "cpu"
    limit: float = 3600
    """Seconds after which a contender gives up and tells where it was."""
    product: DtypeName | None = None
    """In which matrix products are the fastest here; None: their rate is not asked for."""

    @property
    def steps(self) -> int:
        """Optimizer steps of `batch` rows."""
        return -(-len(self.rows) // self.batch)

    def read_clock(self) -> float:
        """Seconds since some moment."""
        return time.process_time() if self.clock == "cpu" else time.perf_counter()


def measure_rate(job: Job, dtype: DtypeName, *, times: int) -> float:
    """The most floating-point operations a second of a matrix product here, over a few shapes."""
    best = 0.0
    on_gpu = job.device == "cuda"
    for rows, inner, outer in ((8192, 8192, 8192),) if on_gpu else PRODUCTS:
        made = (torch.randn(shape, device=job.device) for shape in ((rows, inner), (outer, inner)))
        left, right = (one.to(getattr(torch, dtype)) for one in made)
        torch.mm(left, right.t())
        for _ in range(times):
            finish(job)
            started = job.read_clock()
            for _ in range(4):
                torch.mm(left, right.t())
            finish(job)
            best = max(best, 4 * 2 * rows * inner * outer / (job.read_clock() - started))
    return best


def finish(job: Job) -> None:
    """Wait until the device has done what it was given."""
    if job.device == "cuda":
        torch.cuda.synchronize()


class Watch:
    """A clock that stands still while the machine is measured."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.started = job.read_clock()

    def note(self) -> tuple[float, float]:
        """Seconds since it was started, and the rate of matrix products now: 0 on a card, which would have to wait."""
        seconds, asked = self.job.read_clock() - self.started, self.job.product
        rate = measure_rate(self.job, asked, times=2) if asked and self.job.device != "cuda" else 0.0
        self.started = self.job.read_clock() - seconds
        return seconds, rate


class Mark(NamedTuple):
    """The end of an optimizer step."""

    seconds: float
    tokens: int
    """All tokens of the step, padding not among them."""
    trained: int
    loss: float
    rate: float
    """Operations a second of matrix products at that moment; 0: not measured."""


class Result(NamedTuple):
    """What a contender did."""

    marks: list[Mark]
    peak: int
    """Bytes at the most in training: of the process on a CPU, of the device's tensors on CUDA."""
    versions: dict[str, str]


class Tally:
    """Counts what a trainer is fed, step by step."""

    def __init__(self, job: Job) -> None:
        self.watch = Watch(job)
        self.fed: list[tuple[int, int]] = []
        self.ends: list[tuple[float, float, int]] = []

    def feed(self, inputs: dict[str, Any]) -> None:
        """Count a batch as the model gets it: whatever is neither padded nor masked."""
        labels, mask = inputs["labels"], inputs.get("attention_mask")
        tokens = int(mask.sum()) if mask is not None else labels.numel()
        first = labels[:, 0] != -100
        self.fed.append((tokens, int((labels != -100).sum() - first.sum())))

    def end_step(self) -> None:
        """An optimizer step has ended."""
        self.ends.append((*self.watch.note(), len(self.fed)))

    def marks(self, losses: list[float]) -> list[Mark]:
        """The steps, with their losses as the trainer logged them."""
        made, before = [], 0
        for (at, rate, until), loss in zip(self.ends, losses, strict=True):
            parts = self.fed[before:until]
            tokens, trained = sum(part[0] for part in parts), sum(part[1] for part in parts)
            made.append(Mark(at, tokens, trained, loss, rate))
            before = until
        return made


def run_ours(job: Job, dtype: DtypeName) -> list[Mark]:
    """Our trainer, as `tuneproof train` calls it."""
    from transformers import set_seed

    from tuneproof.config import RunConfig
    from tuneproof.model.chat import Encoded
    from tuneproof.model.load import add_adapter, load_base
    from tuneproof.model.step import check_plain_head
    from tuneproof.records import Message, Row
    from tuneproof.training.dataset import RowSet
    from tuneproof.training.recovery import Shape
    from tuneproof.training.train import StepLog, train_adapter
    from tuneproof.training.trainer import StepReport

    base = load_base(job.model, device=job.device, dtype=dtype)
    set_seed(job.seed)
    model = add_adapter(base.model, rank=job.rank, alpha=job.alpha, dropout=0.0, targets="all-linear")
    said = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    rows = [Row(id=str(n), file="rows", line=n + 1, task="t", messages=said) for n in range(len(job.rows))]
    config = RunConfig()
    knobs = config.train
    knobs.learning_rate, knobs.max_steps, knobs.save_steps = job.rate, job.steps, job.steps
    knobs.batch_size, knobs.seed = job.batch, job.seed
    marks: list[Mark] = []
    watch = Watch(job)

    def note(report: StepReport) -> None:
        seconds, rate = watch.note()
        marks.append(Mark(seconds, report.tokens, report.trained_tokens, report.loss, rate))

    shape = Shape(pack_tokens=job.batch * 512, loss_chunk=256, plain_head=check_plain_head(model))
    encoded = [Encoded(ids, mask) for ids, mask in job.rows]
    train_adapter(model, RowSet(rows, encoded), config=config, shape=shape, folder=Path(job.out), log=StepLog([], note))
    return marks


def describe_training(job: Job) -> dict[str, Any]:
    """Arguments that every Trainer gets."""
    return {
        "output_dir": job.out,
        "num_train_epochs": 1,
        "learning_rate": job.rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": max(1, round(0.05 * job.steps)),
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": job.device == "cpu",
        "seed": job.seed,
        "dataloader_pin_memory": False,
    }


def choose_dtype(job: Job) -> dict[str, str]:
    """How peers load the weights: in bfloat16 on a GPU, where no one would load them in fp32; else as they lie."""
    return {"dtype": "bfloat16"} if job.device == "cuda" else {}


def watch_trainer(trainer: Any, job: Job) -> Tally:
    """Count what a Trainer is fed, without changing what it does."""
    from transformers import TrainerCallback

    tally = Tally(job)
    step = trainer.training_step

    def counted(model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        tally.feed(inputs)
        return step(model, inputs, *rest, **named)

    class Ends(TrainerCallback):
        def on_step_end(self, *args: Any, **facts: Any) -> None:
            tally.end_step()

    trainer.training_step = counted
    trainer.add_callback(Ends())
    return tally


def read_losses(trainer: Any) -> list[float]:
    """The loss of each step, as it was logged."""
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def run_plain(job: Job, *, bf16: bool) -> list[Mark]:
    """`transformers.Trainer` and peft with padded batches, as their docs put them together."""
    from peft import LoraConfig, get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    tokenizer = AutoTokenizer.from_pretrained(job.model)
    model = AutoModelForCausalLM.from_pretrained(job.model, **choose_dtype(job))
    set_seed(job.seed)
    lora = LoraConfig(r=job.rank, lora_alpha=job.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, lora)
    arguments = TrainingArguments(
        **describe_training(job),
        per_device_train_batch_size=job.batch,
        bf16=bf16,
    )
    trainer = Trainer(
        adapted,
        arguments,
        train_dataset=label_rows(job),
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )
    tally = watch_trainer(trainer, job)
    reset_peak(job.device)
    trainer.train()
    return tally.marks(read_losses(trainer))


def run_trl(job: Job, **options: Any) -> list[Mark]:
    """TRL's SFTTrainer with its own defaults, and `options` on top."""
    from peft import LoraConfig

    # Neither is a dependency of this project.
    trl, datasets = import_module("trl"), import_module("datasets")

    packing = options.get("packing", False)
    tokens = sum(len(ids) for ids, _ in job.rows)
    batch = max(1, round(tokens / job.steps / PACK)) if packing else job.batch
    arguments = trl.SFTConfig(
        **describe_training(job),
        per_device_train_batch_size=batch,
        max_length=PACK,
        model_init_kwargs=choose_dtype(job),
        **options,
    )
    trainer = trl.SFTTrainer(
        model=job.model,
        args=arguments,
        train_dataset=datasets.Dataset.from_list(label_rows(job)),
        peft_config=LoraConfig(r=job.rank, lora_alpha=job.alpha, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    tally = watch_trainer(trainer, job)
    reset_peak(job.device)
    trainer.train()
    return tally.marks(read_losses(trainer))


def run_factory(job: Job) -> list[Mark]:
    """LLaMA-Factory as its examples set it up for LoRA, on the same token ids: a tokenised data set read from disk.

    It takes the rows in their order, so what a step is fed is known without a look inside.
    """
    from transformers import TrainerCallback

    datasets, tuner = import_module("datasets"), import_module("llamafactory.train.tuner")
    tokenised = Path(job.out, "rows")
    datasets.DatasetDict({"train": datasets.Dataset.from_list(label_whole(job))}).save_to_disk(tokenised)
    tally, losses = Tally(job), list[float]()

    class Ends(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, *rest: Any, **facts: Any) -> None:
            fed = job.rows[(state.global_step - 1) * job.batch : state.global_step * job.batch]
            tally.fed.append((sum(len(ids) for ids, _ in fed), sum(sum(mask[1:]) for _, mask in fed)))
            tally.end_step()

        def on_log(self, args: Any, state: Any, *rest: Any, **facts: Any) -> None:
            losses.extend(entry["loss"] for entry in state.log_history[len(losses) :] if "loss" in entry)

    options = describe_training(job) | {
        "model_name_or_path": job.model,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_target": "all",
        "lora_rank": job.rank,
        "lora_alpha": job.alpha,
        "dataset": "rows",
        "template": "smollm2",
        "tokenized_path": str(tokenised),
        "disable_shuffling": True,
        "overwrite_output_dir": True,
        "per_device_train_batch_size": job.batch,
        "report_to": "none",
        "plot_loss": False,
    }
    reset_peak(job.device)
    tuner.run_exp(options, [Ends()])
    return tally.marks(losses)


def run_soup(job: Job) -> list[Mark]:
    """soup-cli's trainer as `soup train` builds it, with its defaults, on the same token ids: a tokenised data set."""
    datasets, schema, sft = map(import_module, ("datasets", "soup_cli.config.schema", "soup_cli.trainer.sft"))
    # What it reads and writes must lie below the folder it is started in.
    Path(job.out).mkdir(parents=True, exist_ok=True)
    os.chdir(job.out)
    datasets.Dataset.from_list(label_whole(job)).save_to_disk("rows")
    training = {
        "epochs": 1,
        "lr": job.rate,
        "batch_size": job.batch,
        "gradient_accumulation_steps": 1,
        "quantization": "none",
        "logging_steps": 1,
        "seed": job.seed,
        "lora": {"r": job.rank, "alpha": job.alpha, "dropout": 0.0, "target_modules": "all-linear"},
    }
    data = {"train": "rows", "format": "pre_tokenized", "tokenized_path": "rows", "max_length": PACK, "val_split": 0.0}
    config = schema.SoupConfig(base=job.model, task="sft", data=data, training=training, output="out")
    wrapper = sft.SFTTrainerWrapper(config, device=job.device)
    wrapper.setup({"train": []})
    tally = watch_trainer(wrapper.trainer, job)
    reset_peak(job.device)
    wrapper.train()
    return tally.marks(read_losses(wrapper.trainer))


def label_rows(job: Job) -> list[dict[str, list[int]]]:
    """Rows as the Trainer wants them: -100 where nothing is trained."""
    return [
        {"input_ids": ids, "labels": [token if trained else -100 for token, trained in zip(ids, mask, strict=True)]}
        for ids, mask in job.rows
    ]


def label_whole(job: Job) -> list[dict[str, list[int]]]:
    """The same with the mask of attention, as tokenised data sets have it."""
    return [{**row, "attention_mask": [1] * len(row["input_ids"])} for row in label_rows(job)]


CONTENDERS: dict[str, Callable[[Job], list[Mark]]] = {
    "tuneproof": lambda job: run_ours(job, inspect_hardware(job.device).dtype),
    "tuneproof fp32": lambda job: run_ours(job, "float32"),
    "Trainer + peft": lambda job: run_plain(job, bf16=False),
    "Trainer + peft bf16": lambda job: run_plain(job, bf16=True),
    "TRL": run_trl,
    "TRL packing": lambda job: run_trl(job, packing=True),
    "LLaMA-Factory": run_factory,
    "soup-cli": run_soup,
    "TRL kept": lambda job: run_trl(job, gradient_checkpointing=False),
    "TRL packing kept": lambda job: run_trl(job, packing=True, gradient_checkpointing=False),
    "TRL Liger kept": lambda job: run_trl(job, gradient_checkpointing=False, use_liger_kernel=True),
    "TRL packing Liger kept": lambda job: run_trl(
        job, packing=True, gradient_checkpointing=False, use_liger_kernel=True
    ),
}
"""Name -> run. `tuneproof` takes the precision that it chooses on this machine. `kept`: without recomputing
activations, which TRL does by default. `Liger`: with its fused kernels, which need a GPU."""
PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "liger-kernel", "llamafactory", "soup-cli")


def list_versions() -> dict[str, str]:
    """Versions of what was run; a package that is not there has none."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def main(name: str, job_file: Path, out: Path) -> None:
    """Run one contender."""
    told = json.loads(job_file.read_text(encoding="utf-8"))
    job = Job(**{**told, "rows": [(ids, mask) for ids, mask in told["rows"]]})
    faulthandler.dump_traceback_later(job.limit, exit=True)
    marks = CONTENDERS[name](job)
    result = Result(marks, read_peak(job.device) or 0, list_versions())
    out.write_text(json.dumps(result._asdict()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
