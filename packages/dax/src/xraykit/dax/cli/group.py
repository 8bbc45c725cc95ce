"""Teach backbones X-rays without labels, and use, look at and probe what they learned."""

from __future__ import annotations

from cyclopts import App

from . import embed, look, pretrain

app = App(name="dax", help="Teach backbones X-rays without labels, and use, look at and probe what they learned.")
# The commands say what they are for themselves: help given here would stand in its place. Their modules load no torch.
app.command(pretrain.command, name="pretrain")
app.command(embed.command, name="embed")
app.command(look.command, name="look")
app.command("xraykit.dax.cli.probe:app", name="probe", help="Tell what frozen backbones know, by three probes.")
