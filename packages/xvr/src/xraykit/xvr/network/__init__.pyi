# Made by tools/make_stubs.py from the table in __init__.py.
from .canonical import (
    canonical_camera as canonical_camera,
    canonical_image as canonical_image,
)
from .frame import NetworkFrame as NetworkFrame
from .pose_network import PoseNetwork as PoseNetwork
from .predict import (
    antipode as antipode,
    predict_poses as predict_poses,
)
from .preprocess import network_input as network_input
from .published import read_published as read_published
from .weights import (
    load_network as load_network,
    save_network as save_network,
)
