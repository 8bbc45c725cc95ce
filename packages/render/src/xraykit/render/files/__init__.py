"""Readers and writers: every file is hostile until checked."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "camera_files": "CameraFile CameraNeeds read_cameras",
        "coco": "coco_record write_coco",
        "describe": "describe_volume",
        "dicom_seg": "write_dicom_seg",
        "mesh_header": "MESH_UNITS",
        "meshes": "read_mesh",
        "pose_json": "read_pose write_pose",
        "volumes": "VOLUME_SUFFIXES",
        "write": "write_volume",
    },
)
