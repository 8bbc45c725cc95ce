"""The same weights for images of another size: convolutions learn what is coarse sooner, and cheaply, on small ones."""

from __future__ import annotations

from dataclasses import replace

from xraykit.render import InputError

from .network import SegmentationNetwork


def resized_network(network: SegmentationNetwork, image_size: int) -> SegmentationNetwork:
    """A network with a copy of the weights of another one, for square images of another edge.

    The embedding's grid keeps its stride, so that a mask keeps its share of an image's pixels.

    Args:
        network: Left as it is. Its trunk must be of convolutions; a Swin's windows belong to one size.
        image_size: S, edge of the images [px]; a multiple of 32 of which the grid's stride is a divisor.

    Raises:
        InputError: Another trunk, or an edge that does not fit.
    """
    config = network.config
    if image_size == config.image_size:
        return network
    stride = config.image_size / config.grid
    if config.trunk.kind != "conv" or image_size % stride:
        raise InputError(
            f"--image-size must be a multiple of the stride {stride:g} for a trunk of convolutions, got {image_size} "
            f'for "{config.trunk.kind}"; leave it out.'
        )
    other = SegmentationNetwork(replace(config, image_size=image_size, grid=int(image_size / stride)))
    other.load_state_dict(network.state_dict())
    other.trained_on = network.trained_on
    return other
