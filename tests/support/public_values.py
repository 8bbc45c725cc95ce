"""Values of the public types whose fields are not free, and the types that stand for something at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from support.fluorosam_networks import TINY
from support.registrations import CAMERA, lopsided, registration_at, true_pose
from torch import nn
from xraykit.corr import network as corr_network
from xraykit.corr.app import MarkedPair
from xraykit.corr.ground_truth import Support
from xraykit.corr.train import AveragedNetwork
from xraykit.dax.embedding import Embeddings
from xraykit.dax.loss import Center
from xraykit.dax.network import Backbone, BackboneConfig
from xraykit.dax.probes import ProbeImage
from xraykit.dax.probes.metal import PixelHead
from xraykit.dax.probes.screws import ScrewDetector, ScrewTruth
from xraykit.fluorosam import network as fluorosam_network
from xraykit.fluorosam.data import PaddedSquare
from xraykit.fluorosam.predictor import Prompt, Segmentation
from xraykit.render import Mesh, Scene, Volume
from xraykit.render.commands import Steps, Tally
from xraykit.render.dataset import DatasetConfig, PatientSources, ProceduralPatients
from xraykit.render.materials import find_material
from xraykit.render.physics import MonochromaticSpectrum, Spectrum
from xraykit.render.radiographs import PolygonalShutter, Radiograph, RectangularShutter
from xraykit.render.scenes import ToolLibrary
from xraykit.render.simulation import Body
from xraykit.render.training import Course
from xraykit.render.volumes import Box, Ellipsoid
from xraykit.xvr import ResultRecord, Shot
from xraykit.xvr.evaluate import EvaluationSubject, PoseRow, XrayWithTruth
from xraykit.xvr.network import NetworkFrame, PoseNetwork
from xraykit.xvr.tracking import BoneAxes

AT_WORK = {
    "pages and what runs behind them: sockets, threads and locks of this process": (
        "PairServer PairSession MaskServer MaskSession AppServer Session PageServer Guard Job JobRunner"
    ),
    "a training at work, and batches that its processes make: each process makes its own": (
        "ClassifyTask MatcherTask DinoTask EncoderTask SegmentationTask WordsTask StudyGuidance TrainingPairs "
        "TrainingImages WorkerBatches StoredBatches CropBatches PairBatches StudyBatches SegmentationBatches "
        "ClassBatches AnnotatedBatches TextBatches TargetTexts QuestionTexts TextRetrieval EncoderScores"
    ),
    "a layer that PyTorch lets travel by its state alone": "DinoHead",
    "readers of a folder, and models read from one: tests of their own hand them to workers": (
        "AnnotatedPairs PairChoice PairStore StoredPairs StudyStore LocalMatcher FrameStore XrayCollection "
        "FluoroSegData LungSet SegmentationStore FluoroSam FluoroSamMethod FleXrayMethod SamMethod FluoroSegCases "
        "XrayEmbedder JobCases LungCases RegisteredCases MeanMask XrayDataset XrayLoader Matcher EmbeddingCache"
    ),
}
"""Why a type is no value, and the names of such types."""


def known_values() -> dict[type, Any]:
    """A value by its type, for types that look at what they are given."""
    return {**_core(), **_xvr(), **_corr(), **_dax(), **_fluorosam()}


def _by_type(*values: Any) -> dict[type, Any]:
    return {type(value): value for value in values}


def _core() -> dict[type, Any]:
    hu = torch.full((2, 3, 4), 40.0)
    volume = Volume.from_hu(hu, torch.eye(4), labels=(hu > 0).byte(), label_names={1: "water"})
    corners = 20 * torch.eye(4)[:, :3]
    outward = torch.tensor([[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]])
    steel = find_material("stainless_steel")
    body = Body.from_volume(volume)
    patients = PatientSources(ProceduralPatients(2, {"knee": 1.0}))
    return _by_type(
        volume, steel, body, body.materials, Scene((body,)), CAMERA, Mesh(corners, outward),
        Radiograph(torch.ones(1, 4, 5), "intensity"), Spectrum(80.0), MonochromaticSpectrum(60.0),
        PolygonalShutter(((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))), RectangularShutter(0.0, 0.0, 4.0, 4.0),
        patients, DatasetConfig(patients=patients), Box((1, 2, 3), mu=0.02), Ellipsoid((1, 2, 3), mu=0.02),
        ToolLibrary({}, Path("tools.yaml")), Course(steps=3), Steps(3), Tally("images"),
    )  # fmt: skip


def _xvr() -> dict[type, Any]:
    volume = lopsided()
    pose = true_pose(volume).double()
    found = registration_at(pose[None], pose)
    record = ResultRecord(("a",), ("b",), pose[None], pose, (CAMERA,), "given")
    camera = (1000.0, 4.0, 5.0, 2.0, 2.0, 2.5, 2.0)
    flat = tuple(pose.flatten().tolist())
    row = PoseRow("m", "d", "s", "x", "", 1.0, 0.9, 2.0, "0", flat, flat, flat, camera, (0.0,) * 3, (0.0,) * 6)
    frame = NetworkFrame(sdd=1000.0, height=32, delx=8.0)
    network, shot = (
        PoseNetwork(frame, backbone="test_resnet", norm="default"),
        Shot(torch.linspace(0, 1, 1920).view(40, 48), CAMERA),
    )
    subject = EvaluationSubject("a", volume, torch.ones(1, 3), ("tip",), ("b",), len)  # type: ignore[arg-type]
    axes = BoneAxes("femur", (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    return _by_type(found, record, row, shot, frame, network, XrayWithTruth(shot, pose[0]), subject, axes)


def _corr() -> dict[type, Any]:
    mini = corr_network.MatcherConfig("mini", image_size=32, dimension=32, layers=2, heads=2)
    return _by_type(
        MarkedPair((1, 2), (3.0, 4.0), (5.0, 6.0), True),
        Support(torch.zeros(1, 3, dtype=torch.int64), torch.eye(4, dtype=torch.float64), (2, 2, 2), None),
        corr_network.MatchNetwork(mini),
        corr_network.StudyClassifier(corr_network.StudyClassifierConfig(mini)),
        corr_network.GuidedEncoder(8, 1, 2, 2),
        AveragedNetwork(nn.Linear(2, 2), 0.9),
    )


def _dax() -> dict[type, Any]:
    network = nn.Linear(3, 2)
    network.num_features = 2  # type: ignore[assignment]
    table = Embeddings(("a", "b"), np.ones((2, 3), np.float32), {"kind": ("x", "y")})
    screws = ScrewTruth(torch.ones(1, 2, 2), torch.ones(1, 2, dtype=torch.bool), (8, 8))
    heads = Center(4), PixelHead((2, 3), 8)
    return _by_type(
        table, screws, *heads, ProbeImage("a", "p", torch.ones(1, 4, 4)), ScrewDetector((2, 3), (4, 8), (32, 32)),
        Backbone(BackboneConfig("vit_mini16"), network),
    )  # fmt: skip


def _fluorosam() -> dict[type, Any]:
    n = fluorosam_network
    square = PaddedSquare(4, 4, 64)
    return _by_type(
        n.SegmentationNetwork(TINY), n.ImageEncoder(TINY), n.MaskDecoder(TINY), n.PromptEncoder(TINY),
        n.TextTower(TINY.text), n.DetailMap(8, 4), n.PresenceHead(8, 6, 16), n.Quantiser(4, 8), n.ClassHead(8, 3),
        n.PromptBatch(text=torch.ones(1, 1, 4)),
        Segmentation(torch.ones(3, 16, 16), torch.ones(3), 0, square, True, Prompt("femur")), Prompt("femur"),
    )  # fmt: skip
