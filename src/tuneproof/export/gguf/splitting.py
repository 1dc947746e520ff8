"""How llama.cpp cuts text into words before it merges bytes: it knows the rules by name, and a GGUF file names one.

A wrong name is a known cause of "it worked in training and talks garbage as GGUF" (llama.cpp issue 7062): the same text
becomes other tokens. So the name is not looked up by model but found by trying: the rule whose pieces are those of the
run's tokenizer, on a text with everything that tells the rules apart. The same table reads a file back without
llama.cpp (`rebuild_tokenizer`).

    find_splitting(tokenizer.backend_tokenizer)     # "qwen2"
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from tuneproof.errors import ModelError

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""OpenAI's GPT-2 (encoder.py of its release)."""
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
"""Llama 3's tokenizer.json: tiktoken's cl100k."""
QWEN2 = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
"""Qwen 1.5 to 3's tokenizer.json: the same with single digits."""
QWEN35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+[\r", r"[^\s\p{L}\p{M}\p{N}]+[\r")
DEEPSEEK3 = (
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)


class Splitting(NamedTuple):
    """One of llama.cpp's rules (llama-vocab.cpp): the patterns, one after the other."""

    patterns: tuple[str, ...]
    ignores_merges: bool = False
    """A word that is a token is taken whole, whatever the merges say."""


SPLITTINGS = {
    "qwen2": Splitting((QWEN2,)),
    "llama-bpe": Splitting((CL100K,), ignores_merges=True),
    "smaug-bpe": Splitting((CL100K,)),
    "gpt-2": Splitting((GPT2,)),
    "smollm": Splitting((r"\p{N}", GPT2)),
    "qwen35": Splitting((QWEN35,)),
    "deepseek-v3": Splitting(DEEPSEEK3),
}
"""llama.cpp's name -> rule."""
SAMPLE = (
    "Hello, World! It's 2024-11-27; WE'LL pay 1234567.89 EUR or 10%.\n\n  def f(x_1):\r\n\treturn x**2  # ok?\n   \n"
    "你好，世界！订单号 20240917，共３件。 これはテスト、한국어도 됩니다. Füße naïve café e\u0301te\u0301"
    " don't DON'T I'd\n"
    "🙂👍🏽 …“quotes” 'single' <|x|> {\"a\": [1, 2.5, null]} \\n \u00a0 \u200b a/b @user #tag $5 ^~`|\n\n\n\tend   "
)
"""Digits alone and in runs, contractions in both cases, spaces and line ends in every order, marks that combine, CJK
with its punctuation, code, JSON, emoji."""


def find_splitting(backend: Tokenizer) -> str:
    """llama.cpp's name for how this tokenizer cuts text. Raises ModelError when it knows none."""
    description = json.loads(backend.to_str())
    ignores = bool(description["model"].get("ignore_merges"))
    pieces = cut_sample(backend.pre_tokenizer)
    for name, splitting in SPLITTINGS.items():
        if splitting.ignores_merges == ignores and cut_sample(make_cutter(splitting)) == pieces:
            return name
    raise ModelError("export.no_splitting", where="tokenizer.json", known=", ".join(SPLITTINGS))


def cut_sample(cutter: Any) -> list[str]:
    """The pieces that a pre-tokenizer cuts the sample into; none where there is no pre-tokenizer."""
    return [piece for piece, _ in cutter.pre_tokenize_str(SAMPLE)] if cutter is not None else []


def make_cutter(splitting: Splitting) -> pre_tokenizers.PreTokenizer:
    """The rule as a pre-tokenizer of the `tokenizers` package; pieces come out in GPT-2's byte alphabet."""
    cuts: list[Any] = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in splitting.patterns]
    cutter: pre_tokenizers.PreTokenizer = pre_tokenizers.Sequence(
        [*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return cutter


def rebuild_tokenizer(words: list[str], merges: list[tuple[str, str]], name: str, added: dict[str, bool]) -> Tokenizer:
    """A tokenizer that does what llama.cpp does with these tokens, merges and this rule.

    `added`: tokens that are found in a text before it is cut -> whether they are special. Raises ModelError for a name
    that is not in the table.
    """
    if name not in SPLITTINGS:
        raise ModelError("export.no_splitting", where=f"tokenizer.ggml.pre = {name}", known=", ".join(SPLITTINGS))
    ids = {word: number for number, word in enumerate(words)}
    splitting = SPLITTINGS[name]
    tokenizer = Tokenizer(models.BPE(ids, merges, ignore_merges=splitting.ignores_merges))
    tokenizer.pre_tokenizer = make_cutter(splitting)
    tokenizer.decoder = decoders.ByteLevel()
    for text, special in added.items():
        token = AddedToken(text, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([token])
    return tokenizer
