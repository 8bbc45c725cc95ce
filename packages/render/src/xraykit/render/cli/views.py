"""`xraykit render views`: the standard views, those that a labelled CT can show, and a contact sheet of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..commands.progress import Steps
from ..errors import InputError
from ..views.catalogue import STANDARD_VIEWS
from .settings import ConfigOption, write_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..views.planning import ViewPlan
    from ..volumes.volume import Volume

COLUMNS = 6


@dataclass(frozen=True)
class ViewsConfig:
    """Options of `xraykit render views`."""

    ct: Path | None = None
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder; without one, all standard views are listed."""
    labels: Path | None = field(default=None, kw_only=True)
    """Label map on the grid of CT, which says where the anatomy is."""
    label_names: str | None = field(default=None, kw_only=True)
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = field(default=None, kw_only=True)
    """Folder for contact_sheet.png (every view that fits) and views.config.json; made if need be."""
    pose_limited: bool = field(default=False, kw_only=True)
    """Also the views that need a limb flexed or raised, which a CT can only approximate."""
    size: int = field(default=256, kw_only=True)
    """Rows and columns of each picture [px]."""
    samples: int = field(default=300, kw_only=True)
    """Samples per ray inside the volume."""
    backend: Literal["auto", "torch", "numba", "triton"] = field(default="auto", kw_only=True)
    """Implementation; auto takes the fastest that runs here."""
    device: str = field(default="cpu", kw_only=True)
    """cpu, cuda or cuda:N."""


def views(
    config: Annotated[ViewsConfig, Parameter(name="*")] = ViewsConfig(), *, config_file: ConfigOption = None
) -> None:
    """List the standard radiographic views; with a CT and labels, those that it can show and why not the others.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    if config.ct is None:
        if config.labels is not None or config.output is not None:
            raise InputError("--labels and --output belong to a CT, got none; name it first.")
        print_lines([(view.name, view.title, view.region) for view in STANDARD_VIEWS.values()])
        return
    if config.labels is None:
        raise InputError("views are found from labels, got none; add --labels SEG.")
    _of_ct(config, config.ct)


def _of_ct(config: ViewsConfig, ct: Path) -> None:
    from ..views.planning import view_obstacles
    from ..volumes.volume import Volume
    from .demo import make_folder
    from .drr import check_size, usable_device

    device = usable_device(config.device)
    check_size(config.size, config.size)
    with Steps(total=2 if config.output is None else 3) as steps:
        with steps.step("read the CT"):
            volume = Volume.from_file(ct, labels=config.labels, label_names=config.label_names)
        with steps.step("look for anatomy"):
            reasons = view_obstacles(volume)
        fitting = [n for n, why in reasons.items() if not why and (config.pose_limited or _free(n))]
        if config.output is not None:
            if not fitting:
                raise InputError(f"no standard view fits {ct}; `xraykit render views CT --labels SEG` says why.")
            folder = make_folder(config.output)
            with steps.step(f"render {len(fitting)} views"):
                _contact_sheet(folder / "contact_sheet.png", config, volume, fitting, device)
            write_settings(folder / "views.config.json", config, "render views")
    told = {n: why or ("fits" if n in fitting else "fits, but needs --pose-limited") for n, why in reasons.items()}
    print_lines([(name, STANDARD_VIEWS[name].title, why) for name, why in told.items()])
    if config.output is not None:
        print(f"Look at {config.output / 'contact_sheet.png'}")


def _free(name: str) -> bool:
    return not STANDARD_VIEWS[name].pose_limited


def _contact_sheet(path: Path, config: ViewsConfig, volume: Volume, names: Sequence[str], device: str) -> None:
    from ..pictures.grey_and_overlay import save_png
    from ..views.planning import standard_view

    moved = volume.to(device)
    plans = [standard_view(volume, name, size=(config.size, config.size)) for name in names]
    save_png(path, grid([_picture(moved, plan, config) for plan in plans], names, columns=COLUMNS))


def _picture(volume: Volume, plan: ViewPlan, config: ViewsConfig) -> NDArray[np.uint8]:
    from ..pictures.grey_and_overlay import to_grey
    from ..rendering.rendering import render

    image = render(volume, plan.camera, plan.pose, samples=config.samples, backend=config.backend).cpu()
    return to_grey(image[0, 0].numpy(), percentiles=(2.0, 99.8), detail=1.5, mirrored=plan.mirrored_display)


def grid(pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], *, columns: int) -> NDArray[np.uint8]:
    """Pictures of one size with their captions in rows of `columns`, (H, W, 3) uint8."""
    import numpy as np

    from ..pictures.grey_and_overlay import montage

    parts = range(0, len(pictures), columns)
    rows = [montage(pictures[n : n + columns], captions[n : n + columns]) for n in parts]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), mode="edge") for row in rows])


def print_lines(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print rows in columns of their longest words."""
    first, second = (max(len(row[n]) for row in rows) for n in (0, 1))
    for name, title, rest in rows:
        print(f"{name:{first}}  {title:{second}}  {rest}")
