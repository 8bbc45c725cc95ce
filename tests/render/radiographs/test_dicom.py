"""DICOM X-rays: the values, their polarity and what decided it; damaged files end in one sentence."""

import errno
import zlib

import numpy as np
import pydicom
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)
from support.xray_dicom import CLASSES, GEOMETRY, nested, write_xray, xray_dataset
from xraykit.render import FileError, read_radiograph
from xraykit.render.radiographs import describe_radiograph, shutter_field

RAMP = np.arange(24, dtype=np.uint16).reshape(4, 6) * 100


def read(tmp_path, dataset, **options):
    return read_radiograph(write_xray(tmp_path / "x.dcm", dataset), **options)


def test_pixels_arrive_as_stored_in_float32(tmp_path):
    image = read(tmp_path, xray_dataset(RAMP))
    assert image.pixels.dtype == torch.float32
    np.testing.assert_array_equal(image.pixels[0].numpy(), RAMP)
    assert image.modality == "XA"
    assert image.source == tmp_path / "x.dcm"


def test_frames_come_with_their_times_in_seconds(tmp_path):
    frames = np.stack([RAMP, RAMP + 1, RAMP + 2])
    image = read(tmp_path, xray_dataset(frames, FrameTime="40"))
    assert image.pixels.shape == (3, 4, 6)
    assert image.frame_times == (0.0, 0.04, 0.08)
    vector = read(tmp_path, xray_dataset(frames, FrameTimeVector=["0", "10", "30"]))
    assert vector.frame_times == pytest.approx((0.0, 0.01, 0.04))


def test_rescale_is_applied_and_window_is_not(tmp_path):
    tags = {"RescaleSlope": "0.5", "RescaleIntercept": "-3", "WindowCenter": "5", "WindowWidth": "2"}
    image = read(tmp_path, xray_dataset(RAMP, **tags))
    np.testing.assert_allclose(image.pixels[0].numpy(), RAMP * 0.5 - 3)
    assert "VOI not applied" in image.provenance["window"].note


def test_twelve_of_sixteen_bits_and_signed_pixels_are_read(tmp_path):
    twelve = read(tmp_path, xray_dataset(RAMP, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(twelve.pixels[0].numpy(), RAMP)
    signed = read(tmp_path, xray_dataset(RAMP.astype(np.int16) - 1000))
    np.testing.assert_array_equal(signed.pixels[0].numpy(), RAMP.astype(float) - 1000)


def modality_lut():
    item = Dataset()
    item.LUTDescriptor = [4, 0, 16]
    item["LUTDescriptor"].VR = "US"
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "US", [10, 20, 40, 80])
    return Sequence([item])


def test_modality_lut_makes_a_logarithmic_image_an_intensity(tmp_path):
    tags = {"ModalityLUTSequence": modality_lut(), "PixelIntensityRelationship": "LOG"}
    image = read(tmp_path, xray_dataset(np.array([[0, 1], [2, 3]], np.uint16), **tags))
    np.testing.assert_array_equal(image.pixels[0].numpy(), [[10, 20], [40, 80]])
    assert image.polarity == "intensity"


# (modality, relationship, sign, photometric, slope) -> (polarity, is it an assumption)
POLARITY = [
    ("DX", "LIN", 1, "MONOCHROME2", None, "intensity", False),
    ("DX", "LIN", 1, "MONOCHROME1", None, "intensity", False),
    ("DX", "LIN", -1, "MONOCHROME2", None, "inverted_intensity", False),
    ("DX", "LOG", -1, "MONOCHROME2", None, "log_attenuation", False),
    ("DX", "LOG", 1, "MONOCHROME1", None, "log_intensity", False),
    ("DX", "LIN", -1, "MONOCHROME2", "-1", "intensity", False),
    ("DX", "LIN", None, "MONOCHROME2", None, "inverted_intensity", True),
    ("DX", "LIN", None, "MONOCHROME1", None, "intensity", True),
    ("DX", None, None, "MONOCHROME2", None, "log_attenuation", True),
    ("CR", None, None, "MONOCHROME1", None, "log_intensity", True),
    ("XA", "LIN", None, "MONOCHROME2", None, "intensity", False),
    ("XA", "LIN", None, "MONOCHROME2", "-2", "inverted_intensity", False),
    ("XA", "DISP", None, "MONOCHROME2", None, "intensity", True),
    ("XA", "DISP", -1, "MONOCHROME2", None, "inverted_intensity", True),
    ("RF", None, None, "MONOCHROME2", None, "intensity", True),
    ("RF", None, None, "MONOCHROME1", None, "inverted_intensity", True),
    ("XA", "LOG", 1, "MONOCHROME2", None, "log_intensity", False),
]


@pytest.mark.parametrize(("modality", "relation", "sign", "photometric", "slope", "polarity", "assumed"), POLARITY)
def test_tags_decide_the_polarity_or_the_default_is_recorded(
    tmp_path, modality, relation, sign, photometric, slope, polarity, assumed
):
    tags = {"PixelIntensityRelationship": relation, "PixelIntensityRelationshipSign": sign, "RescaleSlope": slope}
    if slope is not None:
        tags["RescaleIntercept"] = "0"
    present = {name: value for name, value in tags.items() if value is not None}
    dataset = xray_dataset(RAMP, modality=modality, PhotometricInterpretation=photometric, **present)
    image = read(tmp_path, dataset)
    assert image.polarity == polarity
    assert image.provenance["polarity"].is_assumed == assumed


def test_caller_overrules_the_polarity_and_the_record_says_so(tmp_path):
    image = read(tmp_path, xray_dataset(RAMP), polarity="log_attenuation")
    assert image.polarity == "log_attenuation"
    assert image.provenance["polarity"].tag == "caller"


def test_inverted_linear_image_has_zero_intensity_at_the_top_of_its_stored_bits(tmp_path):
    tags = {"PixelIntensityRelationship": "LIN", "PixelIntensityRelationshipSign": -1, "BitsStored": 12, "HighBit": 11}
    image = read(tmp_path, xray_dataset(RAMP, modality="DX", **tags))
    assert image.full_scale == 4095
    np.testing.assert_array_equal(image.to_intensity().pixels[0].numpy(), 4095.0 - RAMP)
    assert image.to_intensity().full_scale is None


def enhanced():
    """An Enhanced XA image, with its geometry and meaning in the functional groups."""
    shared, properties, distance = Dataset(), Dataset(), Dataset()
    properties.PixelIntensityRelationship = "LIN"
    properties.PixelIntensityRelationshipSign = -1
    properties.ImagerPixelSpacing = ["0.3", "0.25"]
    distance.DistanceSourceToDetector = 1200.0
    distance.DistanceSourceToIsocenter = 750.0
    shared.FramePixelDataPropertiesSequence = Sequence([properties])
    shared.XRayGeometrySequence = Sequence([distance])
    dataset = xray_dataset(np.stack([RAMP, RAMP]))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.12.1.1"
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    return dataset


def test_enhanced_xa_is_read_from_its_functional_groups(tmp_path):
    image = read(tmp_path, enhanced())
    assert image.polarity == "inverted_intensity"
    assert (image.camera.sdd, image.camera.pixel_spacing) == (1200.0, (0.3, 0.25))
    assert "XRayGeometrySequence, shared" in image.provenance["sdd"].tag
    assert image.provenance["sod"].value == 750.0


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_and_deflated_files_are_read(tmp_path, syntax):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(RAMP), syntax=syntax)
    np.testing.assert_array_equal(read_radiograph(path).pixels[0].numpy(), RAMP)


def test_rle_is_read(tmp_path):
    dataset = xray_dataset(RAMP)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.compress(RLELossless, generate_instance_uid=False)
    path = write_xray(tmp_path / "x.dcm", dataset, syntax=RLELossless)
    np.testing.assert_array_equal(read_radiograph(path).pixels[0].numpy(), RAMP)


def test_baseline_jpeg_is_read_through_pillow(tmp_path):
    import io

    from PIL import Image

    flat = np.full((16, 16), 90, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(flat).save(buffer, format="JPEG", quality=95)
    dataset = xray_dataset(flat, PixelData=encapsulate([buffer.getvalue()]))
    dataset["PixelData"].is_undefined_length = True
    path = write_xray(tmp_path / "x.dcm", dataset, syntax=JPEGBaseline8Bit)
    assert float((read_radiograph(path).pixels - 90).abs().max()) <= 2


def test_pixels_that_no_decoder_takes_are_refused(tmp_path):
    dataset = xray_dataset(RAMP, PixelData=encapsulate([b"\xff\xd8\xff\xd9"]))
    dataset["PixelData"].is_undefined_length = True
    path = write_xray(tmp_path / "x.dcm", dataset, syntax=JPEGLosslessSV1)
    with pytest.raises(FileError, match=r"unpacking JPEG Lossless.* failed \(.*\); get it again or convert it"):
        read_radiograph(path)


def short(dataset):
    dataset.PixelData = dataset.PixelData[:10]


def coloured(dataset):
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    grey = np.frombuffer(dataset.PixelData, np.uint16)
    dataset.PixelData = np.stack([grey, grey, 60_000 - grey], axis=-1).tobytes()


def grey_in_three(dataset):
    coloured(dataset)
    rgb = np.frombuffer(dataset.PixelData, np.uint16).reshape(-1, 3)
    dataset.PixelData = np.repeat(rgb[:, :1], 3, axis=1).tobytes()


def painted(dataset):
    coloured(dataset)
    dataset.PhotometricInterpretation = "YBR_FULL"


def floating(dataset):
    del dataset.PixelData
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = np.full(24, np.nan, np.float32).tobytes()


def tomography(dataset):
    dataset.Modality, dataset.SOPClassUID = "CT", CLASSES["CT"]


BAD = {
    "short pixel data": (short, "must hold 48 bytes of pixels as its tags declare, its PixelData has 10; it is cut"),
    "colour": (coloured, r"must be grey, got colours .*; --colour luma .* takes its brightness"),
    "video": (painted, r"must be a grey image \(MONOCHROME1 or 2\), got YBR_FULL; --colour luma"),
    "no pixels": (lambda d: delattr(d, "PixelData"), "must hold pixels, it has no PixelData"),
    "zero rows": (lambda d: setattr(d, "Rows", 0), "it declares 0 rows, 6 columns, 1 frames"),
    "no columns": (lambda d: delattr(d, "Columns"), "it declares 4 rows, 0 columns"),
    "billions of frames": (lambda d: setattr(d, "NumberOfFrames", 2147483647), "must hold at most 1048576 frames"),
    "no frame": (lambda d: setattr(d, "NumberOfFrames", 0), "6 columns, 0 frames"),
    "computed tomography": (
        tomography,
        "must be an X-ray image .*got modality CT .*a command that reads a CT takes it",
    ),
    "nested": (lambda d: setattr(d, "RequestAttributesSequence", nested(200)), "nests DICOM sequences deeper than 32"),
    "nested a little": (
        lambda d: setattr(d, "RequestAttributesSequence", nested(40)),
        "nests DICOM sequences deeper than 32",
    ),
    "NaN": (floating, "must hold finite pixels, got NaN"),
}


def test_grey_stored_in_three_colours_is_grey(tmp_path):
    """As captures of X-rays are; what was done is said."""
    dataset = xray_dataset(RAMP)
    grey_in_three(dataset)
    image = read_radiograph(write_xray(tmp_path / "x.dcm", dataset))
    np.testing.assert_array_equal(image.pixels[0].numpy(), RAMP)
    assert image.provenance["colour"].value == "luma"
    assert image.provenance["colour"].tag == "pixel values"


@pytest.mark.parametrize("case", BAD)
def test_unusable_dicom_is_one_sentence(tmp_path, case):
    spoil, message = BAD[case]
    dataset = xray_dataset(RAMP)
    spoil(dataset)
    with pytest.raises(FileError, match=message):
        read(tmp_path, dataset)


def test_declared_gigabytes_in_a_few_compressed_bytes_are_refused(tmp_path):
    dataset = xray_dataset(RAMP, Rows=60000, Columns=60000, PixelData=encapsulate([b"\0" * 80]))
    dataset["PixelData"].is_undefined_length = True
    path = write_xray(tmp_path / "x.dcm", dataset, syntax=RLELossless)
    with pytest.raises(FileError, match=r"declares 7200000000 bytes of pixels in .* compressed bytes"):
        read_radiograph(path)


def test_deflate_bomb_is_refused_before_it_inflates(tmp_path):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(RAMP), syntax=DeflatedExplicitVRLittleEndian)
    whole = path.read_bytes()
    meta = pydicom.filereader.read_file_meta_info(path)
    start = 128 + 4 + 12 + meta.FileMetaInformationGroupLength
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    path.write_bytes(whole[:start] + packer.compress(b"\0" * 30_000_000) + packer.flush())
    with pytest.raises(FileError, match="inflate to at most 200 times its size"):
        read_radiograph(path)


def test_missing_empty_garbage_and_folder_are_one_sentence(tmp_path):
    with pytest.raises(FileError, match=r"none\.dcm does not exist; check the path"):
        read_radiograph(tmp_path / "none.dcm")
    with pytest.raises(FileError, match="must be one X-ray file, got a folder"):
        read_radiograph(tmp_path)
    path = tmp_path / "x.dcm"
    path.write_bytes(b"")
    with pytest.raises(FileError, match="got an empty file"):
        read_radiograph(path)
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(FileError, match="got a file of another kind"):
        read_radiograph(path)
    path.write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 64)
    with pytest.raises(FileError, match=r"x\.dcm"):
        read_radiograph(path)


@pytest.mark.parametrize("step", ["read.is_dicom", "dicom.read_dicom_radiograph"])
def test_a_share_that_goes_away_while_a_file_is_read_is_one_sentence(tmp_path, monkeypatch, step):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(RAMP))

    def gone(*_, **__):
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(f"xraykit.render.radiographs.{step}", gone)
    with pytest.raises(FileError, match=r"x\.dcm cannot be read \(Stale file handle\)"):
        read_radiograph(path)


def test_modality_follows_from_the_class_when_its_tag_is_absent(tmp_path):
    image = read(tmp_path, xray_dataset(RAMP, modality="DX", Modality=None))
    assert image.modality == "DX"
    assert image.provenance["modality"].tag == "SOPClassUID (0008,0016)"


def test_value_whose_bytes_are_not_its_type_is_no_traceback(tmp_path):
    path = write_xray(tmp_path / "x.dcm", xray_dataset(RAMP, **GEOMETRY))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"\x28\x00\x10\x00US\x02\x00\x04\x00", b"\x28\x00\x10\x00FL\x02\x00\x04\x00"))
    with pytest.raises(FileError, match=r"x\.dcm must hold (readable|pixels)"):
        read_radiograph(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(132, 1100), st.integers(0, 255)), min_size=1, max_size=5),
    kept=st.one_of(st.just(1.0), st.floats(0.2, 1.0)),
    group=st.booleans(),
)
def test_damaged_file_gives_an_image_or_a_one_line_file_error(tmp_path, changes, kept, group):
    dataset = enhanced() if group else xray_dataset(RAMP, **GEOMETRY, RescaleSlope="2", RescaleIntercept="1")
    path = write_xray(tmp_path / "x.dcm", dataset)
    whole = bytearray(path.read_bytes())
    for place, byte in changes:
        whole[min(place, len(whole) - 1)] = byte
    path.write_bytes(whole[: max(132, int(kept * len(whole)))])
    try:
        image = read_radiograph(path)
        describe_radiograph(image)
        shutter_field(path, height=image.height, width=image.width)
    except FileError as error:
        message = str(error)
    else:
        message = "an image"
    assert message
    assert "\n" not in message
