"""Find the pose of an X-ray relative to a CT, and train networks that start the search."""

from __future__ import annotations

from cyclopts import App

from . import align, evaluate, register, track
from . import app as page

app = App(name="xvr", help="Find the pose of an X-ray relative to a CT, and train networks that start the search.")
# Commands whose help teaches say it themselves: help given here would stand in its place. Their modules load no torch.
app.command(register.command, name="register")
app.command(track.command, name="track")
app.command("xraykit.xvr.cli.train:command", name="train", help="Train a pose network for a patient, or for many.")
app.command(evaluate.command, name="evaluate")
app.command(align.command, name="align")
app.command(page.command, name="app")
