# Made by tools/make_stubs.py from the table in __init__.py.
from .atomic_write import (
    check_result_folder as check_result_folder,
    write_atomically as write_atomically,
)
from .decoded_text import text_of as text_of
from .dicom_header import (
    read_dicom as read_dicom,
    reading_dicom as reading_dicom,
)
from .dicom_sniff import is_dicom as is_dicom
from .folder_lock import (
    folder_parts as folder_parts,
    hold_folder as hold_folder,
    move_held_folder as move_held_folder,
    release_folder as release_folder,
)
from .json_object import (
    finite_or_none as finite_or_none,
    parse_json as parse_json,
    parse_json_object as parse_json_object,
    read_json_object as read_json_object,
)
from .named_place import (
    from_home as from_home,
    kind_at as kind_at,
)
from .numpy_files import (
    open_npz as open_npz,
    read_npy as read_npy,
)
from .output_folder import (
    check_unused as check_unused,
    held_folder as held_folder,
    make_folder as make_folder,
)
from .provenance import (
    finding_sentences as finding_sentences,
    findings_record as findings_record,
)
from .same_settings import check_same_settings as check_same_settings
from .settings_file import (
    noted_folder as noted_folder,
    read_settings as read_settings,
    read_table as read_table,
    write_settings as write_settings,
)
from .settings_leaves import (
    Leaf as Leaf,
    leaves as leaves,
)
from .settings_paths import absolute_paths as absolute_paths
from .staged_folder import atomic_folder as atomic_folder
from .typed_settings import (
    Range as Range,
    from_plain as from_plain,
    to_plain as to_plain,
)
from .typed_values import is_finite_number as is_finite_number
from .versions import (
    installed_version as installed_version,
    installed_versions as installed_versions,
)
