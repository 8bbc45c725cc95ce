"""What a training is told: the options of `xraykit xvr train`, which the library takes as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Range = tuple[float, float]
CHECKPOINT, WEIGHTS, SETTINGS = "last.ckpt", "weights", "settings.json"
"""What a training leaves in its folder, beside its curves."""


@dataclass(frozen=True)
class TrainSettings:
    """Options of `xraykit xvr train`; exactly one of CT, --cts, --dataset and --procedural is learned from."""

    ct: Path | None = None
    """One CT: NIfTI, NRRD or MHA/MHD file, or a DICOM folder. The network is this patient's own."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(kw_only=True)
    """Folder for weights, checkpoint, curves and settings; made if need be."""
    labels: Path | None = field(default=None, kw_only=True)
    """Label map on the grid of CT; adds the Dice term."""
    cts: Path | None = field(default=None, kw_only=True)
    """Folder of CTs (NIfTI, NRRD, MHA) for a network of many patients."""
    dataset: Path | None = field(default=None, kw_only=True)
    """Folder of a data set job (`xraykit render dataset`): its images, cameras and poses."""
    procedural: str | None = field(default=None, kw_only=True)
    """Region of the body (thorax, abdomen_pelvis, ...): procedural patients are made on the fly."""
    patients: int = field(default=1000, kw_only=True)
    """How many procedural patients."""
    voxels: int = field(default=128, kw_only=True)
    """Grid of a procedural patient, as the edge of a cube."""
    steps_per_patient: int = field(default=4, kw_only=True)
    """Batches of one patient before the next is taken, with --cts and --procedural."""
    frame: Literal["centred", "template"] = field(default="centred", kw_only=True)
    """What poses of a new network count from: the centre of each CT, or the world that all CTs were aligned to."""

    checkpoint: str | None = field(default=None, kw_only=True)
    """Weights to go on from: folder or file of ours, a published .pth, or a hub id."""
    warp: Path | None = field(default=None, kw_only=True)
    """Transform file (ITK, ANTs, Slicer) from the template world to CT, for a checkpoint in a template frame."""
    backbone: str = field(default="resnet18", kw_only=True)
    """timm model of a new network."""
    norm: Literal["groupnorm", "default"] | None = field(default=None, kw_only=True)
    """Its normalisation: groupnorm as published (on a GPU), or the backbone's own (on the CPU), which learns faster."""
    parameterization: str = field(default="quaternion_adjugate", kw_only=True)
    """Rotation numbers of a new network."""
    pretrained: bool = field(default=False, kw_only=True)
    """Start a new network from timm's weights of photographs (a download)."""

    preset: str = field(default="deepfluoro", kw_only=True)
    """Range of poses: foundation, deepfluoro, femur, ljubljana or brigham; the options below change single numbers."""
    alpha: Range | None = field(default=None, kw_only=True)
    """About the patient's axis [degrees]; C-arm LAO/RAO is 180 + alpha."""
    beta: Range | None = field(default=None, kw_only=True)
    """Cranio-caudal [degrees]."""
    gamma: Range | None = field(default=None, kw_only=True)
    """In the image plane [degrees]."""
    tx: Range | None = field(default=None, kw_only=True)
    """Sideways [mm]."""
    ty: Range | None = field(default=None, kw_only=True)
    """Source to isocentre [mm]."""
    tz: Range | None = field(default=None, kw_only=True)
    """Along the patient's axis [mm]."""
    sdd: float | None = field(default=None, kw_only=True)
    """Source to detector [mm]; the preset's if left out."""
    field_of_view: float | None = field(default=None, kw_only=True)
    """Side of the square detector [mm]; the preset's if left out."""
    size: int | None = field(default=None, kw_only=True)
    """Side of the images [px]; 64 on the CPU, 128 on a GPU. A checkpoint brings its own camera."""
    voxel: float | None = field(default=None, kw_only=True)
    """Coarsest voxel that is rendered [mm]; about a pixel at the patient if left out."""
    bone: Range = field(default=(1.0, 10.0), kw_only=True)
    """Contrast of bone (above 350 HU), drawn for each image; 1 is the CT's own."""
    augment: float = field(default=0.333, kw_only=True)
    """Probability of each change of domain randomisation; 0 for none."""
    physics: bool = field(default=False, kw_only=True)
    """Add scatter, quantum noise and the detector's blur to the images."""

    weight_pose: float = field(default=0.01, kw_only=True)
    """Of the double geodesic distance [1/mm]."""
    weight_image: float = field(default=1.0, kw_only=True)
    """Of the multiscale NCC between the image and the one rendered at the predicted pose."""
    weight_dice: float = field(default=1.0, kw_only=True)
    """Of the Dice loss between soft labels of both."""
    image_loss_from: float | None = field(default=None, kw_only=True)
    """Share of the training after which image and Dice losses join: 0 on a GPU, 1 (never) on the CPU."""
    rate: float = field(default=1e-3, kw_only=True)
    """Peak learning rate of Adam."""
    warmup: int = field(default=50, kw_only=True)
    """Optimiser steps to the peak; a cosine follows down to 0."""
    batch: int | None = field(default=None, kw_only=True)
    """Images at a time and device; 16 on the CPU, 116 on a GPU."""
    accumulate: int = field(default=1, kw_only=True)
    """Batches per optimiser step."""
    clip: float = field(default=0.01, kw_only=True)
    """Adaptive gradient clipping, relative to the weights' norms; 0 for none."""
    steps: int | None = field(default=None, kw_only=True)
    """Length in batches; 30000 if neither this nor --minutes is given."""
    minutes: float | None = field(default=None, kw_only=True)
    """Length in minutes of wall time, reading and saving included; the schedule follows the clock."""

    device: Literal["auto", "cpu", "cuda"] = field(default="auto", kw_only=True)
    """What to train on."""
    devices: int = field(default=1, kw_only=True)
    """GPUs (or CPU processes) per node."""
    nodes: int = field(default=1, kw_only=True)
    """Machines."""
    strategy: str = field(default="auto", kw_only=True)
    """Lightning's strategy, such as ddp."""
    precision: str | None = field(default=None, kw_only=True)
    """Lightning's precision: bf16-mixed (default where the device has it), 16-mixed, 32-true."""
    compile: bool = field(default=False, kw_only=True)
    """torch.compile the backbone."""
    workers: int = field(default=2, kw_only=True)
    """Processes that read CTs, make patients or read shards; 0 does it in this one."""
    seed: int = field(default=0, kw_only=True)
    """Everything random follows from it."""

    validate_every: int | None = field(default=None, kw_only=True)
    """Batches between validations on held-out poses; twenty times in all if left out."""
    validation_views: int = field(default=128, kw_only=True)
    """How many held-out poses."""
    save_every: int | None = field(default=None, kw_only=True)
    """Batches between checkpoints; with every validation if left out."""
    resume: bool = field(default=False, kw_only=True)
    """Go on with the training in the output folder, exactly where its last checkpoint was."""
