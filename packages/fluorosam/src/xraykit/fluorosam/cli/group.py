"""Say or click what to find in an X-ray."""

from __future__ import annotations

from cyclopts import App

from . import app as page
from . import convert, evaluate, pretrain, pretrain_text, prompts, segment, train

app = App(name="fluorosam", help="Say or click what to find in an X-ray.")
# The commands say what they are for themselves: help given here would stand in its place. Their modules load no torch.
app.command(segment.command, name="segment")
app.command(page.command, name="app")
app.command(train.command, name="train")
app.command(pretrain_text.command, name="pretrain-text")
app.command(pretrain.command, name="pretrain")
app.command(evaluate.command, name="evaluate")
app.command(prompts.command, name="prompts")
app.command("xraykit.fluorosam.cli.fluoroseg:app", name="fluoroseg", help="FluoroSeg's layout: write it, check it.")
app.command(convert.command, name="convert")
