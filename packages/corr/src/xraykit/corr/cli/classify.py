"""`xraykit corr classify`: learn to see a finding in studies of several X-rays, and compare ways to."""

from __future__ import annotations

from xraykit.render.commands import flat, say_end, stages, tell

from ..train.classify_settings import ClassifySettings


def classify(settings: ClassifySettings) -> int:
    r"""Learn to see a finding in studies of several X-rays.

    Make studies first (`xraykit corr studies`). A classifier that sees both
    X-rays at once, starts from a matcher, and whose attention follows what
    that predicts to correspond:

        xraykit corr classify out/studies.csv -o run/ --fusion early
            --pretrained shipped --guidance predicted

    DIR/report.md has the scores of the test studies, DIR/rows.json each
    answer, DIR/attention what it looked at. One training proves nothing:
    --grid trains single, late and early fusion, from scratch and from the
    matcher, with its numbers permuted as a control, and with each kind of
    guidance, three seeds each, and report.md holds them against each other on
    the same studies. The same command again goes on where it was stopped:

        xraykit corr classify out/studies.csv -o grid/ --grid --pretrained shipped

    Studies with an X-ray that cannot be used are left out and named at the
    end, and the exit status is 3.

    Args:
        settings: The options.
    """
    from ..classification import classify_studies

    with stages() as report:
        result = classify_studies(settings, report=report, say=tell)
    page = result.report.read_text(encoding="utf-8").rstrip("\n")
    return say_end([page, f"wrote {result.report}"], result.left_out)


command = flat(classify, ClassifySettings)
