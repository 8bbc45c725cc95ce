"""`xraykit corr match`: which patches of X-rays match."""

from __future__ import annotations

from xraykit.render.commands import flat

from ..pictures.settings import MatchFilesSettings


def match(settings: MatchFilesSettings) -> None:
    """Find which patches of two or more X-rays show the same part of the patient.

    Two views of one knee, with the network that comes with the package:

        xraykit corr match ap.dcm lateral.dcm -o matches/

    Three views, and where two points of them lie in the others:

        xraykit corr match ap.png lat.png oblique.png -o matches/
            --point A 512 300 --point B 410 288

    All X-rays of a folder, as they are numbered:

        xraykit corr match knee/ -o matches/

    DIR then holds matches_A_B.png for each pair (lines between the best patches),
    points.png (colour where each point may lie), matches.json (the matches in
    pixels of the files, the overlap of each pair), heat.npz (every probability)
    and settings.json. A patch is a beam through the patient: what it matches in
    another view is a band, so one patch may match several.

    Args:
        settings: The options.
    """
    from ..pictures.matched_files import match_xrays
    from ..predictor.view_letters import view_letter

    done = match_xrays(settings)
    matches = done.matches
    for view, xray in enumerate(matches.xrays):
        print(f"{view_letter(view)} {xray.name}")
    for (a, b), overlap in matches.overlap.items():
        best = [match.probability for match in done.listed if match.views == (a, b)]
        said = f"{len(best)} matches, probability {best[0]:.2f} to {best[-1]:.2f}" if best else "no matches"
        print(f"{view_letter(a)}-{view_letter(b)}: {said}; overlap {overlap:.2f}")
    for sentence in done.warnings:
        print(f"note: {sentence}")
    print(f"wrote {done.folder}")


command = flat(match, MatchFilesSettings)
