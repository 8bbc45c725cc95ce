"""Render X-rays from CT, and say what a file knows of its geometry."""

from __future__ import annotations

from cyclopts import App

app = App(name="render", help="Render X-rays from CT, and say what a file knows of its geometry.")
app.command("xraykit.render.cli.drr:drr", name="drr", help="Render one X-ray of a CT (or MR) volume.")
app.command("xraykit.render.cli.info:info", name="info", help="Say what a CT or X-ray file knows of its geometry.")
app.command("xraykit.render.cli.view:view", name="view", help="Open a page with the C-arm and the live X-ray.")
app.command("xraykit.render.cli.simulate:simulate", name="simulate", help="Simulate the X-ray of a scene file.")
app.command("xraykit.render.cli.dataset:dataset", name="dataset", help="Make a data set of X-rays as tar shards.")
app.command(
    "xraykit.render.cli.dataset_report:dataset_report",
    name="dataset-report",
    help="Write a page about a data set: counts, histograms, contact sheet, duplicates, warnings.",
)
app.command(
    "xraykit.render.cli.dataset_check:dataset_check", name="dataset-check", help="Say whether a data set is whole."
)
app.command(
    "xraykit.render.cli.views:views", name="views", help="List the standard views, or those that a CT can show."
)
