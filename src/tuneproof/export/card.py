"""The model card, filled from the run: what it is, what it was trained on, both scores with intervals, what was
forgotten, and how to use it in five tools.

In: the run's records, the `Source`. Out: README.md with the front matter that hubs read. Data files go by their names
alone, and what a model said is quoted so that it cannot pass for markup.

    write_card(run, config, source, folder)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

from huggingface_hub import EvalResult, ModelCardData

from tuneproof import __version__
from tuneproof.config import RunConfig
from tuneproof.export.adapter import read_adapter_config
from tuneproof.export.source import Source
from tuneproof.export.vllm import choose_rank
from tuneproof.figures import format_interval, format_p, format_percent, format_points, to_plain
from tuneproof.messages import current_language, tell
from tuneproof.records import RunRecord, TaskResult, Verdict
from tuneproof.rundir import RunDir

LOST_SHOWN = 5
CARD = "README.md"


class Facts(NamedTuple):
    """What a card is written from."""

    run: RunDir
    config: RunConfig
    source: Source

    @property
    def verdict(self) -> Verdict | None:
        """None for a run that has not been judged."""
        return self.run.load(Verdict) if self.run.has(Verdict) else None


def write_card(facts: Facts, folder: Path, kind: Literal["adapter", "model", "gguf"]) -> None:
    """Write README.md into the folder."""
    parts = [
        f"---\n{make_front_matter(facts, kind)}\n---",
        f"# {facts.source.run}",
        tell("export.card.about", base=facts.source.base.id, version=__version__),
        *write_result(facts),
        *write_training(facts),
        *write_lost(facts),
        *write_use(facts, kind),
        f"## {tell('export.card.proof')}",
        tell("export.card.proof_text"),
    ]
    (folder / CARD).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def make_front_matter(facts: Facts, kind: str) -> str:
    """What hubs read: the base, the library, tags, and the scores as a model index."""
    base = facts.source.base
    known = base.id if base.known else None
    relation = {"adapter": "adapter", "model": "finetune", "gguf": "quantized"}[kind]
    tags = ["lora", "tuneproof", *([f"base_model:{relation}:{known}"] if known else []), *(["gguf"] * (kind == "gguf"))]
    data = ModelCardData(
        base_model=known,
        base_model_relation=relation,
        library_name={"adapter": "peft", "model": "transformers", "gguf": "gguf"}[kind],
        pipeline_tag="text-generation",
        tags=tags,
        model_name=facts.source.run,
        eval_results=list_results(facts),
    )
    return str(data.to_yaml()).strip()


def list_results(facts: Facts) -> list[EvalResult] | None:
    """The held-out scores of the tuned model, a task each; None where nothing was measured."""
    verdict = facts.verdict
    measured = [task for task in ([verdict.task, *verdict.tasks] if verdict else []) if task.tuned is not None]
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type="held-out",
            dataset_name=f"held-out rows: {task.task}",
            dataset_split="test",
            metric_type=task.metric.split(" ")[0],
            metric_name=task.metric,
            metric_value=round(float(task.tuned or 0.0), 4),
        )
        for task in measured
    ] or None


def write_result(facts: Facts) -> list[str]:
    """The verdict in a sentence, and both scores with their intervals."""
    verdict = facts.verdict
    if verdict is None:
        return [tell("export.card.not_judged")]
    heads = [tell(f"export.card.column.{name}") for name in ("task", "n", "base", "tuned", "gain", "interval", "p")]
    rows = [[*row_of(task)] for task in [verdict.task, *(verdict.tasks if len(verdict.tasks) > 1 else [])]]
    return [
        f"## {tell('export.card.result')}",
        f"**{tell(f'report.decision.{verdict.decision}')}** {keep_printable(verdict.summary[current_language()])}",
        draw_table(heads, rows),
    ]


def row_of(task: TaskResult) -> list[str]:
    """A task's cells."""
    name = tell("export.card.all") if task.task == "all" else task.task
    return [
        name,
        str(task.n),
        to_plain(format_percent(task.base)),
        to_plain(format_percent(task.tuned)),
        to_plain(format_points(task.delta)),
        to_plain(format_interval(task.ci95)),
        to_plain(format_p(task.p_value)),
    ]


def write_training(facts: Facts) -> list[str]:
    """Data, adapter and training in a list."""
    record, config = facts.run.load(RunRecord), facts.config
    adapter = read_adapter_config(facts.source.adapter)
    files = ", ".join(sorted({Path(name).name for name in config.data.files})) or "?"
    trained = record.training
    lines = [
        tell("export.card.data", files=files, rows=trained.rows if trained else "?"),
        tell(
            "export.card.adapter",
            rank=adapter["r"],
            alpha=f"{adapter['lora_alpha']:g}",
            targets=", ".join(sorted(adapter["target_modules"])),
        ),
        tell(
            "export.card.base",
            base=facts.source.base.id,
            revision=facts.source.base.revision or "?",
            dtype=facts.source.dtype if facts.source.quantization == "none" else "nf4",
        ),
    ]
    if trained:
        lines.append(
            tell(
                "export.card.steps",
                steps=trained.steps,
                tokens=f"{trained.trained_tokens:,}",
                rate=f"{config.train.learning_rate:g}" if config.train.learning_rate else "?",
                seed=record.seed,
            )
        )
    if config.data.system_prompt:
        lines.append(tell("export.card.system", prompt=quote_code(config.data.system_prompt)))
    return [f"## {tell('export.card.training')}", "\n".join(f"- {line}" for line in lines)]


def write_lost(facts: Facts) -> list[str]:
    """What was forgotten, with the first few answers that were lost."""
    verdict = facts.verdict
    if verdict is None or not verdict.retention.n:
        return []
    kept = verdict.retention
    text = tell("export.card.lost_text", n=kept.n, base_right=kept.base_right, lost=kept.lost, gained=kept.gained)
    parts = [f"## {tell('export.card.lost')}", text]
    if kept.lost_items:
        heads = [tell(f"export.card.column.{name}") for name in ("prompt", "base", "tuned")]
        rows = [[quote_cell(item.prompt), quote_cell(item.base), quote_cell(item.tuned)] for item in kept.lost_items]
        parts.append(draw_table(heads, rows[:LOST_SHOWN]))
    return parts


def write_use(facts: Facts, kind: str) -> list[str]:
    """Lines for five tools, the one of this folder first."""
    source = facts.source
    name, base = source.run, source.base.id
    revision = f', revision="{source.base.revision}"' if source.base.revision else ""
    rank = choose_rank(int(read_adapter_config(source.adapter)["r"]))
    dtype = source.dtype
    uses = {
        "PEFT": (
            "python",
            "from peft import PeftModel\n"
            "from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig\n\n"
            f'folder = "."  # {tell("export.card.folder")}\n'
            f'base = AutoModelForCausalLM.from_pretrained("{base}"{revision}, dtype="{dtype}")\n'
            "model = PeftModel.from_pretrained(base, folder)\n"
            "tokenizer = AutoTokenizer.from_pretrained(folder)\n"
            'turns = [{"role": "user", "content": "..."}]\n'
            "ids = tokenizer.apply_chat_template("
            'turns, add_generation_prompt=True, return_dict=True, return_tensors="pt")\n'
            "ends = GenerationConfig.from_pretrained(folder)\n"
            "made = model.generate(**ids, generation_config=ends, do_sample=False, max_new_tokens=256)\n"
            'print(tokenizer.decode(made[0, ids["input_ids"].shape[1]:], skip_special_tokens=True))',
        ),
        "transformers": ("sh", f"tuneproof export {name} --to merged\ntransformers chat ./merged"),
        "vLLM": (
            "sh",
            f"vllm serve {base} --dtype {dtype} --enable-lora --max-lora-rank {rank} --lora-modules {name}=. "
            "--generation-config . --chat-template ./chat_template.jinja",
        ),
        "llama.cpp": ("sh", f"tuneproof export {name} --to gguf\nllama-server -m {name}-F16.gguf --jinja"),
        "Ollama": ("sh", f"tuneproof export {name} --to ollama\nollama create {name} -f Modelfile\nollama run {name}"),
    }
    order = {"adapter": "PEFT", "model": "transformers", "gguf": "llama.cpp"}[kind]
    parts = [f"## {tell('export.card.use')}"]
    for tool in sorted(uses, key=lambda tool: tool != order):
        language, text = uses[tool]
        parts.append(f"### {tool}\n\n```{language}\n{text}\n```")
    return parts


def draw_table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def keep_printable(text: str) -> str:
    """Text without what a terminal or a page would act on."""
    return "".join(letter for letter in text if letter.isprintable() or letter.isspace())


def quote_cell(text: str, limit: int = 100) -> str:
    """Text of a model or a user in a cell: on one line, as code, which no mark in it can end."""
    flat = re.sub(r"\s+", " ", keep_printable(text)).strip()
    flat = flat if len(flat) <= limit else flat[: limit - 3] + "..."
    return quote_code(flat).replace("|", "\\|")


def quote_code(text: str) -> str:
    """Text as inline code, between more backticks than it holds."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    flat = text.replace("\n", " ").strip() or " "
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"
