"""Finished runs made by hand: a tiny model, an adapter with random numbers, rows, and their records."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.cli.conftest import make_plan, make_record, make_verdict
from tests.conftest import SPECIAL_TOKENS, make_tiny_config
from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.model.load import fingerprint_model, fingerprint_template
from tuneproof.records import Message, Row, Selection, Split, SplitRow
from tuneproof.records.plan import Settings
from tuneproof.rundir import RunDir

RANK = 4
QUESTIONS = (
    "where is order 20240917?",
    "Wie spät ist es?",
    "订单 12345 在哪里？",
    "the user asks\n\n  and the assistant answers",
    "It's 3.50 EUR, isn't it?",
    "🙂 ok",
)
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN_TEMPLATE = (
    "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if not (loop.first and message.role == 'system') %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def build_qwen_tokenizer(size: int) -> Any:
    """A byte-level tokenizer of Qwen's kind: NFC, Qwen's pattern, three special tokens and two that are not special."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(QWEN_PATTERN), "isolated")
    bare.pre_tokenizer = pre_tokenizers.Sequence(
        [cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(["the user asks and the assistant answers about an order 你好 订单 " * 20], trainer)
    bare.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL_TOKENS])
    bare.add_tokens([AddedToken(text, normalized=False) for text in ("<tool_call>", "</tool_call>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=QWEN_TEMPLATE,
    )


def save_qwen(folder: Path, config_class: Any, **options: Any) -> Path:
    """A random model of Qwen's kind with its tokenizer; the embedding has more rows than there are tokens."""
    tokenizer = build_qwen_tokenizer(300)
    config = make_tiny_config(config_class, tokenizer, **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                # Biases and norms as after training: zeros and ones would hide a tensor that is left out.
                if parameter.ndim == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.1)
                else:
                    parameter.mul_(4.0 if "embed" not in name else 2.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(model_dir: Path, folder: Path, rank: int = RANK, **options: Any) -> Path:
    """An adapter with random numbers, strong enough to change answers, on every linear layer."""
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM", **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        wrapped = get_peft_model(model, config)
    assert isinstance(wrapped, PeftModel)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(2)
        for name, parameter in wrapped.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.2)
    wrapped.save_pretrained(str(folder))
    return folder


def make_finished_run(path: Path, model_dir: Path, dtype: str = "float32", **adapter: Any) -> RunDir:
    """A run folder with what an export needs: config, records, rows, adapter; nothing of it was measured."""
    run = RunDir(path)
    config = RunConfig.model_validate({"model": {"name": str(model_dir), "device": "cpu"}})
    config.lora.rank, config.lora.alpha = RANK, 2 * RANK
    config.train.learning_rate = 1e-3
    config.data.files = [str(path / "rows.jsonl")]
    run.path.mkdir(parents=True)
    run.config.write_text(dump_config(config), encoding="utf-8")
    record = make_record()
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    record.fingerprint = {"base": fingerprint_model(str(model_dir)), "template": fingerprint_template(tokenizer)}
    run.save(record)
    plan = make_plan()
    plan.settings = Settings.model_validate(plan.settings.model_dump() | {"dtype": dtype})
    run.save(plan)
    run.save(make_verdict())
    run.save(Selection(checkpoint=3, scale=1.0, reason="select.best", candidates=[]))
    rows = [make_row(number, question) for number, question in enumerate(QUESTIONS)]
    run.save_rows("test", rows)
    run.save_rows("train", [make_row(90, "the user asks")])
    places = {row.id: SplitRow(cluster=row.id, stratum="task", side="test") for row in rows}
    run.save(Split(seed=17, rows=places, sizes={"test": len(rows)}, clusters=len(rows)))
    save_adapter(model_dir, run.adapter, **adapter)
    return run


def make_row(number: int, question: str) -> Row:
    """A test row."""
    turns = [Message(role="user", content=question), Message(role="assistant", content="the answer is ok")]
    return Row(id=f"row-{number}", file="rows.jsonl", line=number + 1, task="task", messages=turns)
