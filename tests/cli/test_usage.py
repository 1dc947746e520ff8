"""A command line that is wrong: exit code 2, what is wrong, the nearest name, no traceback; in both languages."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Call, FakePipeline

WRONG = [
    (["rum"], "There is no such command: rum.", "Did you mean run?"),
    (["xyzzy"], "There is no such command: xyzzy.", "`tuneproof --help` lists all."),
    (["config", "shw"], "There is no such command: shw.", "Did you mean show?"),
    (["config"], "COMMAND is missing.", "`tuneproof config --help`"),
    (["run", "--modl", "x"], "There is no such option: --modl.", "Did you mean --model?"),
    (["run", "--epochs", "3"], "There is no such option: --epochs.", "`--set train.epochs=...`"),
    (["run", "--lr", "3"], "There is no such option: --lr.", "`--set train.learning_rate=...`"),
    (["run", "--verbose"], "There is no such option: --verbose.", "`tuneproof run --help` lists all."),
    (["run", "--zzzzzzzz"], "There is no such option: --zzzzzzzz.", "`tuneproof run --help` lists all."),
    (["run", "rows", "--model"], "--model needs a value.", "--help"),
    (["resume"], "RUN is missing.", "`tuneproof resume --help`"),
    (["run", "rows", "--device", "tpu"], "'tpu' is not one of", "`tuneproof run --help`"),
    (["run", "--lang", "de"], "'de' is not one of", "`tuneproof run --help`"),
    (["doctor", "extra"], "extra", "`tuneproof doctor --help`"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_said_with_the_way_out(
    arguments: list[str], message: str, hint: str, call: Call, pipeline: FakePipeline
) -> None:
    done = call(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert message in done.err
    assert hint in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [arguments for arguments, _, _ in WRONG if "de" not in arguments], ids=str)
def test_chinese_users_are_told_in_chinese(arguments: list[str], call: Call, pipeline: FakePipeline) -> None:
    done = call(*arguments, "--lang=zh") if arguments[-1] != "--model" else call("--lang=zh", *arguments)
    assert done.code == 2
    assert "错误：" in done.err
