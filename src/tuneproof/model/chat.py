"""Messages -> token ids and loss mask. What is trained is decided here and nowhere else.

The mask is found by prefix difference, which needs no `{% generation %}` marks in the template (SmolLM2's and
Qwen1.5's have none): the text rendered up to an assistant turn must be a prefix of the text rendered with it; the
difference is what the model has to say. It is trained up to and with the token that ends the turn. Each piece is
tokenised on its own, so that in training the model stands before its answer exactly as it will when it generates.

    encoded = encode_row(tokenizer, row.messages)
    prompt = encode_prompt(tokenizer, row.prompt)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tuneproof.errors import ModelError
from tuneproof.records import Message

if TYPE_CHECKING:
    from torch import Tensor

MARK = "user-speaks-here"
"""Stands for a user's words, to find where a template puts them."""


class Likely(NamedTuple):
    """The K likeliest tokens at each of a row's N trained ones, and their shares, which add up to 1."""

    ids_NK: Tensor
    shares_NK: Tensor


class Encoded(NamedTuple):
    """Token ids of a conversation, and which of them are trained (same length)."""

    ids: list[int]
    mask: list[bool]
    likely: Likely | None = None
    """What is learnt at the trained tokens instead of these tokens alone (`model.likely`)."""


class Opening(NamedTuple):
    """What stands before and behind a user's first turn."""

    ids: list[int]
    closing: str
    """Empty where the template writes nothing."""


def render(tokenizer: Any, messages: Sequence[Message], *, ask: bool) -> str:
    """The template's text for messages; with `ask` it ends where the assistant begins to speak."""
    text: str = tokenizer.apply_chat_template(
        [message.model_dump() for message in messages], tokenize=False, add_generation_prompt=ask
    )
    return text


def encode_prompt(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of the turns before an answer, up to where the assistant begins."""
    return _tokenise(tokenizer, render(tokenizer, messages, ask=True))


def encode_opening(tokenizer: Any) -> Opening:
    """Token ids of a conversation up to where the user begins to speak, and the text that ends the user's turn."""
    before, _, after = render(tokenizer, [Message(role="user", content=MARK)], ask=False).partition(MARK)
    return Opening(_tokenise(tokenizer, before), after.strip())


class Piece(NamedTuple):
    """An assistant turn as text: what stands before it since the last one, and what is said with what ends it."""

    context: str
    said: str
    is_first: bool
    """Whether what stood before it is no part of the row."""


def encode_row(tokenizer: Any, messages: Sequence[Message]) -> Encoded:
    """Token ids and mask of a conversation; every assistant turn is trained, its end token included.

    Some templates write earlier turns otherwise than the last one (Qwen3 takes their thoughts away, Phi-3 ends only
    the last with an end of text). There the turns before such a change are context, as inference shows them, and only
    those after it are trained. Raises ModelError, naming the turn, when what inference asks with is no beginning of
    the turn that it asks for: such a template trains something else than it asks.
    """
    return encode_rows(tokenizer, [messages])[0]


def encode_rows(tokenizer: Any, conversations: Sequence[Sequence[Message]]) -> list[Encoded]:
    """`encode_row` of each. The texts of all go to the tokenizer at once: one of Rust takes all cores for them."""
    drafts = [_draft_row(tokenizer, messages) for messages in conversations]
    texts = [text for draft in drafts for piece in draft for text in (piece.context, piece.said)]
    made = iter(tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else [])
    special = set(tokenizer.all_special_ids)
    rows = []
    for draft in drafts:
        ids: list[int] = []
        mask: list[bool] = []
        for piece in draft:
            context, answer = next(made), next(made)
            said, rest = _cut_turn(answer, special, tokenizer.eos_token_id)
            if piece.is_first:
                ids, mask = [], []
            ids += context + said + rest
            mask += [False] * len(context) + [True] * len(said) + [False] * len(rest)
        # What the template puts after the last end token is never seen by a model that has ended its turn.
        last = max((at for at, trained in enumerate(mask) if trained), default=-1)
        rows.append(Encoded(ids[: last + 1], mask[: last + 1]))
    return rows


def _draft_row(tokenizer: Any, messages: Sequence[Message]) -> list[Piece]:
    """The assistant turns of a conversation. Raises ModelError as `encode_row` does."""
    pieces: list[Piece] = []
    done = ""
    for turn, message in enumerate(messages):
        if message.role != "assistant":
            continue
        before = render(tokenizer, messages[:turn], ask=True)
        after = render(tokenizer, messages[: turn + 1], ask=False)
        if not after.startswith(before):
            raise ModelError("chat.no_prefix", turn=turn + 1)
        goes_on = before.startswith(done)
        pieces.append(Piece(before[len(done) if goes_on else 0 :], after[len(before) :], is_first=not goes_on))
        done = after
    return pieces


def encode_answer(tokenizer: Any, messages: Sequence[Message], answer: str, *, ended: bool = True) -> Encoded:
    """A conversation and an answer to it; only the answer is masked in, not what the assistant was given to have said.

    An answer that has not `ended` by itself, since it was cut, stands without the token that ends a turn.
    """
    encoded = encode_row(tokenizer, [*messages, Message(role="assistant", content=answer)])
    turns = [at for at in range(1, len(encoded.mask)) if encoded.mask[at] and not encoded.mask[at - 1]]
    last = len(encoded.ids) - (0 if ended else 1)
    return Encoded(encoded.ids[:last], [said and at >= turns[-1] for at, said in enumerate(encoded.mask[:last])])


def end_ids(tokenizer: Any, generation_config: Any = None) -> list[int]:
    """Ids that end an answer: the tokenizer's end token, the model's own, and the one its template ends a turn with."""
    configured = getattr(generation_config, "eos_token_id", None)
    found = configured if isinstance(configured, list) else [configured]
    said = encode_row(tokenizer, [Message(role="user", content="a"), Message(role="assistant", content="b")])
    ends = {token for token in [tokenizer.eos_token_id, *found, said.ids[-1]] if token is not None}
    return sorted(ends)


def _cut_turn(answer: list[int], special: set[int], end: int) -> tuple[list[int], list[int]]:
    """Split an answer's tokens after the one that ends the turn: (trained, not trained).

    The end is the last special token; a template that writes none gets the tokenizer's end token, since an answer whose
    end is not trained never ends.
    """
    ends = [at for at, token in enumerate(answer) if token in special]
    if not ends:
        return [*answer, end], []
    return answer[: ends[-1] + 1], answer[ends[-1] + 1 :]


def _tokenise(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
