"""The mask is that of TRL's own training templates, for every template that TRL ships, and end tokens are trained.

Two things are left out on purpose. What inference hands the model (the end of the generation prompt) is not trained:
it never has to say it. Nor is the line break after the token that ends a turn: it is never asked for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import build_tiny_tokenizer
from tuneproof.errors import ModelError
from tuneproof.model.chat import encode_row, render
from tuneproof.records import Message

trl = pytest.importorskip("trl", reason="TRL is not installed")
FOLDER = Path(trl.__file__).parent / "chat_templates"
TRAINED = sorted(path.stem.removesuffix("_training") for path in FOLDER.glob("*_training.jinja"))
OTHERS = sorted({path.stem for path in FOLDER.glob("*.jinja") if "_training" not in path.stem} - set(TRAINED))

THINKS_FIRST = {
    "deepseek_r1_distill", "deepseekv3", "nemotron_3_5_lightning", "nemotron_3_nano", "nemotron_3_super",
    "nemotron_3_ultra",
}  # fmt: skip
"""They ask with an open thought and write an answer without it: refused, since a tuned model would answer inside."""
ENDS_WITH_NOTHING = {"glm4moe"}
"""It writes no end token. TRL trains the next turn's `<|user|>`, we the tokenizer's end token."""
PARTS = {"idefics3", "smolvlm", "llava_next"}
"""They take content in parts, with images; this tool trains on text."""
ENDS = """<|END_OF_TURN_TOKEN|> <|END_RESPONSE|> <end_of_turn> <turn|> <|eot_id|> <|return|> <|end|> <|eot|>
<|endoftext|> <｜end▁of▁sentence｜> <|user|> <|assistant|> <|system|> <|start|> <|message|> <|channel|>
<start_of_turn> <|turn>"""

USER, SAID = "the question?", "the answer"
TALKS = {
    "one turn": [("user", USER), ("assistant", SAID)],
    "system": [("system", "Be brief."), ("user", USER), ("assistant", SAID)],
    "two turns": [("user", USER), ("assistant", SAID), ("user", "and the order?"), ("assistant", "about it 42")],
}


def make_tokenizer(template: str) -> Any:
    """The tiny tokenizer with the template, and the end tokens of all of them."""
    tokenizer = build_tiny_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", *ENDS.split()]})
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.chat_template = template
    return tokenizer


def list_trained(tokenizer: Any, ids: list[int], mask: list[bool]) -> list[str]:
    """Each run of trained tokens, as text."""
    runs: list[list[int]] = []
    for at, (token, trained) in enumerate(zip(ids, mask, strict=True)):
        if trained:
            if at == 0 or not mask[at - 1]:
                runs.append([])
            runs[-1].append(token)
    return [tokenizer.decode(run) for run in runs]


def ask_trl(name: str, talk: list[Message]) -> list[str]:
    tokenizer = make_tokenizer((FOLDER / f"{name}_training.jinja").read_text(encoding="utf-8"))
    made = tokenizer.apply_chat_template(
        [message.model_dump() for message in talk],
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    return list_trained(tokenizer, made["input_ids"], [bool(one) for one in made["assistant_masks"]])


def test_there_are_templates_to_look_at() -> None:
    assert {"qwen3", "qwen2_5", "llama3", "gemma", "phi3"} <= set(TRAINED)
    assert set(TRAINED) >= THINKS_FIRST | ENDS_WITH_NOTHING | PARTS


@pytest.mark.parametrize("name", sorted(set(TRAINED) - THINKS_FIRST - ENDS_WITH_NOTHING - PARTS))
@pytest.mark.parametrize("talk", TALKS)
def test_the_mask_is_that_of_trl(name: str, talk: str) -> None:
    messages = [Message.model_validate({"role": role, "content": content}) for role, content in TALKS[talk]]
    if name == "gemma" and talk == "system":
        pytest.skip("this template refuses system messages")
    tokenizer = make_tokenizer((FOLDER / f"{name}.jinja").read_text(encoding="utf-8"))
    encoded = encode_row(tokenizer, messages)
    ours = list_trained(tokenizer, encoded.ids, encoded.mask)
    theirs = ask_trl(name, messages)
    # Where a template writes earlier turns otherwise than the last, those are context here (chat.encode_row).
    assert 1 <= len(ours) <= len(theirs)
    turns = [at for at, message in enumerate(messages) if message.role == "assistant"][-len(ours) :]
    for turn, own, other in zip(turns, ours, theirs[-len(ours) :], strict=True):
        assert other.rstrip("\n").endswith(own.rstrip("\n")), (own, other)
        handed = other.rstrip("\n").removesuffix(own.rstrip("\n"))
        assert render(tokenizer, messages[:turn], ask=True).endswith(handed), (own, other)
        assert messages[turn].content in own
    assert encoded.ids[-1] in tokenizer.all_special_ids


@pytest.mark.parametrize("name", sorted(THINKS_FIRST))
def test_a_template_that_asks_with_an_open_thought_is_refused(name: str) -> None:
    tokenizer = make_tokenizer((FOLDER / f"{name}.jinja").read_text(encoding="utf-8"))
    with pytest.raises(ModelError) as caught:
        encode_row(
            tokenizer,
            [Message.model_validate({"role": role, "content": content}) for role, content in TALKS["one turn"]],
        )
    assert caught.value.key == "chat.no_prefix"


@pytest.mark.parametrize("name", [*OTHERS, *ENDS_WITH_NOTHING, "qwen1_5", "smollm2"])
def test_without_marks_of_trl_the_answer_and_an_end_token_are_trained(name: str) -> None:
    path = FOLDER / f"{name}.jinja"
    # Qwen1.5's and SmolLM2's templates differ from ChatML by a default system message, as this one does.
    chatml = (
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer = make_tokenizer(path.read_text(encoding="utf-8") if path.is_file() else chatml)
    encoded = encode_row(
        tokenizer, [Message.model_validate({"role": role, "content": content}) for role, content in TALKS["two turns"]]
    )
    ours = list_trained(tokenizer, encoded.ids, encoded.mask)
    assert SAID in ours[0]
    assert "about it 42" in ours[-1]
    assert not any(USER in text for text in ours)
    assert encoded.ids[-1] in tokenizer.all_special_ids
