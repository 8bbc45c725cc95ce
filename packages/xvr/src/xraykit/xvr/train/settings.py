"""Settings of a training of a pose network: the options of `xraykit xvr train`, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.commands import VolumeSettings
from xraykit.render.storage import Range
from xraykit.render.training import LengthSettings, RunSettings


@dataclass(frozen=True)
class TrainingDataSettings:
    """What is learned from: exactly one of CT, --cts, --dataset and --procedural."""

    ct: Path | None = field(default=None, metadata={"positional": True})
    """One CT: NIfTI, NRRD or MHA/MHD file, or a DICOM folder. The network is this patient's own."""
    labels: Path | None = None
    """Label map on the grid of CT; adds the Dice term."""
    cts: Path | None = None
    """Folder of CTs (NIfTI, NRRD, MHA) for a network of many patients."""
    dataset: Path | None = None
    """Folder of a data set job (`xraykit dataset make`): its images, cameras and poses."""
    procedural: str | None = None
    """Region of the body (thorax, abdomen_pelvis, ...): procedural patients are made on the fly."""
    patients: int | None = None
    """How many procedural patients: 1000 on a GPU, 200 on the CPU, where they stay in memory once they are made."""
    voxels: int = 128
    """Grid of a procedural patient, as the edge of a cube."""
    steps_per_patient: int = 4
    """Batches of one patient before the next is taken, with --cts and --procedural."""
    patients_per_batch: int | None = None
    """Patients who share a batch, with --cts and --procedural: 1 where images are compared (on a GPU), else 4."""
    validation_views: int = 128
    """How many held-out poses."""
    volume: VolumeSettings = field(default_factory=VolumeSettings)


@dataclass(frozen=True)
class PoseNetworkSettings:
    """The network: a new one, or a checkpoint to go on from."""

    checkpoint: str | None = None
    """Weights to go on from: folder or file of ours, a published .pth, or a hub id."""
    warp: Path | None = None
    """Transform file (ITK, ANTs, Slicer) from the template world to CT, for a checkpoint in a template frame."""
    pose_frame: Literal["centred", "template"] = "centred"
    """What poses of a new network count from: the centre of each CT, or the world that all CTs were aligned to."""
    backbone: str = "resnet18"
    """timm model of a new network."""
    norm: Literal["groupnorm", "default"] | None = None
    """Its normalisation: groupnorm as published (on a GPU), or the backbone's own (on the CPU), which learns faster."""
    parameterization: str = "quaternion_adjugate"
    """Rotation numbers of a new network."""
    pretrained: bool = False
    """Start a new network from timm's weights of photographs (a download)."""


@dataclass(frozen=True)
class TrainingPoseSettings:
    """Where the training looks from."""

    preset: str = "deepfluoro"
    """Range of poses: foundation, deepfluoro, femur, ljubljana or brigham; the options below change single numbers."""
    alpha: Range | None = None
    """About the patient's axis [degrees]; C-arm LAO/RAO is 180 + alpha."""
    beta: Range | None = None
    """Cranio-caudal [degrees]."""
    gamma: Range | None = None
    """In the image plane [degrees]."""
    tx: Range | None = None
    """Sideways [mm]."""
    ty: Range | None = None
    """Source to isocentre [mm]."""
    tz: Range | None = None
    """Along the patient's axis [mm]."""
    voxel: float | None = None
    """Coarsest voxel that is rendered [mm]; about a pixel at the patient if left out."""


@dataclass(frozen=True)
class TrainingDetectorSettings:
    """The square detector that the training looks with. A checkpoint brings its own."""

    camera: Path | None = None
    """File with the camera of the X-rays to come, as for `xraykit xvr register`: the square round their detector, with
    its distance and principal point; --tx and --tz then count from where CT and detector have their middles in line."""
    image_size: tuple[int, int] | None = None
    """Rows and columns of these X-rays [px], for a camera file that does not state them."""
    pixel_spacing: tuple[float, ...] | None = None
    """Their pixel pitch [mm], one number or row and column, for a camera file that does not state it."""
    sdd: float | None = None
    """Source to detector [mm]; the camera file's or the preset's if left out."""
    field_of_view: float | None = None
    """Side of the square detector [mm], without a camera file; the preset's if left out."""
    size: int | None = None
    """Side of the images that the network sees [px]; 64 on the CPU, 128 on a GPU."""


@dataclass(frozen=True)
class TrainingImageSettings:
    """What is done to the images before the network sees them."""

    bone: Range = (1.0, 10.0)
    """Contrast of bone (above 350 HU), drawn for each image; 1 is the CT's own."""
    augment: float = 0.333
    """Probability of each change of domain randomisation; 0 for none."""
    physics: bool = False
    """Add scatter, quantum noise and the detector's blur to the images."""


@dataclass(frozen=True)
class PoseLossSettings:
    """What the loss is made of."""

    weight_pose: float = 0.01
    """Of the double geodesic distance [1/mm]."""
    weight_image: float = 1.0
    """Of the multiscale NCC between the image and the one rendered at the predicted pose."""
    weight_dice: float = 1.0
    """Of the Dice loss between soft labels of both."""
    image_loss_from: float | None = None
    """Share of the training after which image and Dice losses join: 0 on a GPU, 1 (never) on the CPU."""


@dataclass(frozen=True)
class PoseLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    steps: int | None = None
    """Length in batches; 30000 if neither this nor --minutes is given."""
    batch: int | None = None
    """Images at a time and device; 16 on the CPU, 116 on a GPU."""
    clip: float = 0.01
    """Adaptive gradient clipping, relative to the weights' norms; 0 for none."""


@dataclass(frozen=True)
class TrainSettings:
    """All settings of a training of a pose network.

    Example:
        `TrainSettings(data=TrainingDataSettings(ct=ct), length=PoseLengthSettings(minutes=15), run=RunSettings(out))`
    """

    data: TrainingDataSettings = field(default_factory=TrainingDataSettings)
    network: PoseNetworkSettings = field(default_factory=PoseNetworkSettings)
    poses: TrainingPoseSettings = field(default_factory=TrainingPoseSettings)
    detector: TrainingDetectorSettings = field(default_factory=TrainingDetectorSettings)
    images: TrainingImageSettings = field(default_factory=TrainingImageSettings)
    loss: PoseLossSettings = field(default_factory=PoseLossSettings)
    length: PoseLengthSettings = field(default_factory=PoseLengthSettings)
    run: RunSettings = field(kw_only=True)
