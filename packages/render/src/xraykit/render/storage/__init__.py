"""Bytes on disk, with no idea of what is in them."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "atomic_write": "check_result_folder write_atomically",
        "decoded_text": "text_of",
        "dicom_header": "read_dicom reading_dicom",
        "dicom_sniff": "is_dicom",
        "folder_lock": "folder_parts hold_folder move_held_folder release_folder",
        "json_object": "finite_or_none parse_json parse_json_object read_json_object",
        "named_place": "from_home kind_at",
        "numpy_files": "open_npz read_npy",
        "output_folder": "check_unused held_folder make_folder",
        "provenance": "finding_sentences findings_record",
        "same_settings": "check_same_settings",
        "settings_file": "noted_folder read_settings read_table write_settings",
        "settings_leaves": "Leaf leaves",
        "settings_paths": "absolute_paths",
        "staged_folder": "atomic_folder",
        "typed_settings": "from_plain Range to_plain",
        "typed_values": "is_finite_number",
        "versions": "installed_version installed_versions",
    },
)
