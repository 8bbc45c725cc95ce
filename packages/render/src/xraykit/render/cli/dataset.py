"""Make data sets of X-rays as tar shards, check that they are whole, and show what they hold."""

from __future__ import annotations

from cyclopts import App

app = App(name="dataset", help="Make data sets of X-rays as tar shards, check that they are whole, and show them.")
app.command("xraykit.render.cli.dataset_make:command", name="make", help="Make a data set of X-rays as tar shards.")
app.command("xraykit.render.cli.dataset_check:command", name="check", help="Say whether a data set is whole.")
app.command(
    "xraykit.render.cli.dataset_report:command",
    name="report",
    help="Write a page about a data set: counts, histograms, contact sheet, duplicates, warnings.",
)
