"""The config cannot surprise: a value is what was meant, or a clear error with its place."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config, list_keys, load_config, load_settled, nearest_key, validate_tree
from tuneproof.config.source import parse_scalar
from tuneproof.errors import ConfigError, TuneproofError, UsageError
from tuneproof.messages import load_catalogue, use_language


def load_text(folder: Path, text: str, *set_: str) -> RunConfig:
    file = folder / "run.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file, set_)[0]


def list_faults(folder: Path, text: str, *set_: str) -> list[tuple[str, str]]:
    """(place without the folder, key of the message) of each fault."""
    with pytest.raises(ConfigError) as raised:
        load_text(folder, text, *set_)
    return [((fault.where or "").replace(f"{folder}/", ""), fault.key) for fault in raised.value.faults]


def test_a_plain_run_needs_no_config() -> None:
    assert load_config() == (RunConfig(), {})


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\ufeff", "---\n"])
def test_an_empty_file_is_the_default(tmp_path: Path, text: str) -> None:
    assert load_text(tmp_path, text) == RunConfig()


def test_file_and_settings_are_read_and_their_places_kept(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("# mine\ntrain:\n  seed: 3\n  epochs: 2\nlora: {rank: 4}\n", encoding="utf-8")
    config, sources = load_config(file, ["train.epochs=1.5", "data.files=[a.jsonl, b.jsonl]"])
    assert (config.train.seed, config.train.epochs, config.lora.rank) == (3, 1.5, 4)
    assert config.data.files == ["a.jsonl", "b.jsonl"]
    assert {key: place.replace(str(file), "") for key, place in sources.items()} == {
        "train": ":2",
        "train.seed": ":3",
        "train.epochs": "--set",
        "lora": ":5",
        "lora.rank": ":5",
        "data.files": "--set",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.5E+3", 1500.0),
        (".5", 0.5),
        ("0.5", 0.5),
        ("0e1", 0.0),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("012", "012"),
        ("01.5", "01.5"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"),
        (".inf", ".inf"),
        ("nan", "nan"),
        ("1e", "1e"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_scalar_has_a_type_only_where_nobody_is_surprised(text: str, value: object) -> None:
    parsed = parse_scalar(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("batch_size: 012", "int_type"),
        ("batch_size: '8'", "int_type"),
        ("batch_size: 8.5", "int_type"),
        ("batch_size: true", "int_type"),
        ("batch_size: 12:30", "int_type"),
        ("batch_size: 0", "greater_than_equal"),
        ("epochs: no", "float_type"),
        ("epochs: 0", "greater_than"),
        ("learning_rate: 1", "less_than_equal"),
        ("warmup: 1", "less_than"),
        ("max_grad_norm: 1e400", "finite_number"),
    ],
)
def test_a_value_of_another_type_or_out_of_bounds_is_refused_with_the_reason(
    tmp_path: Path, line: str, why: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(tmp_path, f"train:\n  {line}\n")
    (fault,) = raised.value.faults
    assert fault.where == f"{tmp_path}/run.yaml:2: train.{line.split(':')[0]}"
    reason = load_catalogue()[f"config.why.{why}"][0].partition("{")[0]
    assert reason in fault.message()


def test_the_reason_is_told_in_chinese_too(tmp_path: Path) -> None:
    use_language("zh")
    with pytest.raises(ConfigError, match="应为整数"):
        load_text(tmp_path, "train: {seed: x}")


@pytest.mark.parametrize("setting", ["model.device=tpu", "memory.checkpointing=yes", "data.columns=[a]", "lora=8"])
def test_every_kind_of_key_names_its_reason(setting: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, [setting])
    other = load_catalogue()["config.why.other"][0].partition("{")[0]
    assert [fault.key for fault in raised.value.faults] == ["config.value"]
    assert other not in raised.value.message()


def test_a_key_of_two_types_has_one_fault(tmp_path: Path) -> None:
    assert list_faults(tmp_path, "lora: {targets: 5}") == [("run.yaml:1: lora.targets", "config.value")]


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = "trian:\n  seed: 1\ntrain:\n  epoch: 3\n  seed: -1\n  seed: -2\nlora.rank: 8\nreport: 5\n"
    assert list_faults(tmp_path, text, "nonsense", "evaluate.scales=[1, x]", "report.language=en") == [
        ("run.yaml:6", "config.doubled"),
        ("--set nonsense", "config.no_equals"),
        ("run.yaml:6: train.seed", "config.value"),
        ("run.yaml:4: train.epoch", "config.unknown"),
        ("--set: evaluate.scales", "config.value"),
        ("run.yaml:8: report", "config.value"),
        ("run.yaml:1: trian", "config.unknown"),
        ("run.yaml:7: lora.rank", "config.dotted"),
    ]


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("train.learning_rat", "train.learning_rate"),
        ("train.learningrate", "train.learning_rate"),
        ("trian", "train"),
        ("learning_rate", "train.learning_rate"),
        ("data.fils", "data.files"),
        ("lora.batch_size", "train.batch_size"),
        ("rank", "lora.rank"),
        ("lora_rank", "lora.rank"),
        ("lr", "train.learning_rate"),
        ("xyzzy", None),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(key: str, nearest: str | None) -> None:
    assert nearest_key(key) == nearest


def test_a_key_like_no_other_is_answered_with_those_of_its_section() -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, ["report.xyzzy=1"])
    assert "language" in raised.value.hint()


BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in pairwise("abcdefghi"))


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        (BOMB, "run.yaml:2", "config.alias"),
        ("train: &t {seed: 1}\nlora: *t\n", "run.yaml:2", "config.alias"),
        ("train:\n  seed: [1\n", "run.yaml:3", "config.syntax"),
        ("train:\n\tseed: 1\n", "run.yaml:2", "config.syntax"),
        ("train:\n  seed: 1\n---\nlora: {}\n", "run.yaml:3", "config.syntax"),
        ("train: {seed: 1}\nx: \x00\n", "run.yaml:2", "config.syntax"),
        ("[" * 1500, "run.yaml:1", "config.syntax"),
        ("train:\n  ? [a, b]\n  : 1\n", "run.yaml:2", "config.syntax"),
        ("- a\n- b\n", "run.yaml:1", "config.no_mapping"),
        ("just words\n", "run.yaml:1", "config.no_mapping"),
    ],
)
def test_what_is_no_config_is_refused_at_its_line(tmp_path: Path, text: str, place: str, key: str) -> None:
    assert list_faults(tmp_path, text) == [(place, key)]


def test_a_missing_file_and_another_encoding_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as missing:
        load_config(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("data: {task: 类别}".encode("gbk"))
    with pytest.raises(UsageError) as unreadable:
        load_config(tmp_path / "gbk.yaml")
    with pytest.raises(UsageError) as folder:
        load_config(tmp_path)
    assert [error.value.key for error in (missing, unreadable, folder)] == [
        "config.missing",
        "config.unreadable",
        "config.unreadable",
    ]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data.task=012", "012"),
        ('data.task="1e-4"', "1e-4"),
        ("data.task='null'", "null"),
        ("data.task=a=b", "a=b"),
        ("data.task=[INST] be kind", "[INST] be kind"),
        ("data.task=", None),
        ("data.task = kind ", "kind"),
    ],
)
def test_a_setting_is_taken_as_typed(setting: str, value: str | None) -> None:
    assert load_config(None, [setting])[0].data.task == value


def test_an_alias_in_a_setting_is_refused_and_not_followed() -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(None, ["data.files=[&a [x, x], *a]"])
    assert raised.value.faults[0].key == "config.alias"


def test_no_fault_is_lost_below_a_setting() -> None:
    """`lora=8` is wrong, whatever is set below it."""
    with pytest.raises(ConfigError):
        load_config(None, ["lora=8", "lora.rank=8"])


@given(st.text(alphabet=st.sampled_from("abtrainseedlora01e-.:[]{}\"'&*!|>#%@,? \n\t~")) | st.text())
@settings(deadline=None)
def test_no_text_gives_anything_but_a_config_or_an_error_of_the_user(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    calls: list[tuple[Path | None, list[str]]] = [(file, []), (None, [text]), (None, [f"data.columns={text}"])]
    for path, given_settings in calls:
        with suppress(TuneproofError):
            assert isinstance(load_config(path, given_settings)[0], RunConfig)


texts = st.text(max_size=40) | st.sampled_from(["1e-4", "1e5", "012", "no", "null", "~", "12:30", "<<", "=", "- a", ""])


@given(task=texts, files=st.lists(texts), columns=st.dictionaries(texts, texts), rate=st.floats(1e-300, 3e-3))
@settings(deadline=None)
def test_a_written_config_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, task: str, files: list[str], columns: dict[str, str], rate: float
) -> None:
    tree: dict[str, Any] = {
        "data": {"task": task, "files": files, "columns": columns},
        "train": {"learning_rate": rate, "epochs": 3},
    }
    config = validate_tree(tree, {})
    text = dump_config(config)
    again = load_text(tmp_path_factory.getbasetemp(), text)
    assert again == config
    assert dump_config(again) == text


def test_every_key_has_help_and_a_reason_for_its_default() -> None:
    schema = RunConfig.model_json_schema()
    knobs = {
        f"{section}.{name}": knob
        for section in RunConfig.model_fields
        for name, knob in schema["$defs"][f"{section.title()}Section"]["properties"].items()
    }
    assert sorted(knobs) == sorted(list_keys())
    assert [key for key, knob in knobs.items() if not knob.get("description") or not knob.get("reason")] == []


@pytest.mark.parametrize("text", ["", "{}", "model: {name: null}"])
def test_a_run_s_config_that_names_no_base_is_the_user_s_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settled(path)
    (fault,) = caught.value.faults
    assert str(path) in str(fault.where)
