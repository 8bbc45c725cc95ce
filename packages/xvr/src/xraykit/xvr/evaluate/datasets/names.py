"""What the published data sets are called; no torch, so that commands can offer them."""

from typing import Literal, get_args

DatasetName = Literal["deepfluoro", "ljubljana", "femur"]
DATASET_NAMES: tuple[DatasetName, ...] = get_args(DatasetName)
