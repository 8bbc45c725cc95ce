"""What a radiographic view is, as data: where it looks, from which side, in whose frame, on how large a field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

FrameName = Literal[
    "patient", "head", "scapula", "arm", "elbow", "forearm", "wrist", "hand", "thigh", "knee", "leg", "ankle", "foot"
]
Axis = Literal["+x", "+y", "+z", "-z"]
ViewSide = Literal["left", "right", ""]
Offset = tuple[float, float, float]


@dataclass(frozen=True)
class ViewTarget:
    """The point that the central ray passes through, found from labels.

    A part is a label name, a group of `GROUPS` or a pattern, or several of them joined by "|": all that match count
    as one body. In a view of one side, {side} stands for left or right.

    Args:
        kind: "centre" is the middle of the box around the parts; "joint" is where parts[0] and parts[1] meet.
        parts: See above; all must be there.
        landmark: A landmark that replaces the point, where the caller gives it.
        offset: From there [mm], in the view's frame, for the right side; x mirrors for the left.
        needs: More parts without which the view makes no sense.
        whole: Parts that the border of the volume must not cut; None is `parts` of a centre, nothing of a joint.
    """

    kind: Literal["centre", "joint"]
    parts: tuple[str, ...]
    landmark: str = ""
    offset: Offset = (0.0, 0.0, 0.0)
    needs: tuple[str, ...] = ()
    whole: tuple[str, ...] | None = None

    @property
    def uncut(self) -> tuple[str, ...]:
        """The parts that the border of the volume must not cut."""
        return (self.parts if self.kind == "centre" else ()) if self.whole is None else self.whole

    def on(self, side: ViewSide) -> ViewTarget:
        """The same target with {side} filled in."""

        def filled(parts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(part.replace("{side}", side) for part in parts)

        x, y, z = self.offset
        return replace(
            self,
            parts=filled(self.parts),
            landmark=self.landmark.replace("{side}", side),
            offset=(-x if side == "left" else x, y, z),
            needs=filled(self.needs),
            whole=None if self.whole is None else filled(self.whole),
        )


@dataclass(frozen=True)
class StandardView:
    r"""A standard radiographic view.

    Seen from the target the source stands in the direction

        s = (sin a cos b, cos a cos b, -sin b)

    of a frame with x to the right, y to the front, z upwards (to the head, or from the far to the near end of a limb):
    a = 0 is AP, 180 PA, +90 has the source at the right; b > 0 is a cephalad beam (source below), b < 0 a caudad one.

    Args:
        name: Such as "knee_ap_left".
        title: What radiographers call it.
        region: Part of the body, one of the regions of procedural patients.
        target: Where the central ray passes.
        a: See above [degrees].
        b: See above [degrees], -90 to 90.
        frame: "patient" (the world), "head", or that of a limb; see `view_frames.py`.
        up: The axis of the frame that points up in the image.
        sid: Source to image receptor [mm], the camera's sdd.
        field: Image receptor (width, height) [mm].
        side: The side of the anatomy, or in views of the midline the side of the patient nearer the detector.
        mirrored_display: As `View.mirrored_display`: pictures for the eye are flipped, arrays never.
        pose_limited: The view needs a limb flexed or raised, which a CT cannot do; the picture is then only similar.
    """

    name: str
    title: str
    region: str
    target: ViewTarget
    a: float
    b: float = 0.0
    frame: FrameName = "patient"
    up: Axis = "+z"
    sid: float = 1000.0
    field: tuple[float, float] = (240.0, 300.0)
    side: ViewSide = ""
    mirrored_display: bool = False
    pose_limited: bool = False

    @property
    def lao_rao(self) -> float:
        """C-arm angle in the view's frame [degrees], -180 (excluded) to 180: the detector stands opposite the source.

        The detector's direction is -s = (-sin a cos b, -cos a cos b, sin b), and that of `carm_pose` is
        (-sin l cos c, cos l cos c, sin c): so l = 180 - a.
        """
        return 180.0 - self.a % 360.0

    @property
    def cra_cau(self) -> float:
        """C-arm angle in the view's frame [degrees]: c = b; a cephalad beam has its detector towards the head."""
        return self.b


def sided(view: StandardView) -> tuple[StandardView, StandardView]:
    """The view on the right, as given, and on the left: a and the target's offset mirror, {side} is filled in."""

    def on(side: ViewSide) -> StandardView:
        sign = 1.0 if side == "right" else -1.0
        name, title = f"{view.name}_{side}", f"{view.title}, {side}"
        return replace(view, name=name, title=title, a=sign * view.a, target=view.target.on(side), side=side)

    return on("right"), on("left")
