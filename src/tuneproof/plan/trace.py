"""Peak memory of the product's own step and of its own answering, traced without weights and without the device.

The model is built from its config on `meta` tensors, the adapter is added as for training, and the very function that
is trained (`model.step.sum_loss`) runs on it under a `Tracker`. A second or two for a model of 1.8 billion weights. In:
a `Subject` and a shape. Out: `Traced`. An architecture whose operators have no meta kernel raises: the plan then takes
the closed formula and says so.

    subject = describe_subject(config, dtype="bfloat16", lora=LoraSection(rank=16, alpha=32))
    trace_step(subject, Step(segments=(1024,) * 4, trained=1000, checkpointing=True, chunk=256), kernel="flash").peak
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, NamedTuple, cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import DynamicCache

from tuneproof.model.batch import can_fill, read_next
from tuneproof.model.cache import RoomyLayer
from tuneproof.model.fold import fold_adapter
from tuneproof.model.generate import count_joining
from tuneproof.model.offload import list_blocks
from tuneproof.model.split import count_gathered, count_part, list_shared
from tuneproof.model.step import Pack, sum_loss
from tuneproof.plan.archive import Traced, recall_trace
from tuneproof.plan.kernels import RECORDED_STATES, Kernel, name_kernels
from tuneproof.plan.subject import (
    STATE_TABLES,
    Subject,
    build_model,
    count_weight,
    find_linears,
    has_plain_head,
    size_states,
)
from tuneproof.plan.tracker import Tracker
from tuneproof.plan.watched import WatchedCache, fill_cache
from tuneproof.records import Parts


class Step(NamedTuple):
    """The shape of one packed forward and backward."""

    segments: tuple[int, ...]
    """Length of each row, in tokens."""
    trained: int
    checkpointing: bool
    chunk: int
    accumulating: bool = False
    """Whether gradients of an earlier pack of the same step are already there."""


class Answering(NamedTuple):
    """The shape of one batch of answers: rows, the longest prompt, the most new tokens."""

    rows: int
    prompt: int
    new: int
    folded: bool = False
    """Whether the adapter is folded into the weights, which takes a copy of them."""
    joining: bool = False
    """Whether new rows take the places of ended ones: some are read while the cache is full."""


@lru_cache(maxsize=128)
def trace_step(subject: Subject, step: Step, *, kernel: Kernel) -> Traced:
    """Peak of one forward and backward with the optimizer's state there; a trace that was made before is recalled.

    The optimizer's own step is not run: fused AdamW works in place. Raises what torch raises on a missing kernel.
    """
    return recall_trace(("step", subject, step, kernel), lambda: _trace_step(subject, step, kernel))


def _trace_step(subject: Subject, step: Step, kernel: Kernel) -> Traced:
    model = build_model(_strip(subject), step.checkpointing)
    model.train()
    tracker = _make_tracker(subject, model, kernel, single=len(step.segments) == 1)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    state = _book_static(tracker, subject, model, trained, kernel)
    plain_head = has_plain_head(model)
    if recorded := kernel == "flash" and plain_head and takes_recording(subject, step):
        wide = (RECORDED_STATES, sum(step.segments), model.config.get_text_config().hidden_size)
        state.append(torch.empty(wide, dtype=getattr(torch, subject.dtype), device=tracker.device))
        tracker.follow(state[-1], "activations")
    static = len(tracker.events)

    def watch(weight: Tensor) -> None:
        assert weight.grad is not None
        tracker.follow(weight.grad, "gradients")

    hooks = [one.register_post_accumulate_grad_hook(watch) for one in trained]
    try:
        with name_kernels(kernel), tracker:
            # The gradients of what is recorded are buffers that stay.
            if step.accumulating or recorded:
                for parameter in trained:
                    parameter.grad = torch.zeros_like(parameter)
                    tracker.follow(parameter.grad, "gradients")
            pack = lay_pack(step)
            loss = sum_loss(model, pack, chunk=step.chunk, plain_head=plain_head)
            tracker.making = "temporaries"
            (loss / step.trained).backward()
            del loss, pack
            model.zero_grad(set_to_none=True)
    finally:
        for hook in hooks:
            hook.remove()
        model.zero_grad(set_to_none=True)
    traced = _finish(tracker, static)
    del state
    return traced


@lru_cache(maxsize=128)
def trace_answers(subject: Subject, answering: Answering, *, kernel: Kernel) -> Traced:
    """Peak of answering one padded batch: the prefill, the last step on a full cache, and new rows beside it.

    Base and adapters are measured before and after training, so no optimizer is there. A trace made before is recalled.
    """
    return recall_trace(("answers", subject, answering, kernel), lambda: _trace_answers(subject, answering, kernel))


def _trace_answers(subject: Subject, answering: Answering, kernel: Kernel) -> Traced:
    model = build_model(_strip(subject))
    model.eval()
    tracker = _make_tracker(subject, model, kernel, single=False)
    state = _book_static(tracker, subject, model, [], kernel)
    static = len(tracker.events)
    fold = fold_adapter(model) if answering.folded else nullcontext()
    with name_kernels(kernel), torch.no_grad(), tracker, fold:
        for module in model.modules():
            if isinstance(module, nn.Linear) and not module.weight.requires_grad:
                tracker.follow(module.weight, "weights")
        cache = WatchedCache(tracker, model.config)
        ids_BT = torch.zeros(answering.rows, answering.prompt, dtype=torch.long, device="meta")
        mask_BT = torch.ones_like(ids_BT)
        tokens_B = _ask(model, cache, ids_BT, mask_BT)
        if answering.new > 1:
            longest = answering.prompt + answering.new - 2
            fill_cache(cache, longest)
            mask_BT = torch.ones(answering.rows, longest + 1, dtype=torch.long, device="meta")
            tokens_B = _ask(model, cache, tokens_B[:, None], mask_BT)
            if answering.joining and can_fill(cache):
                # The rows that go on are moved to the front when their buffers are full.
                fill_cache(cache, longest)
                _join_rows(model, cache, ids_BT)
        del cache, ids_BT, mask_BT, tokens_B
    traced = _finish(tracker, static)
    del state
    return traced


@lru_cache(maxsize=8)
def count_host(subject: Subject) -> int:
    """Bytes of streamed weights in the computer's own memory. PyTorch's allocator of pinned memory rounds each tensor
    up to a power of two (`CachingHostAllocator`)."""
    blocks = list_blocks(build_model(_strip(subject))) if subject.offload else []
    sizes = [weight.numel() * weight.element_size() for block in blocks for weight in block]
    return sum(1 << (size - 1).bit_length() for size in sizes)


@lru_cache(maxsize=32)
def count_load(subject: Subject, kernel: Kernel = "cpu") -> tuple[int, int]:
    """Bytes of the weights, and of the largest one, which may lie there twice while it is converted.

    Weights are read one by one from a mapped file. The file's own pages may show in a process's resident size, but the
    system takes them back when it needs them (measured with the demo model: fp32 weights add nothing of their own, bf16
    ones their own size).
    """
    model = build_model(_strip(subject))
    tracker = _make_tracker(subject, model, kernel, single=True)
    window = _book_static(tracker, subject, model, [], kernel)
    base = [one for one in model.parameters() if not one.requires_grad]
    weights = tracker.live["weights"]
    del window
    return weights, max(one.numel() * one.element_size() for one in base)


def lay_pack(step: Step, device: str = "meta") -> Pack:
    """A pack of that shape; on `meta` its values do not exist."""
    tokens = sum(step.segments)
    ids_T = torch.zeros(tokens, dtype=torch.long, device=device)
    positions = [torch.arange(length, device=device) for length in step.segments]
    source_N = torch.arange(step.trained, device=device)
    return Pack(ids_T, torch.cat(positions), list(step.segments), source_N, ids_T[source_N + 1])


def _strip(subject: Subject) -> Subject:
    """What of a subject decides how its model is built: one model serves all ways to hold the state."""
    return subject._replace(optimizer="adamw", offload=False, ranks=1)


def _make_tracker(subject: Subject, model: PeftModel, kernel: Kernel, *, single: bool) -> Tracker:
    """A tracker for `kernel`'s device. transformers asks two questions about values: is this one row (`single`), and is
    nothing padded; packs of several rows and padded batches answer no.
    """
    on_cuda = kernel != "cpu"
    return Tracker(
        "meta",
        vocabulary=int(model.config.get_text_config().vocab_size),
        round_to=512 if on_cuda else 1,
        answer=single,
        workspaces=on_cuda,
    )


def _book_static(
    tracker: Tracker, subject: Subject, model: PeftModel, trained: Sequence[nn.Parameter], kernel: Kernel
) -> list[Tensor]:
    """Book weights, adapter and the optimizer's state; returns the tensors that must stay alive.

    Streamed layers take a window beside the others on a GPU, and none on a CPU. Layers that are split take this rank's
    part, and a window for those that are gathered.
    """
    quantised = set(find_linears(model)) if subject.quantization != "none" else set()
    blocks = list_blocks(model) if subject.offload else []
    streamed = {weight for block in blocks for weight in block}
    shared = list_shared(model) if subject.ranks > 1 else []
    split = {weight for layer in shared for weight in layer}
    for parameter in model.parameters():
        if parameter.requires_grad:
            tracker.follow(parameter, "adapter")
        elif parameter in streamed:
            tracker.follow(parameter, "weights", None if kernel == "cpu" else 0)
        elif parameter in split:
            tracker.follow(parameter, "weights", count_part(parameter, subject.ranks))
        elif parameter in quantised:
            tracker.follow_quantised(parameter, count_weight(parameter, subject.quantization))
        else:
            tracker.follow(parameter, "weights")
    for buffer in model.buffers():
        tracker.follow(buffer, "weights")
    sizes = [size for parameter in trained for size in size_states(parameter, subject.optimizer)]
    if trained and subject.optimizer == "adamw8bit":
        sizes.append(STATE_TABLES)
    state = [torch.empty(size, dtype=torch.uint8, device=tracker.device) for size in sizes]
    for tensor in state:
        tracker.follow(tensor, "optimizer")
    window = torch.empty(count_window(blocks) + count_gathered(shared), dtype=torch.uint8, device=tracker.device)
    tracker.follow(window, "weights")
    return [*state, window]


def count_window(blocks: Sequence[Sequence[Tensor]]) -> int:
    """Bytes of streamed weights that are on the device at a time: the block in use, and the next one."""
    return sum(sorted(sum(weight.numel() * weight.element_size() for weight in block) for block in blocks)[-2:])


def takes_recording(subject: Subject, step: Step) -> bool:
    """Whether packs of the step are recorded on a card that can (`training/recording`)."""
    return not (step.checkpointing or subject.offload or subject.ranks > 1 or subject.dropout)


def _join_rows(model: Any, cache: WatchedCache, ids_BT: Tensor) -> None:
    """Read as many prompts as may join at once into places of the cache, what they begin with being held beside it."""
    held = WatchedCache(cache.tracker, model.config)
    _ask(model, held, ids_BT[:1], torch.ones_like(ids_BT[:1]))
    joining, width = count_joining(len(ids_BT)), ids_BT.shape[1]
    rows, group = torch.empty(joining, dtype=torch.long, device="meta"), DynamicCache()
    group.layers = [cast(RoomyLayer, layer).open_rows(rows, width) for layer in cache.layers]
    ids_BT = ids_BT[:joining]
    _ask(model, group, ids_BT, torch.ones_like(ids_BT))


def _ask(model: Any, cache: DynamicCache, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """The next token of each row."""
    return read_next(model, cache, ids_BT, mask_BT, torch.zeros_like(ids_BT)).argmax(-1)


def _finish(tracker: Tracker, static: int) -> Traced:
    parts = Parts.model_validate(tracker.parts)
    events = tuple(tracker.events)
    return Traced(tracker.peak, parts, events[:static], events[static:])
