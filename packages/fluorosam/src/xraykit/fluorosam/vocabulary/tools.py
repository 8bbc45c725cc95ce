"""Kinds of instruments and implants, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .words import Word, parse_words


@dataclass(frozen=True)
class ToolTerm:
    """A kind of tool.

    Args:
        name: Such as "k_wire"; those of `xraykit.render.meshes.INSTRUMENTS` are among them.
        words: What it is called.
        descriptions: What it looks like.
    """

    name: str
    words: tuple[Word, ...]
    descriptions: tuple[Word, ...]


_ROWS: tuple[tuple[str, str, str], ...] = (
    ("pedicle_screw", "pedicle screw; spinal screw; polyaxial pedicle screw; "
        "screw in the pedicle/screws in the pedicles; *transpedicular screw",
        "threaded screw with a U-shaped head; spinal screw with a tulip head; "
        "*screw whose head holds a rod/screws whose heads hold a rod"),
    ("cannulated_screw", "cannulated screw; lag screw; hollow screw; *cannulated lag screw",
        "hollow screw with threads near the tip; partially threaded screw; *screw with a hole along its axis"),
    ("k_wire", "K-wire; Kirschner wire; surgical wire; *Kirschner pin",
        "long thin metal wire; thin straight metal wire; *thin pointed steel wire"),
    ("drill_bit", "drill bit; drill; twist drill; *bone drill",
        "fluted metal drill; spiral drill; *rod with spiral flutes"),
    ("needle", "needle; puncture needle; *hollow needle",
        "thin needle with a hub; fine metal needle; *slender hollow tube with a bevelled tip"),
    ("plate", "plate; bone plate; fixation plate; metal plate; *osteosynthesis plate",
        "flat metal plate with screw holes; long plate with a row of holes; *perforated metal strip"),
    ("hip_stem", "hip stem; femoral stem; hip prosthesis/hip prostheses; hip implant; *hip replacement",
        "metal stem with a ball head; stem in the femoral canal; *ball on a tapered metal stem"),
    ("clamp", "clamp; surgical clamp; hemostat; haemostatic clamp; *artery forceps/=",
        "scissor-like clamp; clamp with finger rings; *instrument with two finger rings"),
    ("rod", "rod; spinal rod; fixation rod; *connecting rod",
        "long thin metal rod; smooth metal rod; *metal bar along the spine"),
    ("nail", "intramedullary nail; nail; femoral nail; *medullary nail",
        "long nail in the bone canal; *metal rod within the bone"),
    ("femoral_component", "femoral component; femoral component of the knee replacement; *condylar component",
        "curved metal cap on the end of the femur; *metal shell over the condyles"),
    ("tibial_component", "tibial component; tibial tray; tibial component of the knee replacement; "
        "*tibial baseplate", "metal tray on top of the tibia; *metal platform with a keel"),
    ("scalpel", "scalpel; surgical knife/surgical knives; *surgical blade",
        "small knife with a handle; *slim cutting blade"),
    ("cautery", "electrocautery; cautery pencil; *diathermy pencil", "pen-shaped electrode; *pencil with a metal tip"),
)  # fmt: skip

TOOLS: Mapping[str, ToolTerm] = MappingProxyType(
    {name: ToolTerm(name, parse_words(words), parse_words(looks)) for name, words, looks in _ROWS}
)
"""Kinds by name."""
