"""Files, folders and data sets become files to read; what is not read is named; a file is what its first bytes say."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from tests.data.broken import SHEET, make_workbook
from tests.data.hub import COMMIT, ROW, FakeHub, put_hub
from tests.data.rows import read_file
from tuneproof.config.data import names_hub
from tuneproof.data import hub as hub_module
from tuneproof.data.detect import detect_ending
from tuneproof.data.hub import HubError, fetch_dataset
from tuneproof.data.read import READERS
from tuneproof.data.sources import list_sources
from tuneproof.errors import UsageError

KINDS = list(READERS)


@pytest.fixture
def fake_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A hub with the data set owner/name."""
    return put_hub(tmp_path, monkeypatch)


def name_files(found: Sequence[Path], fake: FakeHub) -> list[str]:
    return [file.relative_to(fake.root / "owner" / "name").as_posix() for file in found]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("owner/name", ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"]),
        ("owner/name:train", ["data/train-00000-of-00002.jsonl", "data/train-00001-of-00002.jsonl"]),
        ("owner/name@main:test", ["data/test-00000-of-00001.jsonl"]),
        ("owner/name:data/train-00001*", ["data/train-00001-of-00002.jsonl"]),
    ],
)
def test_a_part_of_a_data_set_is_the_files_of_its_name(fake_hub: FakeHub, name: str, files: list[str]) -> None:
    found = fetch_dataset(name, KINDS)
    assert name_files(found.files, fake_hub) == files
    assert len(found.left_out) == 3 - len(files)
    assert found.pinned.startswith(f"owner/name@{COMMIT}")
    assert fetch_dataset(found.pinned, KINDS).files == found.files


def test_rows_of_a_data_set_are_read_like_any_file(fake_hub: FakeHub) -> None:
    result = read_file(Path("owner/name"))
    assert [row.reference for row in result.rows] == ["a", "a"]
    assert set(result.origins.values()) == {"owner/name"}
    assert result.left_out == ["owner/name: data/test-00000-of-00001.jsonl"]


def test_a_data_set_is_found_again_without_a_network(fake_hub: FakeHub) -> None:
    found = fetch_dataset("owner/name", KINDS)
    fake_hub.online = False
    assert fetch_dataset("owner/name", KINDS) == found
    assert fetch_dataset(found.pinned, KINDS) == found


def fail(name: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        list_sources([name], KINDS)
    assert caught.value.message("zh") != caught.value.message("en")
    assert caught.value.hint("zh") != caught.value.hint("en")
    return caught.value


def test_what_a_hub_cannot_give_is_said_with_a_way_out(fake_hub: FakeHub) -> None:
    assert fail("owner/other").key == "data.hub_missing"
    assert fail("owner/name@v9").key == "data.hub_missing"
    part = fail("owner/name:validation")
    assert (part.key, part.values["part"]) == ("data.hub_part", "validation")
    assert "data/test-00000-of-00001.jsonl" in part.message()
    for folder in ("en", "zh"):
        (fake_hub.root / "owner" / "two" / folder).mkdir(parents=True)
        (fake_hub.root / "owner" / "two" / folder / "train.jsonl").write_text(ROW, encoding="utf-8")
    assert fail("owner/two").key == "data.hub_several"
    assert len(fetch_dataset("owner/two:*", KINDS).files) == 2
    (fake_hub.root / "owner" / "code").mkdir()
    (fake_hub.root / "owner" / "code" / "loader.py").write_text("", encoding="utf-8")
    assert fail("owner/code").key == "data.hub_files"
    fake_hub.online = False
    assert fail("owner/never").key == "data.hub_offline"


def test_the_hubs_own_library_reads_its_cache_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real door, with a data set that was downloaded before: what the library keeps in its cache, no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fail("owner/name").key == "data.hub_offline"
    snapshot = tmp_path / "hub" / "datasets--owner--name" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "rows.jsonl").write_text(ROW, encoding="utf-8")
    note = hub_module.name_note("owner/name", COMMIT)
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"repo": "owner/name", "commit": COMMIT, "files": ["rows.jsonl"]}), encoding="utf-8")
    found = fetch_dataset(f"owner/name@{COMMIT}", KINDS)
    assert [file.read_text(encoding="utf-8") for file in found.files] == [ROW]
    note.write_text(json.dumps({"repo": "", "commit": COMMIT, "files": ["rows.jsonl", "more.jsonl"]}), encoding="utf-8")
    assert fail(f"owner/name@{COMMIT}").key == "data.hub_offline"


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("RepositoryNotFoundError", "missing"),
        ("RevisionNotFoundError", "missing"),
        ("GatedRepoError", "gated"),
        ("OfflineModeIsEnabled", "offline"),
        ("HfHubHTTPError", "offline"),
        ("LocalEntryNotFoundError", "offline"),
    ],
)
def test_what_the_hubs_own_library_raises_is_understood(
    monkeypatch: pytest.MonkeyPatch, name: str, variant: str
) -> None:
    kind = getattr(import_module("huggingface_hub.errors"), name)

    def fail(*_: object, **__: object) -> None:
        error: Exception = kind.__new__(kind)
        error.args = ("said so",)
        raise error

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", fail)
    with pytest.raises(HubError) as caught:
        hub_module.HUGGING_FACE.list_files("owner/name", None)
    assert caught.value.variant == variant


@pytest.mark.parametrize(
    ("name", "is_hub"),
    [
        ("owner/name", True),
        ("Owner-1/na.me_2@v1.0:train", True),
        ("owner/name@main:data/*.json", True),
        ("data/rows.jsonl", False),
        ("data/rows.csv.gz", False),
        ("a/b/c", False),
        ("../a/b", False),
        ("/a/b", False),
        ("rows", False),
        ("-", False),
        ("数据/训练", False),
    ],
)
def test_a_name_of_a_hub_has_an_owner_and_is_no_file(name: str, is_hub: bool) -> None:
    assert names_hub(name) is is_hub


def test_what_lies_here_goes_before_a_data_set(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "name").mkdir(parents=True)
    (tmp_path / "owner" / "name" / "rows.jsonl").write_text(ROW, encoding="utf-8")
    assert list(list_sources(["owner/name"], KINDS).files) == [Path("owner/name/rows.jsonl")]
    assert fake_hub.asked == []


def test_what_a_folder_holds_besides_is_named(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.csv", "notes.txt", ".hidden.jsonl", "c.jsonl.gz", "inner/d.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else ROW.encode())
    sources = list_sources([tmp_path], KINDS)
    assert [file.name for file in sources.files] == ["a.csv", "b.jsonl", "c.jsonl.gz"]
    assert sources.left_out == [f"{tmp_path / 'inner'}/", str(tmp_path / "notes.txt")]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(ROW, encoding="utf-8")
    assert list(list_sources([path, tmp_path, path], KINDS).files) == [path]


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (ROW * 3, ".jsonl"),
        (ROW.strip(), ".jsonl"),
        ("\ufeff\r\n" + ROW, ".jsonl"),
        (f"[{ROW}]", ".json"),
        (json.dumps({"rows": [json.loads(ROW)]}, indent=1), ".json"),
        ("question,answer\nq,a\n", ".csv"),
        ("question;answer\nq;a\n", ".csv"),
        ("question\tanswer\nq\ta,b\n", ".tsv"),
        ("", ".csv"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_text_without_a_name_is_known_by_its_beginning(content: str, ending: str, encoding: str) -> None:
    raw = content.encode(encoding) if content else b""
    assert detect_ending(raw, None) == ending
    assert detect_ending(gzip.compress(raw), None) == f"{ending}.gz"


def test_files_that_are_no_text_are_known_by_their_beginning() -> None:
    assert detect_ending(make_workbook(faq=SHEET), None) == ".xlsx"
    assert detect_ending(b"PAR1....", None) == ".parquet"
    assert detect_ending(b"\x1f\x8b nonsense", None) == ".csv.gz"
