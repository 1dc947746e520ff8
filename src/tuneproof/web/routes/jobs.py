"""What became of a child process: how far it is, and its result drawn as a piece of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tuneproof.records import Blame, Comparison, DataReport, Plan
from tuneproof.report.page import group_findings
from tuneproof.web.children import Job
from tuneproof.web.parts import language_of, parts_of, render, require_job
from tuneproof.web.uploads import Uploads

router = APIRouter()


@router.get("/jobs/{name}")
def show_job(request: Request, name: str) -> Response:
    """How far a job is; when it has ended, what it found, drawn."""
    job = require_job(request, name)
    told: dict[str, Any] = {"state": job.state, "line": job.lines[-1] if job.lines else "", "html": ""}
    if job.state == "failed":
        told["html"] = _draw(request, "faults.jinja", faults=job.faults)
    elif job.state == "done":
        told |= DRAWN[job.kind](request, job)
    return JSONResponse(told)


def draw_check(request: Request, job: Job) -> dict[str, Any]:
    """Findings and the split."""
    report = name_uploads(DataReport.model_validate(job.result), parts_of(request).uploads)
    html = _draw(request, "checked.jinja", data=report, findings=group_findings(report.findings, language_of(request)))
    return {"html": html, "usable": report.usable}


def name_uploads(report: DataReport, uploads: Uploads) -> DataReport:
    """The report with files as the reader has named them, without the folders that they are kept in."""
    folder = uploads.folder.resolve()

    def name(file: str) -> str:
        return Path(file).name if Path(file).parent.parent == folder else file

    findings = [one.model_copy(update={"file": name(one.file)}) for one in report.findings]
    return report.model_copy(update={"findings": findings, "files": [name(file) for file in report.files]})


def draw_plan(request: Request, job: Job) -> dict[str, Any]:
    """Memory as a bar against the limit, time, what would change it."""
    plan = Plan.model_validate(job.result)
    return {"html": _draw(request, "planned.jinja", plan=plan), "fits": plan.fits}


def draw_machine(request: Request, job: Job) -> dict[str, Any]:
    """The device and its memory."""
    return {"html": _draw(request, "machine.jinja", machine=job.result)}


def draw_comparison(request: Request, job: Job) -> dict[str, Any]:
    """Runs side by side."""
    comparison = Comparison.model_validate(job.result)
    return {"html": _draw(request, "compared.jinja", comparison=comparison, names=job.about["runs"])}


def draw_blame(request: Request, job: Job) -> dict[str, Any]:
    """The training rows that pushed an answer."""
    blames = [Blame.model_validate(item) for item in job.result["items"]]
    return {"html": _draw(request, "blames.jinja", blames=blames)}


DRAWN = {
    "check": draw_check,
    "plan": draw_plan,
    "doctor": draw_machine,
    "compare": draw_comparison,
    "blame": draw_blame,
}


def _draw(request: Request, template: str, **values: Any) -> str:
    return bytes(render(request, template, 200, **values).body).decode()
