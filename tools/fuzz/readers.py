"""Every reader of the workspace: the seeds it begins with, how they are changed, and the call that reads one."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from xraykit.corr.data.annotations import read_annotations
from xraykit.corr.studies.manifest import read_studies
from xraykit.dax.data.find_files import find_files
from xraykit.fluorosam.prompts.prompt_files import read_prompts
from xraykit.render import read_mesh, read_pose, read_scene
from xraykit.render.storage.codestream import codestream_of
from xraykit.render.storage.dicom_decoders import PackedFrame
from xraykit.render.storage.dicom_unpack import Unpacker
from xraykit.render.storage.settings_file import read_table
from xraykit.xvr import load_network
from xraykit.xvr.evaluate.datasets.deepfluoro_hdf5 import DeepFluoroHDF5
from xraykit.xvr.evaluate.datasets.ljubljana_hdf5 import LjubljanaHDF5
from xraykit.xvr.evaluate.datasets.remixed import Remixed
from xraykit.xvr.implants.record import read_implants
from xraykit.xvr.result.reading import read_result
from xraykit.xvr.start.slicer_markups import read_image_points

from . import calls
from . import container_changes as containers
from . import picture_changes as pictures
from .dicom_changes import change_dicom
from .mutations import Mutation, change_bytes, change_json, change_text, change_yaml
from .seeds import PACKED


@dataclass(frozen=True)
class FuzzedReader:
    """A reader and how its input is made.

    Args:
        seeds: Pattern of the files to begin with, in the folder of the seeds.
        change: One file's bytes into others.
        read: Gets the path of the changed file, in a copy of the first folder of the pattern.
    """

    seeds: str
    change: Mutation
    read: Callable[[Path], object]

    def prepared(self, seeds: Path, work: Path) -> list[Path]:
        """The seeds' folder copied to `work`, and the files in it that are changed in turn."""
        folder, _, files = self.seeds.partition("/")
        shutil.copytree(seeds / folder, work, dirs_exist_ok=True)
        return sorted(work.glob(files))

    def attempt(self, file: Path, content: bytes, random: Random) -> None:
        """Change the content, put it in the file's place and read it."""
        file.write_bytes(self.change(random, content))
        self.read(file)


def _change_shard(random: Random, data: bytes) -> bytes:
    if random.random() < 0.2:
        return change_bytes(random, data)
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive, tarfile.open(fileobj=out, mode="w") as written:
        members = [(entry, archive.extractfile(entry).read()) for entry in archive]
        chosen = random.randrange(len(members))
        for number, (entry, content) in enumerate(members):
            if number == chosen:
                change = {"json": change_json, "tiff": pictures.change_tiff}.get(
                    entry.name.rpartition(".")[2], change_bytes
                )
                content = change(random, content)
                entry.name = random.choice((entry.name,) * 9 + ("../x.json", "/etc/x", "a.json", "\x1b[31m.json"))
                entry.type = random.choice((tarfile.REGTYPE,) * 19 + (tarfile.SYMTYPE,))
                entry.size = len(content)
            written.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return out.getvalue()


def _change_weights(random: Random, data: bytes) -> bytes:
    """The header of a safetensors file, and the config that it carries as text."""
    size = int.from_bytes(data[:8], "little")
    head, body = data[8 : 8 + size], data[8 + size :]
    if random.random() < 0.6:
        table = json.loads(head)
        table["__metadata__"]["xraykit"] = change_json(random, table["__metadata__"]["xraykit"].encode()).decode(
            "latin-1"
        )
        head = json.dumps(table).encode()
    else:
        head = change_json(random, head)
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + body if random.random() < 0.9 else change_bytes(random, data)


@cache
def _unpacker(process: int) -> Unpacker:
    """One of each process: a forked one must not talk to the decoder of the one before."""
    return Unpacker()


def _frames(name: str) -> FuzzedReader:
    """Packed frames alone, to one decoder process that goes on as long as it can."""

    def read(path: Path) -> None:
        data = path.read_bytes()
        said = codestream_of(data)
        if name != "rle" and said is not None and (said.rows, said.columns) != (16, 16):
            return  # refused before anything is unpacked
        bits = 8 if name == "jpg" else 16
        tags = {"Rows": 16, "Columns": 16, "SamplesPerPixel": 1, "BitsAllocated": bits, "BitsStored": bits}
        tags |= {"HighBit": bits - 1, "PixelRepresentation": 0, "PhotometricInterpretation": "MONOCHROME2"}
        _unpacker(os.getpid()).unpacked(path, PackedFrame(data, PACKED[name], 32 * bits, tags))

    return FuzzedReader(f"frame_{name}/*", change_bytes, read)


READERS: Mapping[str, FuzzedReader] = {
    "nifti": FuzzedReader("nifti/*", change_bytes, calls.read_ct),
    "nifti_gz": FuzzedReader("gz/*", containers.gzipped(change_bytes), calls.read_ct),
    "nrrd": FuzzedReader("nrrd/*", containers.headed(b"\n\n"), calls.read_ct),
    "nhdr": FuzzedReader("nhdr/*.nhdr", change_text, calls.read_ct),
    "mha": FuzzedReader("mha/*", containers.headed(b"LOCAL\n"), calls.read_ct),
    "mhd": FuzzedReader("mhd/*.mhd", change_text, calls.read_ct),
    "labels": FuzzedReader("labels/a.*", change_bytes, calls.read_label_map),
    "ct_slice": FuzzedReader("slice/*", change_dicom, calls.read_ct),
    "ct_series": FuzzedReader("series/*", change_dicom, calls.read_series),
    "ct_enhanced": FuzzedReader("enhanced/*", change_dicom, calls.read_ct),
    "xray_dicom": FuzzedReader("xray/*", change_dicom, calls.read_xray),
    "xray_frames": FuzzedReader("frames/*", change_dicom, calls.read_xray),
    "xray_packed": FuzzedReader("packed/*", change_dicom, calls.read_xray),
    **{f"frame_{name}": _frames(name) for name in PACKED},
    "png": FuzzedReader("png/*", pictures.change_png, calls.read_xray),
    "tiff": FuzzedReader("tiff/*", pictures.change_tiff, calls.read_xray),
    "tiff_stack": FuzzedReader("stack/*", pictures.change_tiff, calls.read_stack),
    "jpeg": FuzzedReader("jpeg/*", change_bytes, calls.read_xray),
    "jpeg_2000": FuzzedReader("jp2/*", change_bytes, calls.read_xray),
    "bmp": FuzzedReader("bmp/*", change_bytes, calls.read_xray),
    "stl": FuzzedReader("stl/*", change_bytes, read_mesh),
    "stl_text": FuzzedReader("text_stl/*", change_text, read_mesh),
    "ply": FuzzedReader("ply/*", containers.headed(b"end_header\n"), read_mesh),
    "obj": FuzzedReader("obj/*", change_text, read_mesh),
    "pose_json": FuzzedReader("pose/*", change_json, read_pose),
    "cameras": FuzzedReader("cameras/*", change_text, calls.read_camera_file),
    "scene": FuzzedReader("scene/*.yaml", change_yaml, read_scene),
    "dataset_plan": FuzzedReader("dataset/*.yaml", change_yaml, calls.read_plan),
    "settings": FuzzedReader("settings/*", change_text, read_table),
    "tool_library": FuzzedReader("tools/*.yaml", change_yaml, calls.read_tools),
    "markups": FuzzedReader("markups/*", change_json, calls.read_markups),
    "points": FuzzedReader("points/*", change_json, lambda path: read_image_points(path, calls.CAMERA)),
    "points_table": FuzzedReader("points_table/*", change_text, calls.read_markups),
    "prompts": FuzzedReader("prompts/*", change_text, read_prompts),
    "studies": FuzzedReader("studies/*", change_text, lambda path: read_studies(path, check_files=False)),
    "annotations": FuzzedReader("annotations/*", change_json, read_annotations),
    "result": FuzzedReader("result/*", change_json, read_result),
    "implants": FuzzedReader("implants/*", change_json, read_implants),
    "fluoroseg": FuzzedReader("fluoroseg/*.json", change_json, calls.read_fluoroseg),
    "xray_list": FuzzedReader("xray_list/list.*", change_text, find_files),
    "label_folder": FuzzedReader("label_folder/masks/*", change_bytes, calls.read_mask_folder),
    "slicer_labels": FuzzedReader("slicer/a.seg.nrrd", containers.headed(b"\n\n"), calls.read_label_map),
    "nifti_pair": FuzzedReader("pair/a.*", change_bytes, calls.read_pair),
    "dicom_seg": FuzzedReader("seg/*.dcm", change_dicom, calls.read_segmentation),
    "itk_text": FuzzedReader("itk_tfm/*", change_text, calls.read_transform),
    "itk_hdf5": FuzzedReader("itk_h5/*", containers.change_hdf5, calls.read_transform),
    "itk_matlab": FuzzedReader("itk_mat/*", change_bytes, calls.read_transform),
    "shard": FuzzedReader("shards/train-000001.tar", _change_shard, calls.read_shard),
    "manifest": FuzzedReader("shards/manifest.json", change_json, calls.read_dataset),
    "weights": FuzzedReader("weights/*.safetensors", _change_weights, load_network),
    "checkpoint": FuzzedReader("checkpoint/*", containers.change_archive, load_network),
    "deepfluoro": FuzzedReader(
        "deepfluoro/*", containers.change_hdf5, lambda path: calls.read_subjects(DeepFluoroHDF5(path, crop=10))
    ),
    "ljubljana": FuzzedReader(
        "ljubljana/*", containers.change_hdf5, lambda path: calls.read_subjects(LjubljanaHDF5(path))
    ),
    "remixed_points": FuzzedReader(
        "remixed/subject01/fiducials.pt",
        containers.change_archive,
        lambda path: calls.read_subjects(Remixed(path.parents[1])),
    ),
    "remixed_pose": FuzzedReader(
        "remixed/subject01/xrays/000.pt",
        containers.change_archive,
        lambda path: calls.read_subjects(Remixed(path.parents[2])),
    ),
}
