"""A data set of a hub -> its own data files on this machine, read by the same readers as all other files.

A name is `owner/name`, `owner/name@revision`, each with `:part` behind it where only a part is meant: the name of a
split (`train`), or a path with `*` (`main/train-*`). Without a part it is the split `train` where there is one, else
all data files; files of several folders are never mixed unasked. No code of a data set is ever run, and nothing is
converted: one without files that we read is refused.

    found = fetch_dataset("owner/name:train")
    found.files, found.pinned          # paths in the hub's cache; "owner/name@<commit>:train"

What was downloaded is noted, so that the same name is found again without a network.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from tuneproof.config.data import HUB_NAME
from tuneproof.data.decode import file_kind
from tuneproof.errors import UsageError

METADATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""What the hub's own library writes beside the data."""
DEFAULT_SPLIT = "train"
LISTED = 8
"""Files that an error names."""


class HubError(Exception):
    """The hub cannot be reached or does not have it: `variant` of the sentence, and what the library said."""

    def __init__(self, variant: str, why: str) -> None:
        super().__init__(why)
        self.variant = variant
        self.why = why


class Hub(NamedTuple):
    """The two questions that a hub is asked. Both raise HubError."""

    list_files: Callable[[str, str | None], tuple[str, list[str]]]
    """(data set, revision) -> (commit, all its files)."""
    download: Callable[[str, str, Sequence[str]], Path]
    """(data set, commit, files) -> the folder that they lie in."""


class Dataset(NamedTuple):
    """A data set's files on this machine."""

    pinned: str
    """The name with the commit that was read: it means the same files for ever."""
    files: list[Path]
    left_out: list[str]
    """Data files of the data set that were not asked for."""


def fetch_dataset(name: str, kinds: Sequence[str], hub: Hub | None = None) -> Dataset:
    """The files of a data set whose ending is one of `kinds` (".jsonl", ...).

    Raises UsageError when the hub cannot be reached, has no such data set, the data set no such files, or more than one
    kind of them.
    """
    match = HUB_NAME.fullmatch(name)
    assert match is not None
    repo, revision, part = match["repo"], match["revision"], match["part"]
    hub = hub or HUGGING_FACE
    try:
        commit, every = list_dataset(hub, repo, revision)
        known = sorted(file for file in every if file_kind(Path(file)) in kinds and Path(file).name not in METADATA)
        chosen = choose_files(known, part)
        if not chosen:
            raise explain_none(name, part, known or every)
        if not names_path(part) and len({Path(file).parent for file in chosen}) > 1:
            raise UsageError("data.hub_several", where=name, files=list_some(chosen))
        folder = hub.download(repo, commit, chosen)
    except HubError as error:
        raise UsageError(f"data.hub_{error.variant}", where=name, name=repo, why=error.why) from error
    pinned = f"{repo}@{commit}" + (f":{part}" if part else "")
    return Dataset(pinned, [folder / file for file in chosen], [file for file in known if file not in chosen])


def list_dataset(hub: Hub, repo: str, revision: str | None) -> tuple[str, list[str]]:
    """Commit and files of a data set; without a network what was noted when it was last asked."""
    note = name_note(repo, revision)
    try:
        commit, files = hub.list_files(repo, revision)
    except HubError as error:
        if error.variant != "offline" or not note.is_file():
            raise
        kept = json.loads(note.read_text(encoding="utf-8"))
        return kept["commit"], kept["files"]
    for kept in {note, name_note(repo, commit)}:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"repo": repo, "commit": commit, "files": files}), encoding="utf-8")
    return commit, files


def name_note(repo: str, revision: str | None) -> Path:
    """Where the files of a data set's revision are noted."""
    name = hashlib.sha256(f"{repo}@{revision}".encode()).hexdigest()[:16]
    return user_cache_path("tuneproof") / "hub" / f"{name}.json"


def choose_files(known: Sequence[str], part: str | None) -> list[str]:
    """The files of a part: of a split those that have its name as a word of their path."""
    if part and names_path(part):
        return [file for file in known if fnmatchcase(file, part) or file.startswith(part.rstrip("/*") + "/")]
    word = re.compile(rf"(?<![a-z0-9]){re.escape((part or DEFAULT_SPLIT).lower())}(?![a-z0-9])")
    chosen = [file for file in known if word.search(file.lower())]
    return chosen or ([] if part else list(known))


def explain_none(name: str, part: str | None, files: Sequence[str]) -> UsageError:
    """The error for a data set without a file that can be read."""
    return UsageError(
        "data.hub_part" if part else "data.hub_files", where=name, part=part or "", files=list_some(files)
    )


def names_path(part: str | None) -> bool:
    """Whether the part of a data set is a path and not the name of a split."""
    return part is not None and any(sign in part for sign in "/*.")


def list_some(files: Sequence[str]) -> str:
    """The first of the files, for use in a sentence."""
    return ", ".join(files[:LISTED]) + (", ..." if len(files) > LISTED else "")


def _list_files(repo: str, revision: str | None) -> tuple[str, list[str]]:
    from huggingface_hub import HfApi

    with _Explained():
        about = HfApi().dataset_info(repo, revision=revision)
    return str(about.sha), [file.rfilename for file in about.siblings or []]


def _download(repo: str, commit: str, files: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    with _Explained():
        folder = Path(snapshot_download(repo, repo_type="dataset", revision=commit, allow_patterns=list(files)))
    missing = [file for file in files if not (folder / file).exists()]
    if missing:
        raise HubError("offline", f"{missing[0]} is not in the cache")
    return folder


class _Explained:
    """Turns what the hub's library raises into a HubError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from huggingface_hub import errors

        # Its releases stand on different HTTP libraries, whose errors need not be OSErrors.
        http = getattr(errors, "HTTPError", OSError)
        if not isinstance(error, (OSError, ValueError, http)):
            return
        why = str(error).strip().partition("\n")[0][:200]
        if isinstance(error, errors.GatedRepoError):
            raise HubError("gated", why) from error
        missing = isinstance(error, (errors.RepositoryNotFoundError, errors.RevisionNotFoundError))
        raise HubError("missing" if missing else "offline", why) from error


HUGGING_FACE = Hub(_list_files, _download)
