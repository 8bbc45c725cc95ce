"""A session as the plain values that the page shows."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from xraykit.render.pictures import directions_at_edges
from xraykit.render.storage import finite_or_none

from ..trust.judgement import percent
from .placement import RefinedViews, XrayView
from .pose_sliders import slider_deviations, sliders_of
from .session import Session


def session_state(session: Session) -> dict[str, Any]:
    """Everything the page shows besides pictures."""
    job = session.worker.job
    return {
        "views": [view_state(session, view) for view in session.views],
        "structure": {"chosen": list(session.structure.names), "title": session.structure.title, **session.offered},
        "frames": None if session.frames is None else session.frames.state(session.structure.names),
        "starters": list(session.starters),
        "job": None if job is None else job.state(),
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
        "edges": directions_at_edges(now.pose)._asdict(),
        "placed": now.kind,
        "undo": len(view.history) - 1,
        "found": None if now.found is None else found_state(now.found, view, session.structure.isocenter),
    }


def found_state(found: RefinedViews, view: XrayView, isocenter: Tensor) -> dict[str, Any]:
    """A registration's similarity, spread of the sliders and trust, of this view where each has a pose of its own.

    Numbers that are not finite become None.
    """
    record = found.result.record
    place = record.views.index(view.shot.name) if view.shot.name in record.views else 0
    trust, deviations = record.trust, None
    if record.covariance is not None and record.pivot is not None:
        known = record.covariance if record.view_covariance is None else record.view_covariance[place]
        deviations = slider_deviations(view.now.pose, isocenter, known[0], record.pivot[0])._asdict()
    state = {
        "similarity": record.similarity,
        "terms": record.terms,
        "converged": record.converged,
        "seconds": round(record.seconds, 2),
        "structure": " + ".join(record.structures),
        "views": len(found.views),
        "deviations": deviations,
        "trust": None
        if trust is None
        else {
            "probability": trust.success_probability,
            "chance": percent(trust.success_probability),
            "threshold": trust.threshold,
            "expected": trust.view_errors[place] if trust.view_errors else trust.expected_error,
            "verdict": trust.verdict,
            "warnings": list(trust.warnings),
        },
    }
    return finite_or_none(state)
