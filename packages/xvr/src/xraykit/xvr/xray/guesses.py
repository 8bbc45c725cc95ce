"""What a registration that fails may come from: a picture whose bone is the other way, or that is mirrored."""

from __future__ import annotations

from xraykit.render import Radiograph
from xraykit.render.radiographs import Polarity, is_stored_mirrored

from .settings import XraySettings

BONE_BRIGHT = ("inverted_intensity", "log_attenuation", "line_integral")
OTHER_WAY: dict[Polarity, Polarity] = {
    "intensity": "inverted_intensity",
    "inverted_intensity": "intensity",
    "log_intensity": "log_attenuation",
    "log_attenuation": "log_intensity",
    "line_integral": "log_intensity",
}


def guesses_of(radiograph: Radiograph, settings: XraySettings, *, mirror_said_by: str | None = None) -> tuple[str, ...]:
    """A sentence on polarity and one on mirroring: who said it, and the option that says otherwise.

    What nobody said comes first, since it is likelier to be wrong than what tags or options say.

    Args:
        radiograph: As read.
        settings: How; `mirror` as it was decided by whoever `mirror_said_by` names.
        mirror_said_by: Who said so, where it was neither tags nor an option.
    """
    found = [_polarity(radiograph, settings), _mirror(radiograph, settings, mirror_said_by)]
    return tuple(sorted(filter(None, found), key=lambda sentence: not sentence.startswith("nobody")))


def _polarity(radiograph: Radiograph, settings: XraySettings) -> str:
    tone, other = ("bright", "dark") if radiograph.polarity in BONE_BRIGHT else ("dark", "bright")
    option, origin = f"--polarity {OTHER_WAY[radiograph.polarity]}", radiograph.provenance.get("polarity")
    if settings.polarity is None and "polarity" in radiograph.assumptions:
        return f"nobody said otherwise, so bone may be {other} in the picture, against what was assumed ({option})"
    if settings.polarity is None and (origin is None or radiograph.polarity == "line_integral"):
        return ""  # values in known units
    who = f"--polarity {settings.polarity}" if origin is None or settings.polarity is not None else origin.tag
    return f"{who} says that bone is {tone}; if it is {other} in the picture, give {option}"


def _mirror(radiograph: Radiograph, settings: XraySettings, who: str | None) -> str:
    stated = settings.mirror if settings.mirror is not None else is_stored_mirrored(radiograph)
    if stated is None:
        return "nobody said otherwise, so the picture may be mirrored left to right (--mirror)"
    yes, no = ("--mirror", "--no-mirror") if stated else ("--no-mirror", "--mirror")
    who = who or (yes if settings.mirror is not None else "the file")
    return (
        f"{who} says that the picture is {'' if stated else 'not '}mirrored left to right; if that is wrong, give {no}"
    )
