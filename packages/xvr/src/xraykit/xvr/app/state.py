"""What the page is told: a session as plain values."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from .job import Job
from .placement import Found, XrayView
from .pose_sliders import slider_deviations, sliders_of
from .session import Session

SIDES = (("R", "L"), ("A", "P"), ("H", "F"))
"""Letters of the directions of world RAS: towards plus, towards minus."""
OBLIQUE = 0.38  # a second letter once a direction leaves an axis by more than 22 degrees


def session_state(session: Session) -> dict[str, Any]:
    """Everything the page shows besides pictures."""
    job = session.worker.job
    return {
        "views": [view_state(session, view) for view in session.views],
        "structure": {"chosen": list(session.structure.names), "title": session.structure.title, **session.offered},
        "starters": list(session.starters),
        "job": None if job is None else job_state(job),
        "notes": list(session.notes),
    }


def view_state(session: Session, view: XrayView) -> dict[str, Any]:
    """One X-ray: its sliders, what brought it there, and what a registration says of it."""
    now = view.now
    sliders = sliders_of(now.pose, session.structure.isocenter)._asdict()
    return {
        "name": view.shot.name,
        "notes": list(view.shot.notes),
        "sliders": {name: round(value, 3) for name, value in sliders.items()},
        "edges": edge_letters(now.pose),
        "placed": now.kind,
        "undo": len(view.history) - 1,
        "found": None if now.found is None else found_state(now.found, now.pose, session.structure.isocenter),
    }


def found_state(found: Found, pose: Tensor, isocenter: Tensor) -> dict[str, Any]:
    """A registration's similarity, spread of the sliders and trust; numbers that are not finite become None."""
    registration, trust = found.registration, found.trust
    covariance = registration.covariance[0]
    deviations = None
    if bool(torch.isfinite(covariance).all()):
        spread = slider_deviations(pose, isocenter, covariance, registration.pivot[0])._asdict()
        deviations = {name: _finite(value) for name, value in spread.items()}
    return {
        "similarity": _finite(registration.similarity),
        "terms": {name: _finite(value) for name, value in registration.terms.items()},
        "converged": bool(registration.converged),
        "seconds": round(registration.seconds, 2),
        "structure": found.structure.title,
        "views": len(found.views),
        "deviations": deviations,
        "trust": None
        if trust is None
        else {
            "probability": _finite(trust.success_probability),
            "threshold": trust.threshold,
            "expected": _finite(trust.expected_error),
            "verdict": trust.verdict,
            "warnings": list(trust.warnings),
        },
    }


def job_state(job: Job) -> dict[str, Any]:
    """A task: which, for which X-ray, how it stands, and its steps so far."""
    return {
        "kind": job.kind,
        "view": job.view,
        "outcome": job.outcome,
        "message": job.message,
        "steps": list(job.steps),
    }


def edge_letters(pose: Tensor) -> dict[str, str]:
    """The patient's directions at the edges of the picture as projected, one or two letters of R L A P H F each."""
    right, down = (pose[:3, axis].tolist() for axis in (0, 1))
    return {
        "left": _letters([-c for c in right]),
        "right": _letters(right),
        "top": _letters([-c for c in down]),
        "bottom": _letters(down),
    }


def _letters(towards: list[float]) -> str:
    order = sorted(range(3), key=lambda axis: -abs(towards[axis]))[:2]
    kept = [axis for n, axis in enumerate(order) if n == 0 or abs(towards[axis]) > OBLIQUE]
    return "".join(SIDES[axis][0 if towards[axis] > 0 else 1] for axis in kept)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
