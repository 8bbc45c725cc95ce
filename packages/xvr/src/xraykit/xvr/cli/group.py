"""Find the pose of an X-ray relative to a CT, and train networks that start the search."""

from __future__ import annotations

from cyclopts import App

from .register_help import HELP as REGISTER

app = App(name="xvr", help="Find the pose of an X-ray relative to a CT, and train networks that start the search.")
app.command("xraykit.xvr.cli.register:register", name="register", help=REGISTER)
app.command("xraykit.xvr.cli.train:command", name="train", help="Train a pose network for a patient, or for many.")
app.command("xraykit.xvr.cli.evaluate:evaluate", name="evaluate", help="Measure how well registrations succeed.")
app.command("xraykit.xvr.cli.align:align", name="align", help="Align a CT rigidly to the template of a network.")
app.command("xraykit.xvr.cli.app:app_command", name="app", help="Open a page to register by hand and by button.")
