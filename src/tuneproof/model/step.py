"""The one training step: packed forward, loss at the trained tokens, optimizer.

It is trained by `training/trainer`, traced for its memory by `plan/trace`, and differentiated by `explain/blame`: one
function, so that what is planned is what runs. In: encoded rows. Out: the summed loss of a pack, ready for backward.

    pack = build_pack([encoded_row, ...], device)
    loss = sum_loss(model, pack, chunk=256) / trained_tokens_of_the_step
    loss.backward()
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import torch
from peft import PeftModel
from torch import Tensor, nn

from tuneproof.model.chat import Encoded, Likely
from tuneproof.model.hardware import import_bitsandbytes

OptimizerName = Literal["adamw", "adamw8bit"]


class Pack(NamedTuple):
    """Rows side by side. T tokens in all, N of them trained."""

    ids_T: Tensor
    positions_T: Tensor
    """Position of each token in its own row."""
    segments: list[int]
    """Length of each row; they add up to T."""
    source_N: Tensor
    """Index of the token that predicts the trained one (one before it)."""
    target_N: Tensor
    """Ids of the trained tokens."""
    likely: Likely | None = None
    """What is learnt in their place, where a row says so: N tokens, K ids and shares of each."""


def build_pack(rows: Sequence[Encoded], device: torch.device | str) -> Pack:
    """Lay rows side by side. The first token of a row is never trained: nothing in its row predicts it."""
    segments = [len(row.ids) for row in rows]
    ids = [token for row in rows for token in row.ids]
    positions = [position for length in segments for position in range(length)]
    source, start = [], 0
    for row in rows:
        source += [start + at - 1 for at, trained in enumerate(row.mask) if trained and at > 0]
        start += len(row.ids)
    tokens = torch.tensor(ids, device=device)
    source_N = torch.tensor(source, dtype=torch.long, device=device)
    likely = None
    if any(row.likely is not None for row in rows):
        wanted = _lay_likely(rows, torch.tensor([ids[at + 1] for at in source]))
        # Sent as a whole: each copy to a card waits for all of its work.
        likely = Likely(wanted.ids_NK.to(device), wanted.shares_NK.to(device))
    return Pack(tokens, torch.tensor(positions, device=device), segments, source_N, tokens[source_N + 1], likely)


def _lay_likely(rows: Sequence[Encoded], target_N: Tensor) -> Likely:
    """What each trained token is to be: in a row that names no others, the token itself."""
    most = max(row.likely.ids_NK.shape[1] for row in rows if row.likely is not None)
    ids_NK, shares_NK = target_N[:, None].repeat(1, most), torch.zeros(len(target_N), most)
    shares_NK[:, 0] = 1.0
    start = 0
    for row in rows:
        part = slice(start, start := start + count_trained([row]))
        if row.likely is not None:
            width = row.likely.ids_NK.shape[1]
            ids_NK[part, :width], shares_NK[part, 0] = row.likely.ids_NK, 0.0
            shares_NK[part, :width] = row.likely.shares_NK
    return Likely(ids_NK, shares_NK)


def count_trained(rows: Iterable[Encoded]) -> int:
    """Trained tokens of rows, as `build_pack` counts them."""
    return sum(sum(row.mask[1:]) for row in rows)


class ChunkedCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy with the logits of `chunk` tokens alive at a time; exact value and gradient.

    The output head is frozen in LoRA, so the gradient by the hidden states can be made in the forward pass, chunk by
    chunk, in place and with no recompute: nothing of the vocabulary's size outlives its chunk. A plain loss holds
    three fp32 copies of all logits at its peak (12 bytes x tokens x vocabulary, measured).
    """

    @staticmethod
    def forward(ctx: Any, hidden_NH: Tensor, head_VH: Tensor, wanted: Likely, chunk: int) -> Tensor:
        """Sum of -log p over N tokens, in nats, fp32; of several wanted at one token, weighted by their shares."""
        gradient_NH = torch.empty_like(hidden_NH)
        total = torch.zeros((), dtype=torch.float32, device=hidden_NH.device)
        # One memory for all chunks of a pack: of its size the C library maps every block anew (`hardware.keep_heap`).
        narrow_CV = hidden_NH.new_empty((min(chunk, len(hidden_NH)), len(head_VH)))
        wide_CV = narrow_CV if narrow_CV.dtype == torch.float32 else torch.empty_like(narrow_CV, dtype=torch.float32)
        for start in range(0, len(hidden_NH), chunk):
            part = slice(start, start + chunk)
            some = Likely(wanted.ids_NK[part], wanted.shares_NK[part])
            logits_CV = narrow_CV[: len(some.ids_NK)]
            shares_CV = logits_CV if wide_CV is narrow_CV else wide_CV[: len(logits_CV)]
            torch.mm(hidden_NH[part], head_VH.t(), out=logits_CV)
            total += share_in_place(shares_CV.copy_(logits_CV), some)
            shares_CV.scatter_add_(1, some.ids_NK, -some.shares_NK)
            torch.mm(logits_CV.copy_(shares_CV), head_VH, out=gradient_NH[part])
        ctx.save_for_backward(gradient_NH)
        return total

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None, None]:
        """Gradient by the hidden states; head and targets have none."""
        (gradient_NH,) = ctx.saved_tensors
        return gradient_NH * outer[0], None, None, None


def share_in_place(logits_CV: Tensor, wanted: Likely) -> Tensor:
    """Turn fp32 logits of shape (C, V) into probabilities, in their memory; returns the summed loss of those wanted.

    `torch.log_softmax` would widen bfloat16 logits into a copy of their own before it makes a second: 156 MB more for
    256 tokens of a vocabulary of 152,000.
    """
    logits_CV.sub_(logits_CV.amax(-1, keepdim=True))
    picked_CK = logits_CV.gather(1, wanted.ids_NK)
    # torch.logsumexp would make a hidden copy of its whole input.
    norm_C1 = logits_CV.exp_().sum(-1, keepdim=True)
    logits_CV.div_(norm_C1)
    return ((norm_C1.log() - picked_CK) * wanted.shares_NK).sum()


def get_base(model: Any) -> Any:
    """The transformers model inside a PEFT model; a plain one is its own base."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


class Recorded(Protocol):
    """A decoder whose passes are recorded (model/decoder)."""

    def read(self, pack: Pack) -> Tensor | None:
        """Last hidden states of all tokens, (T, H); None where this pack is not one for it."""


def sum_loss(
    model: nn.Module, pack: Pack, *, chunk: int, plain_head: bool = True, decoder: Recorded | None = None
) -> Tensor:
    """Summed cross-entropy of a pack's trained tokens, in nats: a scalar with a gradient.

    `model` is a PEFT or plain causal LM. `plain_head` says that logits are `hidden @ head.T` and nothing more
    (`check_plain_head`); without it the model's own head runs at the trained tokens, all at once.
    """
    wanted = pack.likely or Likely(pack.target_N[:, None], torch.ones_like(pack.target_N[:, None], dtype=torch.float32))
    if not plain_head:
        losses_NV = -torch.log_softmax(read_logits(model, pack).float(), -1)
        return (losses_NV.gather(1, wanted.ids_NK) * wanted.shares_NK).sum()
    head_VH = get_base(model).get_output_embeddings().weight
    loss: Tensor = ChunkedCrossEntropy.apply(  # type: ignore[no-untyped-call]
        read_hidden(model, pack, decoder), head_VH, wanted, chunk
    )
    return loss


def read_hidden(model: nn.Module, pack: Pack, decoder: Recorded | None = None) -> Tensor:
    """Last hidden states where the trained tokens are predicted: shape (N, H)."""
    hidden_TH = decoder.read(pack) if decoder else None
    if hidden_TH is None:
        hidden_TH = get_base(model).get_decoder()(**_lay_inputs(pack)).last_hidden_state[0]
    assert hidden_TH is not None
    return hidden_TH.index_select(0, pack.source_N)


def read_logits(model: nn.Module, pack: Pack) -> Tensor:
    """Logits of the trained tokens by the model's own head, all at once: shape (N, V)."""
    logits_NV: Tensor = get_base(model)(**_lay_inputs(pack), logits_to_keep=pack.source_N).logits[0]
    return logits_NV


def _lay_inputs(pack: Pack) -> dict[str, Any]:
    """Arguments of a forward of packed rows; a single row needs no segments."""
    inputs = {"input_ids": pack.ids_T[None], "position_ids": pack.positions_T[None], "use_cache": False}
    return {**inputs, "segments": pack.segments} if len(pack.segments) > 1 else inputs


def check_plain_head(model: nn.Module) -> bool:
    """Whether the logits are the last hidden state times the head's weight: no bias, scaling, soft cap or adapter.

    Found by running four tokens both ways, so that no list of architectures is kept.
    """
    base = get_base(model)
    head = base.get_output_embeddings()
    if not isinstance(head, nn.Linear) or head.bias is not None or head.weight.requires_grad:
        return False
    ids = torch.tensor([[1, 2, 3, 4]], device=head.weight.device)
    with torch.no_grad():
        hidden = base.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
        logits = base(input_ids=ids, use_cache=False).logits
    return torch.allclose(hidden @ head.weight.t(), logits, rtol=1e-3, atol=1e-4)


def build_optimizer(
    parameters: Iterable[nn.Parameter], learning_rate: float, name: OptimizerName = "adamw"
) -> torch.optim.Optimizer:
    """AdamW without weight decay (docs/evidence.md, rule 5), fused where the device has it.

    `adamw8bit`: the same with its moments in 8 bits, block by block (bitsandbytes; Dettmers et al., arXiv 2110.02861).
    Raises ModelError where that package is not installed.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if name == "adamw8bit":
        made: torch.optim.Optimizer = import_bitsandbytes("train.optimizer").optim.AdamW8bit(
            trained, lr=learning_rate, betas=(0.9, 0.999), weight_decay=0.0
        )
        return made
    fused = trained[0].device.type in ("cpu", "cuda")
    return torch.optim.AdamW(trained, lr=learning_rate, betas=(0.9, 0.999), weight_decay=0.0, fused=fused)
