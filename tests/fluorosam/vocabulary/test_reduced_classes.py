"""The reduced classes are the published 57 by name, or 83 with sides."""

from xraykit.fluorosam.vocabulary import STRUCTURES, fluoroseg_labels, mirrored_name, pretraining_classes

# FluoroSeg's published merges by id; its ids of ribs are of an older table, but all of them are ribs.
MERGED = {
    "kidney": range(2, 4), "adrenal_gland": range(8, 10), "lung": range(10, 15), "vertebrae_L": range(26, 32),
    "vertebrae_T": range(32, 44), "vertebrae_C": range(44, 51), "subclavian_artery": range(55, 57),
    "common_carotid_artery": range(57, 59), "brachiocephalic_vein": range(59, 61), "humerus": range(69, 71),
    "scapula": range(71, 73), "clavicula": range(73, 75), "femur": range(75, 77), "pelvis": range(77, 79),
    "gluteus": range(80, 86), "autochthon": range(86, 88), "iliopsoas": range(88, 90), "ribs": range(92, 116),
}  # fmt: skip
DROPPED = (23, 24, 65, 66, 67, 68)


def test_classes_without_sides_are_the_published_57():
    labels = fluoroseg_labels()
    classes = {one.name: one.labels for one in pretraining_classes(sides=False)}
    assert len(classes) == 57
    for name, ids in MERGED.items():
        assert {labels[number] for number in ids} <= classes[name]
    single = set(labels) - {number for ids in MERGED.values() for number in ids} - set(DROPPED)
    assert {labels[number] for number in single} == set(classes) - set(MERGED)
    for number in DROPPED:
        assert not any(labels[number] in known for known in classes.values())


def test_no_label_is_in_two_classes_and_every_label_has_a_name():
    for sides in (True, False):
        labels = [label for one in pretraining_classes(sides=sides) for label in one.labels]
        assert len(labels) == len(set(labels))
        assert set(labels) <= {*STRUCTURES, "tool"}


def test_sides_part_26_pairs_and_lose_no_label_that_says_its_side():
    sided, plain = pretraining_classes(), pretraining_classes(sides=False)
    assert len(sided) == 57 + 26
    names = {one.name for one in sided}
    assert {mirrored_name(name) for name in names if name not in ("atrial_appendage_left",)} <= names
    known = {label for one in sided for label in (*one.labels, *one.unsure)}
    assert known == {label for one in plain for label in one.labels}


def test_mirror_image_of_a_class_has_the_mirrored_labels():
    classes = {one.name: one for one in pretraining_classes()}
    for name in ("femur", "ribs", "gluteus", "patella", "pelvis"):
        left, right = classes[f"{name}_left"], classes[f"{name}_right"]
        assert {mirrored_name(label) for label in left.labels} == right.labels
        assert left.unsure == right.unsure


def test_a_label_without_side_belongs_to_neither_side():
    patella = next(one for one in pretraining_classes() if one.name == "patella_left")
    assert patella.labels == {"patella_left"} and patella.unsure == {"patella"}


def test_order_stays_and_tools_are_last():
    assert pretraining_classes() is pretraining_classes()
    assert pretraining_classes()[0].name == "spleen" and pretraining_classes()[-1].name == "tool"
