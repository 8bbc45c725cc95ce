"""Classifiers of studies on disk: weights never come without their config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xraykit.render import InputError
from xraykit.render.weights import WeightsKind, fill_module, load_weights, save_weights

from .classifier import StudyClassifier, new_classifier
from .classifier_config import StudyClassifierConfig
from .matcher_config import MatcherConfig
from .matcher_weights import incomplete

CLASSIFIER = WeightsKind("corr_classifier", "xraykit-corr", libraries=("xraykit-render", "torch", "timm"))
_NOTHING: Mapping[str, object] = {}


def save_classifier(
    classifier: StudyClassifier, folder: str | Path, *, trained_on: Mapping[str, Any] = _NOTHING, half: bool = False
) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be), see `save_weights`.

    Args:
        classifier: On any device.
        folder: Where to; the two files in it are replaced.
        trained_on: What it learned from, anything that JSON holds; empty is what the classifier says of itself.
        half: Store float16: half the size, three digits.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written.
        InputError: `trained_on` or the config's `preprocess` is no JSON.
    """
    return save_weights(
        folder,
        classifier.state_dict(),
        CLASSIFIER,
        config=asdict(classifier.config),
        trained_on=trained_on or classifier.trained_on,
        half=half,
    )


def load_classifier(source: str | Path) -> StudyClassifier:
    """A classifier in evaluation mode on the CPU, with its preprocessing in `config.matcher.preprocess`.

    Args:
        source: A folder of `save_classifier`, its .safetensors file, or a hub id `org/name[/file][@revision]`.

    Raises:
        FileError: Nothing there, not readable, other weights, or weights that do not fit their config.
    """
    saved = load_weights(source, CLASSIFIER)
    try:
        matcher = MatcherConfig(**saved.config["matcher"])
        classifier = new_classifier(StudyClassifierConfig(**{**saved.config, "matcher": matcher}))
    except (InputError, TypeError, KeyError) as error:
        raise incomplete(source, error) from error
    fill_module(classifier, saved.state, source=str(source), wanted="the weights of a classifier of its config")
    classifier.trained_on = dict(saved.trained_on)
    return classifier.eval()
