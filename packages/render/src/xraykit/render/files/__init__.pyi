# Made by tools/make_stubs.py from the table in __init__.py.
from .camera_files import (
    CameraFile as CameraFile,
    CameraNeeds as CameraNeeds,
    read_cameras as read_cameras,
)
from .coco import (
    coco_record as coco_record,
    write_coco as write_coco,
)
from .describe import describe_volume as describe_volume
from .dicom_seg import write_dicom_seg as write_dicom_seg
from .mesh_header import MESH_UNITS as MESH_UNITS
from .meshes import read_mesh as read_mesh
from .pose_json import (
    read_pose as read_pose,
    write_pose as write_pose,
)
from .volumes import VOLUME_SUFFIXES as VOLUME_SUFFIXES
from .write import write_volume as write_volume
