"""`xraykit render views`: the standard views, those that a labelled CT can show, and a contact sheet of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands.findings import say_findings
from ..commands.options import flat
from ..commands.picture_size import check_size
from ..commands.progress import Steps
from ..commands.shared_settings import ComputeSettings, LabelSettings
from ..errors import InputError
from ..rendering.devices import usable_device
from ..storage.output_folder import make_folder
from ..storage.settings_file import write_settings
from ..views.catalogue import STANDARD_VIEWS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..views.planning import ViewPlan
    from ..volumes.volume import Volume

COLUMNS = 6


@dataclass(frozen=True)
class ViewListSettings:
    """A CT whose views are listed."""

    ct: Path | None = field(default=None, metadata={"positional": True})
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder; without one, all standard views are listed."""
    output: Path | None = field(default=None, metadata={"short": "-o"})
    """Folder for contact_sheet.png (every view that fits) and settings.json; made if need be."""
    pose_limited: bool = False
    """Also the views that need a limb flexed or raised, which a CT can only approximate."""
    size: int = 256
    """Rows and columns of each picture [px]."""
    samples: int = 300
    """Samples per ray inside the volume."""
    anatomy: LabelSettings = field(default_factory=LabelSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)


def views(settings: ViewListSettings) -> None:
    """List the standard radiographic views; with a CT and labels, those that it can show and why not the others.

    Args:
        settings: The CT, and where to write the contact sheet.
    """
    if settings.ct is None:
        if settings.anatomy.labels is not None or settings.output is not None:
            raise InputError("--labels and --output belong to a CT, got none; name it first.")
        print_lines([(view.name, view.title, view.region) for view in STANDARD_VIEWS.values()])
        return
    if settings.anatomy.labels is None:
        raise InputError("views are found from labels, got none; add --labels SEG.")
    _of_ct(settings, settings.ct)


command = flat(views, ViewListSettings)


def _of_ct(settings: ViewListSettings, ct: Path) -> None:
    from ..views.planning import view_obstacles
    from ..volumes.volume import Volume

    device = usable_device(settings.compute.device)
    check_size(settings.size, settings.size)
    with Steps(total=2 if settings.output is None else 3) as steps:
        with steps.step("read the CT"):
            volume = Volume.from_file(ct, **settings.anatomy.reading)
        say_findings(ct, volume)
        with steps.step("look for anatomy"):
            reasons = view_obstacles(volume)
        fitting = [n for n, why in reasons.items() if not why and (settings.pose_limited or _free(n))]
        if settings.output is not None:
            if not fitting:
                raise InputError(f"no standard view fits {ct}; `xraykit render views CT --labels SEG` says why.")
            folder = make_folder(settings.output)
            with steps.step(f"render {len(fitting)} views"):
                _contact_sheet(folder / "contact_sheet.png", settings, volume, fitting, device)
            write_settings(folder / "settings.json", settings, command="render views", distribution="xraykit-render")
    answers = {n: why or ("fits" if n in fitting else "fits, but needs --pose-limited") for n, why in reasons.items()}
    print_lines([(name, STANDARD_VIEWS[name].title, why) for name, why in answers.items()])
    if settings.output is not None:
        print(f"Look at {settings.output / 'contact_sheet.png'}")


def _free(name: str) -> bool:
    return not STANDARD_VIEWS[name].pose_limited


def _contact_sheet(path: Path, settings: ViewListSettings, volume: Volume, names: Sequence[str], device: str) -> None:
    from ..pictures.grey_and_overlay import save_png
    from ..views.planning import standard_view

    moved = volume.to(device)
    plans = [standard_view(volume, name, size=(settings.size, settings.size)) for name in names]
    save_png(path, grid([_picture(moved, plan, settings) for plan in plans], names, columns=COLUMNS))


def _picture(volume: Volume, plan: ViewPlan, settings: ViewListSettings) -> NDArray[np.uint8]:
    from ..pictures.grey_and_overlay import to_grey
    from ..rendering.rendering import render

    image = render(volume, plan.camera, plan.pose, samples=settings.samples, backend=settings.compute.backend).cpu()
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
