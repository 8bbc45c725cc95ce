"""From settings to a running page: read the file of pairs and the X-rays, match them, serve."""

from __future__ import annotations

from xraykit.render import InputError
from xraykit.render.storage import check_result_folder

from ..data.xray_files import xray_files
from ..pictures.matched_files import open_matches, same_files
from ..predictor.matcher import Matcher, check_count
from .marked_sample import MarkedSample
from .pair_session import PairSession
from .server import PairServer
from .settings import PairAppSettings


def open_pair_page(settings: PairAppSettings, *, matcher: Matcher | None = None) -> PairServer:
    """The running page that the settings ask for.

    Args:
        settings: All there is to say.
        matcher: In place of the one that the settings name.

    Raises:
        FileError: An X-ray, the weights or the file of pairs cannot be read.
        InputError: One X-ray only, a file twice, settings that contradict the file of pairs, or a busy port.
        OutputError: The folder of the file of pairs cannot be written.
    """
    xrays = xray_files(settings.xrays)
    check_count(xrays)
    if repeated := same_files(xrays):
        raise InputError(f"pairs lie in different images, but {repeated[0]}; name another view.")
    check_result_folder(settings.annotations.absolute().parent)
    sample = MarkedSample(settings.annotations, xrays, settings.sample)
    ordered = [xrays[n] for n in sample.order]
    matches, warnings = open_matches(ordered, settings.matcher, settings.reading, matcher=matcher)
    notes = list(warnings)
    if list(sample.order) != sorted(sample.order):
        notes.append(f"the views are in the order of sample {sample.id}")
    if sample.is_new and sample.patient is None:
        notes.append("no --patient was given, so the X-rays count as those of a patient of their own")
    return PairServer(PairSession(matches, sample, notes), port=settings.page.port, outer=settings.page.outer)
