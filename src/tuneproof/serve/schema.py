"""Bodies of requests and responses, as OpenAI's chat completions have them.

What would change an answer and is not done here is refused, not ignored: a client that asks for a tool or a penalty
would else take the answer for what it asked for. Fields that change nothing (`user`, `metadata`, `store`) are accepted.

    ChatRequest.model_validate({"model": "base", "messages": [{"role": "user", "content": "Hello"}]})
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from tuneproof.records import Message

MESSAGES = 512
LETTERS = 400_000
"""Characters of one message: about 100,000 tokens."""
TOKENS = 131_072
"""New tokens that may be asked for; how many there is room for depends on the base and the prompt."""
STOPS = 4
LIKELY = 20
"""Both as OpenAI has them."""
ANSWER = 512
"""New tokens where a request does not say: a small model that repeats itself should not fill its context."""


def check_unicode(text: str) -> str:
    """The text, unless it has half a character, which JSON can spell and no tokenizer reads."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("half of a surrogate pair is no text")
    return text


Text = Annotated[str, Field(max_length=LETTERS), AfterValidator(check_unicode)]
ModelName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_unicode)]
Stop = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(check_unicode)]


class Part(BaseModel):
    """A piece of a message; text is all that is read here."""

    type: Literal["text"]
    text: Text


class Turn(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[Part], Field(min_length=1, max_length=64)]

    def as_message(self) -> Message:
        """As the chat template takes it."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message(role="system" if self.role == "developer" else self.role, content=text)


class StreamOptions(BaseModel):
    """What a stream tells besides."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """Body of POST /v1/chat/completions."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: ModelName = Field(description="`base`, a run's name, or NAME@0.5 for an adapter scale of 0 to 2.")
    messages: list[Turn] = Field(min_length=1, max_length=MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=TOKENS, description=f"New tokens at most; default {ANSWER}.")
    max_completion_tokens: int | None = Field(None, ge=1, le=TOKENS, description="Newer name of `max_tokens`.")
    temperature: float | None = Field(
        None, ge=0, le=2, description="Default 0: the likeliest token each time, as the run was measured."
    )
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    stop: Stop | Annotated[list[Stop], Field(max_length=STOPS)] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=LIKELY)
    n: Literal[1] | None = None
    frequency_penalty: float | None = Field(None, ge=0, le=0, description="Not done here.")
    presence_penalty: float | None = Field(None, ge=0, le=0, description="Not done here.")
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = Field(None, description="Not done here.")
    tools: Annotated[list[Any], Field(max_length=0)] | None = Field(None, description="Not done here.")
    functions: Annotated[list[Any], Field(max_length=0)] | None = Field(None, description="Not done here.")
    response_format: ResponseFormat | None = None

    @field_validator("seed", "max_tokens", "max_completion_tokens", "top_logprobs", "n", mode="before")
    @classmethod
    def _refuse_truth(cls, value: object) -> object:
        """`true` is no number, though Python would take it for 1."""
        if isinstance(value, bool):
            raise ValueError("a number is needed")
        return value

    @model_validator(mode="after")
    def _agree(self) -> ChatRequest:
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs: true")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options needs stream: true")
        return self

    @property
    def limit(self) -> int:
        """New tokens at most."""
        return self.max_completion_tokens or self.max_tokens or ANSWER

    @property
    def stops(self) -> tuple[str, ...]:
        """Stop strings."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def likely(self) -> int | None:
        """As `Question.likely`."""
        return (self.top_logprobs or 0) if self.logprobs else None


class ResponseFormat(BaseModel):
    """Plain text is all that is promised."""

    type: Literal["text"]


class SidesRequest(BaseModel):
    """Body of POST /v1/sides."""

    model: ModelName = Field(description="A run's name, with or without a scale above 0.")
    messages: list[Turn] = Field(min_length=1, max_length=MESSAGES)


class TopLogprob(BaseModel):
    """One of the likeliest tokens."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(TopLogprob):
    """A token that was said."""

    top_logprobs: list[TopLogprob]


class Logprobs(BaseModel):
    """Natural log probabilities under the model itself, whatever the temperature."""

    content: list[TokenLogprob]
    refusal: None = None


class Said(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0] = 0
    message: Said
    logprobs: Logprobs | None = None
    finish_reason: Literal["stop", "length"]


class UsageBody(BaseModel):
    """Tokens; the one that ends an answer is not counted."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """Response of POST /v1/chat/completions."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: UsageBody


class Delta(BaseModel):
    """What is new; fields that are not are left out."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """The only choice, in pieces."""

    index: Literal[0] = 0
    delta: Delta
    logprobs: Logprobs | None = None
    finish_reason: Literal["stop", "length"] | None = None


class Chunk(BaseModel):
    """One event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoice]
    usage: UsageBody | None = None


class ModelCard(BaseModel):
    """One model name."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["tuneproof"] = "tuneproof"
    root: str
    """The base that it stands on."""
    parent: str | None
    """`base` for an adapter."""
    max_model_len: int
    system_prompt: str | None
    """Put before a conversation that has none."""


class ModelList(BaseModel):
    """Response of GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class SidesBody(BaseModel):
    """Response of POST /v1/sides: hashes of the logits after the prompt."""

    model: str
    base: str
    off: str
    """By the adapter's own path at scale 0: the same bits as `base`."""
    tuned: str
    proven: bool
    """Whether `base` equals `off`, and `tuned` does not."""


class Health(BaseModel):
    """Response of GET /health."""

    status: Literal["ok", "failed"]
    models: list[str]
    running: int
    waiting: int


class ErrorFacts(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """Every response that is not 2xx."""

    error: ErrorFacts
