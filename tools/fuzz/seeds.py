"""Small valid files of every kind that is read, made from nothing into a folder: what the mutations begin with."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless
from xraykit.render import Camera, Volume, carm_pose, render, save_image, write_pose, write_volume
from xraykit.render.converters import (
    to_projection_matrix,
    to_rtk,
    write_itk_transform,
    write_jointtrack,
    write_mayacam,
    write_rtk,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support import dicom, xray_dicom
from support.dataset_shards import disc, write_dataset
from support.nifti import nifti_bytes
from support.pictures import PLANES_APART, png16, tiff16

PACKED = {"rle": RLELossless, "jls": JPEGLSLossless, "j2k": JPEG2000Lossless, "jpg": JPEGBaseline8Bit}
_AFFINE = np.array([[-2.0, 0, 0, 10], [0, -1.5, 0, 20], [0, 0, 3.0, -30], [0, 0, 0, 1]])


@dataclass(frozen=True)
class SeedFolder:
    """A folder for seeds, and the chances they are made with."""

    folder: Path
    random: np.random.Generator

    def path(self, name: str) -> Path:
        """Where a file goes, its folder made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, name: str, content: bytes | str) -> Path:
        """Write a file."""
        path = self.path(name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def make_seeds(folder: Path) -> None:
    """Fill an empty folder."""
    seeds = SeedFolder(folder, np.random.default_rng(0))
    torch.manual_seed(0)
    for make in (_volumes, _dicom, _pictures, _meshes, _tables, _transforms, _results, _networks):
        make(seeds)
    write_dataset(folder / "shards", {"train": [4, 3], "test": [3]}, lines=True, tools={"screw": disc(16, 4, 4, 2)})


def _volumes(seeds: SeedFolder) -> None:
    voxels = seeds.random.integers(-1000, 1500, (5, 6, 8)).astype(np.int16)
    labels = (voxels > 0).astype(np.uint8)
    placed = {"sform": _AFFINE}
    turned = {"qform": (0.1, 0.2, 0.3, 1.0, 2.0, 3.0), "pixdim": (-1.0, 2.0, 2.0, 3.0), "order": ">"}
    seeds.put("nifti/a.nii", nifti_bytes(voxels, **placed))
    seeds.put("nifti/b.nii", nifti_bytes(voxels.astype(np.float32), **turned))
    seeds.put("nifti/c.nii", nifti_bytes(voxels.astype(np.float64), slope=(2.0, -3.0), **placed))
    seeds.put("gz/a.nii.gz", gzip.compress(nifti_bytes(voxels, **placed), mtime=0))
    names = {1: "liver", 2: "spleen & co"}
    for folder in ("labels", "scene"):
        write_volume(seeds.path(f"{folder}/ct.nii"), voxels, _AFFINE)
    for suffix in ("nii", "seg.nrrd"):
        write_volume(seeds.path(f"labels/a.{suffix}"), labels, _AFFINE, label_names=names)
    write_volume(seeds.path("nrrd/a.nrrd"), voxels, _AFFINE)
    write_volume(seeds.path("mha/a.mha"), voxels, _AFFINE)
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 8 6 5\nendian: little\n"
        "space directions: (2,0,0) (0,1.5,0) (0,0,3)\nspace origin: (0,0,0)\nkinds: domain domain domain\n"
        'space units: "mm" "mm" "mm"\nencoding: raw\nkey:=value\n# remark\n'
    )
    seeds.put("nrrd/raw.nrrd", f"{header}\n".encode() + voxels.tobytes())
    seeds.put("nhdr/d.nhdr", f"{header}data file: d.raw\n\n")
    meta = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 2 1.5 3\nDimSize = 8 6 5\n"
        "ElementType = MET_SHORT\nElementDataFile = "
    )
    seeds.put("mha/raw.mha", f"{meta}LOCAL\n".encode() + voxels.tobytes())
    seeds.put("mhd/d.mhd", f"{meta}d.raw\n")
    for suffix, content in zip(("hdr", "img"), _pair(voxels), strict=True):
        seeds.put(f"pair/a.{suffix}", content)
    for folder in ("label_folder", "slicer"):
        write_volume(seeds.path(f"{folder}/ct.nii"), voxels, _AFFINE)
    for name in ("liver", "spleen"):
        write_volume(seeds.path(f"label_folder/masks/{name}.nii"), labels, _AFFINE)
    layers = np.stack([labels, 1 - labels], axis=-1)
    layered = header.replace("dimension: 3", "dimension: 4").replace("type: short", "type: uchar")
    layered = layered.replace("sizes: 8", "sizes: 2 8").replace("directions: ", "directions: none ")
    layered = layered.replace("kinds: ", "kinds: list ").replace("origin: (0,0,0)", "origin: (-10,-20,-30)")
    fields = "Segment{n}_LabelValue:=1\nSegment{n}_Layer:={n}\nSegment{n}_Name:=s{n}\nSegment{n}_ID:=s{n}\n"
    segments = "".join(fields.format(n=n) for n in range(2))
    seeds.put("slicer/a.seg.nrrd", f"{layered}{segments}\n".encode() + layers.tobytes())
    for folder in ("nhdr", "mhd"):
        seeds.put(f"{folder}/d.raw", voxels.tobytes())


def _pair(voxels: np.ndarray) -> tuple[bytes, bytes]:
    """A header of NIfTI-1 and its voxels apart."""
    whole = nifti_bytes(voxels, sform=_AFFINE, patches={344: b"ni1\0", 108: bytes(4)})
    return whole[:348], whole[352:]


def _dicom(seeds: SeedFolder) -> None:
    stored = seeds.random.integers(0, 2500, (4, 6, 8)).astype(np.int16)
    dicom.write_series(seeds.folder / "series", stored, shuffle=False)
    dicom.write_series(seeds.folder / "seg/ct", stored, shuffle=False)
    frames = [(1 + n % 2, n, (stored[n] > 1200).astype(np.uint8)) for n in range(4)]
    for kind in ("BINARY", "FRACTIONAL", "LABELMAP"):
        dicom.write_seg(seeds.path(f"seg/{kind.lower()}.dcm"), frames, kind=kind)
    dicom.write_dicom(seeds.path("slice/a.dcm"), dicom.slice_dataset(stored[0], position=np.zeros(3)))
    dicom.write_enhanced(seeds.path("enhanced/a.dcm"), stored)
    image = seeds.random.integers(0, 4000, (20, 24)).astype(np.uint16)
    shutter = {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 2, "ShutterRightVerticalEdge": 22}
    shutter |= {"ShutterUpperHorizontalEdge": 2, "ShutterLowerHorizontalEdge": 18}
    arm = {"PositionerPrimaryAngle": "30", "PositionerSecondaryAngle": "-10", "DistanceSourceToPatient": "700"}
    linear = {"PixelIntensityRelationship": "LIN", "PixelIntensityRelationshipSign": 1, **xray_dicom.GEOMETRY}
    film = {"PhotometricInterpretation": "MONOCHROME1", "PixelIntensityRelationship": "LOG", "WindowCenter": "2000"}
    film |= {"PixelIntensityRelationshipSign": -1, "WindowWidth": "3000", "DistanceSourceToDetector": "1000"}
    film |= {"PixelSpacing": ["0.2", "0.2"], "EstimatedRadiographicMagnificationFactor": "1.2"}
    cine = {"FrameTime": "33.3", "PositionerPrimaryAngleIncrement": ["0", "20", "40", "60"], **arm, **linear}
    frames = seeds.random.integers(0, 255, (4, 10, 12)).astype(np.uint8)
    for name, dataset in {
        "xray/xa.dcm": xray_dicom.xray_dataset(image, **arm, **shutter, **linear),
        "xray/dx.dcm": xray_dicom.xray_dataset(image, modality="DX", **film, **arm),
        "frames/a.dcm": xray_dicom.xray_dataset(frames, **cine),
    }.items():
        xray_dicom.write_xray(seeds.path(name), dataset)
    smooth = np.rint(np.linspace(0, 4000, 256)).reshape(16, 16)
    for name, syntax in PACKED.items():
        pixels = (smooth / 16).astype(np.uint8) if name == "jpg" else smooth.astype(np.uint16)
        dataset = xray_dicom.xray_dataset(pixels, **arm, **xray_dicom.GEOMETRY)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if name in ("rle", "jls"):
            dataset.compress(syntax, generate_instance_uid=False)
        else:
            _pack_by_pillow(dataset, pixels, syntax)
        dataset.save_as(seeds.path(f"packed/{name}.dcm"), enforce_file_format=True)
        seeds.put(f"frame_{name}/a", next(generate_frames(dataset.PixelData)))


def _pack_by_pillow(dataset, pixels: np.ndarray, syntax) -> None:
    packed = _picture(pixels, "JPEG" if syntax == JPEGBaseline8Bit else "JPEG2000")
    packed = packed[max(packed.find(b"\xff\x4f\xff\x51"), 0) :]  # the codestream, out of its box
    dataset.PixelData = encapsulate([packed])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax


def _picture(pixels: np.ndarray, kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def _pictures(seeds: SeedFolder) -> None:
    deep = seeds.random.integers(0, 4000, (16, 18)).astype(np.uint16)
    grey = (deep // 16).astype(np.uint8)
    colour = np.stack([grey] * 3, -1)
    for name, (pixels, options) in {
        "png/grey.png": (grey, {}), "png/deep.png": (deep, {}), "png/rgb.png": (colour, {}),
        "png/bits.png": (grey > 100, {}), "tiff/deep.tiff": (deep, {}), "tiff/float.tiff": (deep.astype("f4"), {}),
        "tiff/lzw.tiff": (grey, {"compression": "tiff_lzw"}), "tiff/jpeg.tiff": (grey, {"compression": "jpeg"}),
        "tiff/deflate.tiff": (grey, {"compression": "tiff_adobe_deflate"}),
        "tiff/pages.tiff": (grey, {"save_all": True, "append_images": [Image.fromarray(grey)] * 2}),
        "stack/deep.tif": (deep, {"save_all": True, "append_images": [Image.fromarray(deep)] * 2}),
        "stack/imagej.tif": (deep.astype("f4"), {
            "save_all": True, "append_images": [Image.fromarray(deep.astype("f4"))] * 2,
            "tiffinfo": {270: "ImageJ=1.54f\nunit=mm\nspacing=1.5\n", 282: 2.0, 283: 2.0},
        }),
        "jpeg/grey.jpg": (grey, {}), "jpeg/rgb.jpg": (colour, {"progressive": True}), "jp2/a.jp2": (grey, {}),
        "bmp/a.bmp": (grey, {}),
    }.items():  # fmt: skip
        Image.fromarray(pixels).save(seeds.path(name), **options)
    wide = np.stack([deep] * 3, -1)
    png16(seeds.path("png/wide.png"), wide)
    png16(seeds.path("png/interlaced.png"), np.stack([deep, np.full_like(deep, 65535)], -1), interlaced=True)
    tiff16(seeds.path("tiff/wide.tiff"), wide, order=">")
    tiff16(seeds.path("tiff/planes.tiff"), wide, planes=PLANES_APART)
    tiff16(seeds.path("tiff/packed.tiff"), wide, planes=PLANES_APART, deflate=True)
    volume = Volume.from_file(seeds.folder / "scene/ct.nii")
    camera, pose = (
        Camera(sdd=1020.0, height=32, width=32, pixel_spacing=1.0),
        carm_pose(sod=850.0, isocenter=volume.center),
    )
    image = render(volume, camera, pose, backend="torch")
    for name in ("xray/ours.dcm", "tiff/ours.tiff"):
        save_image(seeds.path(name), image, camera=camera, pose=pose, sod=850.0)
    shutil.copy(seeds.folder / "png/grey.png", seeds.path("xray_list/a.png"))
    seeds.put("xray_list/list.txt", "a.png\n# remark\n.\n")
    seeds.put("xray_list/list.csv", "path,polarity,label\na.png,intensity,x\n")
    write_pose(seeds.path("pose/pose.json"), camera, pose)
    write_mayacam(seeds.path("cameras/a.txt"), camera, pose)
    write_jointtrack(seeds.path("cameras/jointtrack.txt"), camera)
    write_rtk(seeds.path("cameras/rtk.xml"), to_rtk(camera, pose))
    matrix = to_projection_matrix(camera, pose)[0].tolist()
    seeds.put("cameras/matrix.txt", "".join(" ".join(map(repr, row)) + "\n" for row in matrix))


def _meshes(seeds: SeedFolder) -> None:
    import trimesh

    box, ball = trimesh.creation.box((20, 12, 30)), trimesh.creation.icosphere(1, 12.0)
    for name, shape, options in (
        ("stl/a.stl", ball, {}), ("text_stl/a.stl", box, {"file_type": "stl_ascii"}), ("ply/binary.ply", ball, {}),
        ("ply/text.ply", box, {"encoding": "ascii"}), ("obj/a.obj", box, {}),
    ):  # fmt: skip
        content = shape.export(file_type=options.pop("file_type", name.rpartition(".")[2]), **options)
        seeds.put(name, content)


def _tables(seeds: SeedFolder) -> None:
    from xraykit.corr.data.annotations import SCHEMA

    from .texts import DATASET, SCENE

    seeds.put("scene/scene.yaml", SCENE)
    seeds.put("scene/posed.yaml", "bodies:\n  - file: ct.nii\nview: {pose: pose.json}\nseed: 2\n")
    shutil.copy(seeds.folder / "pose/pose.json", seeds.path("scene/pose.json"))
    for folder in ("scene", "tools", "dataset/tools"):
        shutil.copy(seeds.folder / "stl/a.stl", seeds.path(f"{folder}/tool.stl"))
    seeds.put("dataset/config.yaml", DATASET)
    shutil.copy(seeds.folder / "gz/a.nii.gz", seeds.path("dataset/cts/a.nii.gz"))
    for folder in ("tools", "dataset/tools"):
        seeds.put(
            f"{folder}/tools.yaml", "- {file: tool.stl, name: t, material: steel, description: a tool, scale: 1.0}\n"
        )
    for suffix, text in {"yaml": "sdd: 1000.0\nsize: [64, 64]\n", "toml": "sdd = 1000.0\nsize = [64, 64]\n"}.items():
        seeds.put(f"settings/a.{suffix}", text)
    points = [{"id": "1", "label": f"F-{n}", "position": [n, 2.0, 3.0], "positionStatus": "defined"} for n in range(4)]
    markup = {"type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": "mm", "controlPoints": points}
    seeds.put("markups/a.mrk.json", json.dumps({"markups": [markup]}))
    seeds.put("points/a.json", json.dumps({"F-1": [1, 2], "F-2": [3.5, 4.5]}))
    seeds.put("points_table/a.csv", "name,u,v\nF-1,10.5,20.5\nF-2,11,12\n")
    seeds.put(
        "points_table/b.fcsv", "# CoordinateSystem = LPS\n# columns = id,x,y,z,label\n1,1.0,2.0,3.0,,,,,,,,F-1,,\n"
    )
    prompts = [{"target": "heart", "text": "the heart"}, {"target": "heart", "text": "pump", "split": "train"}]
    seeds.put("prompts/a.jsonl", "".join(json.dumps(one) + "\n" for one in prompts))
    row = {"study_id": "s", "patient_id": "p", "split": "train", "label": "1", "view_idx": "0", "path": "a.png"}
    seeds.put("studies/a.csv", f"{','.join(row)}\n{','.join(row.values())}\n")
    views = [{"file": name, "size": [20, 30], "projection": "", "laterality": ""} for name in ("a.png", "b.png")]
    pair = {"views": [0, 1], "points": [{"a": [1.0, 2.0], "b": [3.0, 4.0], "y": 1, "radius": 2.0, "name": "tip"}]}
    sample = {"id": "1", "patient": "p", "split": "train", "label": None, "views": views, "pairs": [pair]}
    seeds.put("annotations/a.json", json.dumps({"schema": SCHEMA, "samples": [sample]}))


def _transforms(seeds: SeedFolder) -> None:
    import SimpleITK

    affine, euler = SimpleITK.AffineTransform(3), SimpleITK.Euler3DTransform((1, 2, 3), 0.1, 0.2, 0.3, (4, 5, 6))
    for name, transform in {"affine": affine, "euler": euler}.items():
        for suffix in ("tfm", "h5", "mat"):
            SimpleITK.WriteTransform(transform, str(seeds.path(f"itk_{suffix}/{name}.{suffix}")))
    composite = SimpleITK.CompositeTransform([affine, euler])
    for suffix in ("tfm", "h5"):
        SimpleITK.WriteTransform(composite, str(seeds.path(f"itk_{suffix}/composite.{suffix}")))
    write_itk_transform(seeds.path("itk_tfm/ours.tfm"), torch.eye(4), direction="fixed_to_moving")
    seeds.path("itk_tfm/elastix.txt").write_text(
        '(Transform "EulerTransform")\n(TransformParameters 0.1 0.2 0.3 1 2 3)\n(CenterOfRotationPoint 10 20 30)\n'
        '(InitialTransformParameterFileName "NoInitialTransform")\n(ComputeZYX "false")\n'
    )


def _results(seeds: SeedFolder) -> None:
    """Of a registration by CT and by mesh, as far as they are read back; a study of FluoroSeg."""
    from support.fluoroseg_files import block, runs, write_case
    from support.registrations import lopsided, registration_at, shot_of, true_pose
    from xraykit.xvr.implants.record import FORMAT, SCHEMA
    from xraykit.xvr.result.record import record_result, write_result
    from xraykit.xvr.trust.judgement import TrustJudgement

    volume = lopsided()
    pose = true_pose(volume)[0].double()
    found = registration_at(pose[None, None], pose[None])
    trust = TrustJudgement(0.9, 5.0, 0.7, warnings=("look",), features={"gradient_ncc": 0.8})
    record = record_result(found, [shot_of(volume, pose[None])], structures=("CT",), start_kind="dicom", trust=trust)
    write_result(seeds.path("result/result.json"), record)
    answer = {"camera_to_mesh": {"xray": pose.tolist()}, "score": 0.5}
    implants = [{"name": "cup", "answers": [answer, answer]}]
    content = {"format": FORMAT, "schema": SCHEMA, "views": [{"name": "xray"}], "implants": implants}
    seeds.put("implants/implants.json", json.dumps(content))
    mask = runs(block(4, 6, 10, 20))
    write_case(
        seeds.path("fluoroseg/x").parent,
        annotations=[{"category_id": 75, "bbox": [6, 4, 14, 6], "segmentation": mask}],
        patient_id="p7",
    )


def _networks(seeds: SeedFolder) -> None:
    from support import registration_sets as sets
    from support.pose_networks import write_checkpoint
    from xraykit.xvr.network.frame import NetworkFrame
    from xraykit.xvr.network.pose_network import PoseNetwork
    from xraykit.xvr.network.weights import save_network

    frame = NetworkFrame(sdd=1020.0, height=32, delx=8.0)
    network = PoseNetwork(frame, backbone="test_resnet", norm="default")
    save_network(network, seeds.folder / "weights")
    write_checkpoint(
        seeds.path("checkpoint/a.pth"),
        network.state_dict(),
        model_name="test_resnet",
        norm_layer="batchnorm",
        height=32,
    )
    sets.write_deepfluoro(seeds.path("deepfluoro/a.h5"))
    sets.write_ljubljana(seeds.path("ljubljana/a.h5"))
    sets.write_remixed(seeds.folder / "remixed", "deepfluoro", reverse=True)
