"""Match patches of X-rays, learn to, and classify fractures seen in several views."""

from __future__ import annotations

from cyclopts import App

from . import app as page
from . import classify, finetune, match, pairs, query, train

app = App(name="corr", help="Match patches of X-rays, learn to, and classify fractures seen in several views.")
# The commands say what they are for themselves: help given here would stand in its place. Their modules load no torch.
app.command(match.command, name="match")
app.command(query.command, name="query")
app.command(page.command, name="app")
app.command(pairs.command, name="pairs")
app.command(train.command, name="train")
app.command(finetune.command, name="finetune")
app.command(classify.command, name="classify")
app.command("xraykit.corr.cli.studies:app", name="studies", help="Labelled studies of several X-rays, for classify.")
app.command("xraykit.corr.cli.evaluate:app", name="evaluate", help="Make the paper's tables again.")
app.command("xraykit.corr.cli.annotations:app", name="annotations", help="Check a file of marked points, or make one.")
