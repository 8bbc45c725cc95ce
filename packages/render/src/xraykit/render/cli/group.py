"""Render X-rays from CT, and say what a file knows of its geometry."""

from __future__ import annotations

from cyclopts import App

app = App(name="render", help="Render X-rays from CT, and say what a file knows of its geometry.")
app.command("xraykit.render.cli.drr:command", name="drr", help="Render one X-ray of a CT (or MR) volume.")
app.command("xraykit.render.cli.info:command", name="info", help="Say what a CT or X-ray file knows of its geometry.")
app.command("xraykit.render.cli.view:command", name="view", help="Open a page with the C-arm and the live X-ray.")
app.command("xraykit.render.cli.simulate:command", name="simulate", help="Simulate the X-ray of a scene file.")
app.command(
    "xraykit.render.cli.views:command", name="views", help="List the standard views, or those that a CT can show."
)
