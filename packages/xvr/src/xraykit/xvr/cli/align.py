"""`xraykit xvr align`: where a CT lies in the template of a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import Steps, VolumeSettings, flat, say_findings

from ..template.settings import AlignmentMethod, AlignmentSettings


@dataclass(frozen=True)
class AlignSettings:
    """Align a CT to the template of a network."""

    ct: Path = field(metadata={"positional": True})
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    template: Path = field(metadata={"positional": True})
    """The template image that the network's training CTs were aligned to."""
    output: Path = field(metadata={"short": "-o"})
    """The warp to write: .tfm, .txt, .mat or .h5, for ITK, ANTs and Slicer (template fixed, CT moving)."""
    picture: Path | None = None
    """Check picture to write (.png); without this it is the output's name with .png."""
    method: AlignmentMethod = AlignmentSettings.method
    """What aligns; greedy and ants need `greedy` or `antsRegistration` on the PATH."""
    start: Path | None = None
    """A transform file to start from, in place of centroids and middles."""
    invert_start: bool = False
    """The start was made with the CT as fixed and the template as moving image."""
    spacing: float = AlignmentSettings.spacing
    """Voxel size at which the alignment ends [mm]."""
    volume: VolumeSettings = field(default_factory=VolumeSettings)


def align(settings: AlignSettings) -> None:
    """Align a CT rigidly to the template of a network, and write the warp that the network's poses need.

    Args:
        settings: The options.
    """
    from xraykit.render import InputError, Volume
    from xraykit.render.pictures import save_png
    from xraykit.render.radiographs import check_writable

    from ..template.alignment import align_to_template
    from ..template.check_picture import alignment_picture
    from ..template.warp import ENDINGS, read_warp, write_warp

    picture = settings.picture or settings.output.with_suffix(".png")
    if settings.output.suffix.lower() not in ENDINGS or picture.suffix.lower() != ".png":
        raise InputError(
            f"--output must end in {', '.join(ENDINGS)} and --picture in .png, got {settings.output} and {picture}."
        )
    how = AlignmentSettings(method=settings.method, spacing=settings.spacing)
    for path in (settings.output.with_suffix(".png"), picture):
        check_writable(path)  # before the work: do both folders take a file?
    with Steps(total=4) as steps:
        with steps.step("read the CT"):
            ct = Volume.from_file(settings.ct, **settings.volume.reading)
        with steps.step("read the template"):
            template = Volume.from_file(settings.template)
        say_findings(settings.ct, ct)
        say_findings(settings.template, template)
        start = None if settings.start is None else read_warp(settings.start, ct, invert=settings.invert_start)
        with steps.step("align"):
            alignment = align_to_template(ct, template, how, start=start)
        with steps.step("write the warp and the check picture"):
            save_png(picture, alignment_picture(ct, template, alignment.warp))
            write_warp(settings.output, alignment.warp)
    print(
        f"mutual information {alignment.before:.3f} at the start, {alignment.similarity:.3f} now; "
        f"{alignment.overlap:.0%} of the CT lies inside the template"
    )
    print(f"wrote {settings.output} and {picture}: look at it before you use the warp")


command = flat(align, AlignSettings)
