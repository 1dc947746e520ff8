"""A new run, from a file to the start: upload, check, plan, start. Each is a child process of the command line.

Nothing in a request is a path or an address: files go by the id that the upload gave them, base models by their name in
a fixed list, and everything else is a number, a size or a duration in a form that is checked here.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tuneproof.messages import tell
from tuneproof.web.children import Job
from tuneproof.web.parts import language_of, parts_of, render
from tuneproof.web.uploads import ENDINGS, UnknownEnding, Upload

router = APIRouter()
FILES = 20
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*\.$")
"""Names that Windows keeps for itself."""
Size = Annotated[str, StringConstraints(pattern=r"^\d{1,7}(\.\d{1,3})?(GB|GiB|MB|MiB)$")]
Duration = Annotated[str, StringConstraints(pattern=r"^\d{1,5}(\.\d{1,3})?(s|min|h)$")]
Text = Annotated[str, StringConstraints(max_length=4000)]


class Wanted(BaseModel, extra="forbid"):
    """What the steps of the page have gathered so far."""

    files: list[str] = Field(min_length=1, max_length=FILES)
    test: str | None = None
    model: str | None = None
    memory: Size | None = None
    time: Duration | None = None
    question: Text | None = None
    """Column that holds the question, where it is not recognised; so with `answer`."""
    answer: Text | None = None
    system_prompt: Text | None = None
    epochs: float | None = Field(None, gt=0, le=100)
    rate: float | None = Field(None, gt=0, le=1)
    rank: int | None = Field(None, ge=1, le=512)
    cure: bool = False


class Start(Wanted):
    """A run to be started, under a name."""

    name: str


@router.get("/new")
def show_new(request: Request) -> Response:
    """The page."""
    parts = parts_of(request)
    limit = parts.settings.upload_limit
    return render(
        request, "new.jinja", models=parts.bases.list_names(), limit=limit, endings=",".join([*ENDINGS, ".gz"])
    )


@router.put("/files/{name}")
async def keep_file(request: Request, name: str) -> Response:
    """Take a file in; its content is the body."""
    try:
        upload = await parts_of(request).uploads.keep(name, request.stream())
    except UnknownEnding:
        return JSONResponse({"message": tell("web.new.ending", language_of(request), name=name[:80])}, 415)
    return JSONResponse({"id": upload.id, "name": upload.name, "size": upload.size})


@router.post("/checks")
async def begin_check(request: Request, wanted: Wanted) -> Response:
    """Have the rows checked."""
    return _begin(request, "check", wanted, list_data(request, wanted))


@router.post("/plans")
async def begin_plan(request: Request, wanted: Wanted) -> Response:
    """Have it planned for this machine."""
    if wanted.model is None:
        raise HTTPException(422)
    jobs = parts_of(request).jobs
    looking = jobs.find_latest("doctor")
    if looking is not None:
        # The page has asked for it when it was opened.
        await jobs.wait(looking)
    return _begin(request, "plan", wanted, [*list_data(request, wanted), *list_limits(request, wanted)])


def _begin(request: Request, kind: Any, wanted: Wanted, arguments: list[str]) -> Response:
    jobs, about = parts_of(request).jobs, {"wanted": wanted.model_dump()}
    job = jobs.find_running(kind, **about) or jobs.begin(kind, [kind, *arguments], language_of(request), **about)
    return JSONResponse({"job": job.id})


def list_data(request: Request, wanted: Wanted) -> list[str]:
    """Files, base model and columns as arguments of the command line. Raises HTTPException 404 for an unknown name."""
    parts = parts_of(request)
    uploads = [parts.uploads.find(name) for name in [*wanted.files, *([wanted.test] if wanted.test else [])]]
    known: list[Upload] = [upload for upload in uploads if upload is not None]
    if len(known) < len(uploads) or (wanted.model is not None and wanted.model not in parts.bases.list_names()):
        raise HTTPException(404)
    paths = [str(upload.path.resolve()) for upload in known]
    arguments = [*parts.settings.given, *paths[: len(wanted.files)]]
    if wanted.test:
        arguments += ["--test", paths[-1]]
    if wanted.model is not None:
        arguments += ["--model", wanted.model]
    columns = {"instruction": wanted.question, "output": wanted.answer}
    if any(columns.values()):
        named = {name: column for name, column in columns.items() if column}
        arguments += ["--set", f"data.columns={json.dumps(named, ensure_ascii=False)}"]
    if wanted.system_prompt:
        arguments += ["--set", f"data.system_prompt={json.dumps(wanted.system_prompt, ensure_ascii=False)}"]
    return arguments


def list_limits(request: Request, wanted: Wanted) -> list[str]:
    """Memory, time and knobs as arguments of the command line."""
    arguments = []
    device = find_device(parts_of(request).jobs.find_latest("doctor"))
    if device is not None:
        # Without it a plan with a limit would be one for a CUDA card.
        arguments += ["--device", device]
    for name, value in (("--memory", wanted.memory), ("--time", wanted.time)):
        arguments += [name, value] if value is not None else []
    knobs = {"train.epochs": wanted.epochs, "train.learning_rate": wanted.rate, "lora.rank": wanted.rank}
    for key, number in knobs.items():
        arguments += ["--set", f"{key}={number}"] if number is not None else []
    return arguments


def find_device(job: Job | None) -> str | None:
    """The kind of device that `tuneproof doctor` found here."""
    kind = job.result.get("device", {}).get("kind") if job is not None and job.state == "done" else None
    return kind if kind in ("cpu", "cuda", "mps") else None


@router.post("/machine")
async def begin_doctor(request: Request) -> Response:
    """Look at this machine, once: its device and its memory."""
    jobs = parts_of(request).jobs
    job = jobs.find_latest("doctor")
    if job is None or job.state == "failed":
        job = jobs.begin("doctor", ["doctor"], language_of(request))
    return JSONResponse({"job": job.id})


@router.post("/runs")
async def start_run(request: Request, start: Start) -> Response:
    """Start the run, as a process that outlives this one."""
    parts, language = parts_of(request), language_of(request)
    arguments = [*list_data(request, start), *list_limits(request, start)]
    if not RUN_NAME.fullmatch(start.name) or RESERVED.fullmatch(start.name):
        return JSONResponse({"message": tell("web.new.bad_name", language)}, 422)
    taken = (parts.settings.runs / start.name).exists()
    launch = parts.launches.find(start.name)
    if taken or (launch is not None and parts.launches.state_of(launch) == "starting"):
        return JSONResponse({"message": tell("web.new.taken", language, name=start.name)}, 409)
    if start.model is None:
        raise HTTPException(422)
    arguments += ["--out", str(parts.settings.runs / start.name), *(["--cure"] if start.cure else [])]
    parts.launches.start(start.name, ["run", *arguments], language)
    return JSONResponse({"place": f"/runs/{start.name}"}, 201)
