"""The report's page: HTML and SVG in one file, without scripts and without anything to load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .survey import BINS, BRIGHTEST, DARKEST, Finding

SHOWN_BARS, SHOWN_FINDINGS = 40, 50
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; } p { margin: .3rem 0; } .soft { color: #5d6b7a; }
code { font-size: .85em; word-break: break-all; }
.columns { columns: 340px; column-gap: 2.2rem; } .columns h3 { break-after: avoid; margin-top: 0; }
.columns > div { padding-bottom: 1rem; } .columns > div:has(svg), tr { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; } td { padding: 1px 6px 1px 0; vertical-align: middle; }
td.name { width: 60%; overflow-wrap: anywhere; } td.count { width: 3rem; text-align: right; padding-right: 10px; }
.bar { background: #3f7cac; height: 11px; min-width: 1px; border-radius: 2px; }
.pictures { display: flex; flex-wrap: wrap; gap: 8px; } figure { margin: 0; width: 180px; }
figure img { width: 180px; display: block; background: #000; border-radius: 3px; }
figcaption { font-size: 11px; line-height: 1.25; color: #5d6b7a; overflow-wrap: anywhere; }
.pair { display: flex; gap: 4px; border: 1px solid #d5dce3; padding: 6px; border-radius: 4px; }
.good { color: #21703d; } .look { color: #a8480b; } summary { cursor: pointer; }
svg text { font: 10px system-ui, sans-serif; fill: #5d6b7a; }
"""


class CaptionedPicture(NamedTuple):
    """A picture (data: address) and what stands below it."""

    source: str
    caption: str


def page(title: str, facts: Mapping[str, str], sections: Iterable[str]) -> str:
    """A whole page: title, facts as a table, sections of HTML one after another."""
    rows = "".join(f'<tr><td class="name">{escape(k)}</td><td>{escape(v)}</td></tr>' for k, v in facts.items())
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n<table>{rows}</table>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def section(title: str, *content: str) -> str:
    """A heading and what is below it."""
    return f"<h2>{escape(title)}</h2>\n" + "\n".join(content)


def columns(parts: Iterable[str]) -> str:
    """Parts side by side, as many as the window is wide for."""
    return '<div class="columns">' + "".join(f"<div>{part}</div>" for part in parts) + "</div>"


def bars(title: str, counts: Mapping[str, int]) -> str:
    """Counts as bars, the largest first; the longest tail folded away."""
    most = max(counts.values(), default=1)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        f'<tr><td class="name">{escape(name)}</td><td class="count">{count}</td>'
        f'<td><div class="bar" style="width:{100 * count / most:.1f}%"></div></td></tr>'
        for name, count in ordered
    ]
    folded = f"<details><summary>{len(rows) - SHOWN_BARS} more</summary><table>{''.join(rows[SHOWN_BARS:])}</table>"
    rest = folded + "</details>" if len(rows) > SHOWN_BARS else ""
    nothing = '<p class="soft">none</p>' if not rows else ""
    return f"<h3>{escape(title)} ({len(rows)})</h3><table>{''.join(rows[:SHOWN_BARS])}</table>{rest}{nothing}"


def intensity_plot(title: str, histogram: NDArray[np.int64]) -> str:
    """A histogram of intensity as SVG, intensity in powers of ten from open beam (left) to nothing (right)."""
    width, height, foot = 330.0, 84.0, 16.0
    shares = histogram / max(int(histogram.sum()), 1)
    tall = height * shares / max(float(shares.max()), 1e-12)
    steps = [
        f"{width * n / BINS:.1f},{height - y:.1f} {width * (n + 1) / BINS:.1f},{height - y:.1f}"
        for n, y in enumerate(tall)
    ]
    ticks = ""
    for power, text in enumerate(("1", "0.1", "0.01", "0.001")):
        x = width * (power * np.log(10) - BRIGHTEST) / (DARKEST - BRIGHTEST)
        ticks += f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}" stroke="#d5dce3"/>'
        ticks += f'<text x="{x:.1f}" y="{height + 12}" text-anchor="middle">{text}</text>'
    return (
        f'<h3>{escape(title)}</h3><svg viewBox="0 0 {width:.0f} {height + foot:.0f}" width="100%" role="img" '
        f'aria-label="Histogram of the intensity, {escape(title)}">{ticks}'
        f'<polygon points="0,{height} {" ".join(steps)} {width},{height}" fill="#3f7cac"/></svg>'
    )


def pictures(figures: Sequence[CaptionedPicture]) -> str:
    """Pictures in rows."""
    return '<div class="pictures">' + "".join(_figure(figure) for figure in figures) + "</div>"


def pairs(figures: Sequence[tuple[CaptionedPicture, CaptionedPicture]]) -> str:
    """Pictures in framed pairs."""
    framed = (f'<div class="pair">{_figure(one)}{_figure(other)}</div>' for one, other in figures)
    return '<div class="pictures">' + "".join(framed) + "</div>"


def findings(title: str, found: Sequence[Finding]) -> str:
    """A list of what should be looked at, or that there is nothing."""
    if not found:
        return f'<h3>{escape(title)}</h3><p class="good">none</p>'
    rows = [f"<tr><td class='name'><code>{escape(f.about)}</code></td><td>{escape(f.what)}</td></tr>" for f in found]
    more = f'<p class="soft">and {len(rows) - SHOWN_FINDINGS} more</p>' if len(rows) > SHOWN_FINDINGS else ""
    count = f'<span class="look">{len(rows)}</span>'
    shown = f"<table>{''.join(rows[:SHOWN_FINDINGS])}</table>{more}"
    unfolded = " open" if len(rows) <= 8 else ""
    return f"<h3>{escape(title)}: {count}</h3><details{unfolded}><summary>list</summary>{shown}</details>"


def _figure(figure: CaptionedPicture) -> str:
    return (
        f'<figure><img src="{escape(figure.source)}" alt="{escape(figure.caption)}" loading="lazy">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )
