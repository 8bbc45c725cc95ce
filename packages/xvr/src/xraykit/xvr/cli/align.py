"""`xraykit xvr align`: where a CT lies in the template of a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from xraykit.render.cli.settings import ConfigOption
from xraykit.render.commands.progress import Steps


@dataclass(frozen=True)
class AlignConfig:
    """Options of `xraykit xvr align`."""

    ct: Path
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    template: Path
    """The template image that the network's training CTs were aligned to."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(kw_only=True)
    """The warp to write: .tfm, .txt, .mat or .h5, for ITK, ANTs and Slicer (template fixed, CT moving)."""
    picture: Path | None = field(default=None, kw_only=True)
    """Check picture to write (.png); without this it is the output's name with .png."""
    method: Literal["simpleitk", "greedy", "ants"] = field(default="simpleitk", kw_only=True)
    """What aligns; greedy and ants need `greedy` or `antsRegistration` on the PATH."""
    start: Path | None = field(default=None, kw_only=True)
    """A transform file to start from, in place of centroids and middles."""
    invert_start: bool = field(default=False, kw_only=True)
    """The start was made with the CT as fixed and the template as moving image."""
    spacing: float = field(default=3.0, kw_only=True)
    """Voxel size at which the alignment ends [mm]."""


def align(config: Annotated[AlignConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Align a CT rigidly to the template of a network, and write the warp that the network's poses need.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from xraykit.render import InputError, Volume
    from xraykit.render.pictures import save_png
    from xraykit.render.radiographs import check_writable

    from ..template.alignment import align_to_template
    from ..template.check_picture import alignment_picture
    from ..template.settings import AlignmentSettings
    from ..template.warp import ENDINGS, read_warp, write_warp

    picture = config.picture or config.output.with_suffix(".png")
    if config.output.suffix.lower() not in ENDINGS or picture.suffix.lower() != ".png":
        raise InputError(
            f"--output must end in {', '.join(ENDINGS)} and --picture in .png, got {config.output} and {picture}."
        )
    settings = AlignmentSettings(method=config.method, spacing=config.spacing)
    for path in (config.output.with_suffix(".png"), picture):
        check_writable(path)  # before the work: do both folders take a file?
    with Steps(total=4) as steps:
        with steps.step("read the CT"):
            ct = Volume.from_file(config.ct)
        with steps.step("read the template"):
            template = Volume.from_file(config.template)
        start = None if config.start is None else read_warp(config.start, ct, invert=config.invert_start)
        with steps.step("align"):
            alignment = align_to_template(ct, template, settings, start=start)
        with steps.step("write the warp and the check picture"):
            save_png(picture, alignment_picture(ct, template, alignment.warp))
            write_warp(config.output, alignment.warp)
    print(
        f"mutual information {alignment.before:.3f} at the start, {alignment.similarity:.3f} now; "
        f"{alignment.overlap:.0%} of the CT lies inside the template"
    )
    print(f"wrote {config.output} and {picture}: look at it before you use the warp")
