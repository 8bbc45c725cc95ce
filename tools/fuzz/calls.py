"""What is done with a file once it was changed: everything that a command would do with what it reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from xraykit.fluorosam.data import FluoroSegData
from xraykit.render import Camera, Volume, XraykitError, read_radiograph
from xraykit.render.converters import read_itk_transform
from xraykit.render.dataset import XrayDataset, check_dataset, read_dataset_config
from xraykit.render.dataset.plan.plan import make_plan
from xraykit.render.files import CameraNeeds, read_cameras
from xraykit.render.files.describe import describe_volume
from xraykit.render.radiographs.describe import describe_radiograph
from xraykit.render.scenes import read_tool_library
from xraykit.xvr import XraySettings, read_shot, starts_from_dicom
from xraykit.xvr.evaluate.datasets.common import Dataset
from xraykit.xvr.start.slicer_markups import read_image_points, read_world_points

CAMERA = Camera(sdd=1000.0, height=100, width=100, pixel_spacing=0.5)


def read_ct(path: Path) -> None:
    Volume.from_file(path)
    describe_volume(path)


def read_stack(path: Path) -> None:
    """With the spacing that ImageJ stated where it is one of ImageJ's."""
    spacing = None if path.name.startswith("imagej") else (0.5, 0.5, 1.0)
    Volume.from_file(path, voxel_spacing=spacing)
    describe_volume(path, voxel_spacing=spacing)


def read_series(path: Path) -> None:
    read_ct(path.parent)


def read_label_map(path: Path) -> None:
    """With the CT beside it."""
    Volume.from_file(path.parent / "ct.nii", labels=path)


def read_mask_folder(path: Path) -> None:
    """One structure each, with the CT beside the folder."""
    Volume.from_file(path.parent.parent / "ct.nii", labels=path.parent)


def read_segmentation(path: Path) -> None:
    """With the slices that it belongs to."""
    Volume.from_file(path.parent / "ct", labels=path)


def read_pair(path: Path) -> None:
    read_ct(path.with_suffix(".hdr"))


def read_fluoroseg(path: Path) -> None:
    """A case, its images and masks."""
    data = FluoroSegData(path.parent)
    for number in range(len(data)):
        data.read(number)


def read_xray(path: Path) -> None:
    describe_radiograph(read_radiograph(path))
    shot = read_shot(path, XraySettings(sdd=1000.0, pixel_spacing=0.5, frame=0, colour="luma"))
    if path.suffix == ".dcm":
        starts_from_dicom([path], [shot.camera], isocenter=torch.zeros(3, dtype=torch.float64), sod=700.0, frames=[0])


def read_markups(path: Path) -> None:
    failures = []
    for read in (lambda: read_world_points(path), lambda: read_image_points(path, CAMERA)):
        try:
            read()
        except XraykitError as error:
            failures.append(error)
    if len(failures) == 2:
        raise failures[0]


def read_camera_file(path: Path) -> None:
    read_cameras(path, CameraNeeds(32, 32, pixel_spacing=1.0)).views()


def read_plan(path: Path) -> None:
    make_plan(read_dataset_config(path))


def read_tools(path: Path) -> None:
    library = read_tool_library(path.parent)
    for name in library:
        library[name]


def read_subjects(data: Dataset) -> None:
    for name in data.subjects[:1]:
        subject = data.subject(name)
        for xray in subject.xrays[:1]:
            subject.xray(xray)


def read_transform(path: Path) -> None:
    read_itk_transform(path, direction="fixed_to_moving")
    read_itk_transform(path, direction="moving_to_fixed")


def read_shard(path: Path) -> None:
    manifest = json.loads((path.parent / "manifest.json").read_bytes())
    content = path.read_bytes()
    for entry in manifest["shards"]:
        if entry["name"] == path.name:
            entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (path.parent / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    read_dataset(path)


def read_dataset(path: Path) -> None:
    check_dataset(path.parent)
    for sample in XrayDataset(path.parent, parts=("image", "masks", "lines")):
        for name in (
            "patient",
            "view",
            "boxes",
            "areas",
            "masks",
            "open_field",
            "camera",
            "pose",
            "landmarks",
            "kinds",
        ):
            getattr(sample, name)
        sample.log_attenuation()
