"""Say or click what to find in an X-ray."""

from __future__ import annotations

from cyclopts import App

from . import convert, pretrain, pretrain_text, prompts, train

app = App(name="fluorosam", help="Say or click what to find in an X-ray.")
# The commands say what they are for themselves: help given here would stand in its place. Their modules load no torch.
app.command(convert.command, name="convert")
app.command(prompts.command, name="prompts")
app.command(pretrain_text.command, name="pretrain-text")
app.command(pretrain.command, name="pretrain")
app.command(train.command, name="train")
