"""What the page works on: X-rays, the masks asked for in each, and where they are saved; without a browser."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from xraykit.render import InputError, XraykitError

from ..outputs.listed_xrays import ListedXray
from ..predictor.fluoro_sam import FluoroSam
from ..predictor.prompt import Prompt
from ..predictor.settings import XrayFileSettings
from ..predictor.xray_input import OpenedXray
from ..vocabulary.text_check import check_text
from .annotation_files import TABLE, AnnotationFiles
from .collimation import CollimationBox, collimation_box
from .marked_mask import XY, BoxXY, MarkedMask, checked_name
from .mask_history import MaskHistory, MaskState
from .page_image import PageImage, open_page_image

MOST_MASKS = 100  # of one X-ray
MEMORY = 4  # X-rays that stay open


class MaskSession:
    """Masks that are asked for, corrected, accepted, taken back and saved. Safe to use from several threads.

    A mask may be chosen; points and boxes go to it, and begin another where none is. Each X-ray is encoded when it is
    opened, once while it is among the last four, and keeps its masks and their history however often it is left.

    Args:
        sam: What answers.
        files: X-rays, or what `list_xrays` lists.
        folder: Where annotations go.
        reading: How files are read.
        notes: What was assumed, for the page.
        tell: Called with each X-ray's file and what was read when it is opened.

    Raises:
        FileError: annotations.json in the folder is no COCO table.
    """

    def __init__(
        self,
        sam: FluoroSam,
        files: Sequence[Path | ListedXray],
        folder: Path,
        *,
        reading: XrayFileSettings | None = None,
        notes: Sequence[str] = (),
        tell: Callable[[Path, OpenedXray], None] | None = None,
    ) -> None:
        listed = [one if isinstance(one, ListedXray) else ListedXray(one, one.stem, False) for one in files]
        self.sam, self.notes, self.tell = sam, tuple(notes), tell
        self.files = tuple(one.path for one in listed)
        self.annotations = AnnotationFiles(folder, listed)
        self.kept = self.annotations.kept()
        self.reading = reading or XrayFileSettings()
        self.number = 0
        self.faults: dict[int, str] = {}
        self.image: PageImage | None = None
        self.histories: dict[int, MaskHistory] = {n: MaskHistory() for n in range(len(self.files))}
        self._open: OrderedDict[int, PageImage] = OrderedDict()
        self._stamp = 0
        self._lock = threading.RLock()

    @property
    def history(self) -> MaskHistory:
        """Of the X-ray that is open."""
        return self.histories[self.number]

    @property
    def all_notes(self) -> tuple[str, ...]:
        """What was assumed of the X-ray that is open, and what is to be known before it is saved."""
        earlier = self.number in self.kept and not self.history.was_saved
        warning = f"{TABLE} has masks of this X-ray from before; saving puts these in their place"
        return (*self.notes, *(() if self.image is None else self.image.notes), *((warning,) if earlier else ()))

    def open(self, number: int) -> None:
        """Go to an X-ray. One that cannot be read leaves a sentence in `faults`, and nothing to ask.

        Raises:
            InputError: No such X-ray.
        """
        if not 0 <= number < len(self.files):
            raise InputError(f"the X-ray must be 1 to {len(self.files)}, got {number + 1}.")
        with self._lock:
            self.number, self.image = number, self._open.get(number)
            if self.image is None:
                self.faults.pop(number, None)
                try:
                    self.image = open_page_image(self.sam, self.files[number], self.reading)
                except XraykitError as error:
                    self.faults[number] = str(error)
                    return
                self._open[number] = self.image
                if self.tell is not None:
                    self.tell(self.files[number], self.image.embedded.xray)
            self._open.move_to_end(number)
            while len(self._open) > MEMORY:
                self._open.popitem(last=False)

    def ask(self, texts: Sequence[str]) -> str:
        """Find what texts ask for, each as a mask of its own; the last is chosen. All or none.

        Returns:
            A sentence about words that were passed over, else nothing.

        Raises:
            InputError: No text, one that is no prompt or unknown, too many masks, or no X-ray.
        """
        clean = [check_text(text) for text in texts]
        if not clean:
            raise InputError("words must say what to find, got none.")
        with self._lock:
            image, now = self._opened(), self.history.now
            self._check_room(len(clean))
            answers = self.sam.predict_many([Prompt(text) for text in clean], image=image.embedded)
            made = []
            for text, answer in zip(clean, answers, strict=True):
                mask = MarkedMask(self.history.free_number(), text, text)
                made.append(mask.answered(answer, stamp=self._new_stamp()))
            self.history.change(now.put(*made))
        return " ".join(note for text in clean if (note := self.sam.note_on(text)))

    def point(self, point: XY, *, inside: bool) -> None:
        """Say of a point that it is inside what is meant, or outside.

        Raises:
            InputError: A point outside the X-ray, or no X-ray.
        """
        with self._lock:
            self._correct(self._chosen_or_new().with_point(point, inside=inside))

    def draw_box(self, box: BoxXY) -> None:
        """Say where what is meant lies: left, top, right, bottom.

        Raises:
            InputError: A box that is empty or reaches outside the X-ray, or no X-ray.
        """
        with self._lock:
            self._correct(self._chosen_or_new().with_box(box))

    def choose(self, number: int | None) -> None:
        """Say which mask points go to; None: the next begins another. InputError if there is no such mask."""
        with self._lock:
            self.history.choose(number)

    def take_candidate(self, number: int) -> None:
        """Take another candidate of the chosen mask, from 0. InputError if there is none."""
        with self._lock:
            now = self.history.now
            changed = now.find(now.chosen).with_candidate(number, stamp=self._new_stamp())
            self.history.change(now.put(changed))

    def accept(self, number: int, *, accepted: bool) -> None:
        """Say that a mask is right, or not. An accepted one is chosen no more. InputError if it shows nothing."""
        with self._lock:
            now = self.history.now
            changed = now.put(now.find(number).accepted(accepted))
            self.history.change(MaskState(changed.masks, None if accepted else number))

    def rename(self, number: int, name: str) -> None:
        """Call a mask something else. InputError if there is no such mask, or the name is none."""
        with self._lock:
            now = self.history.now
            if checked_name(name) != now.find(number).name:
                self.history.change(now.put(now.find(number).renamed(name)))

    def delete(self, number: int) -> None:
        """Take a mask away. InputError if there is none."""
        with self._lock:
            self.history.now.find(number)
            self.history.change(self.history.now.without(number))

    def undo(self) -> None:
        """Take the last change of this X-ray's masks back; nothing where there is none."""
        with self._lock:
            self.history.undo()

    def redo(self) -> None:
        """Make it again; nothing where there is none."""
        with self._lock:
            self.history.redo()

    def collimation(self, number: int, margin: float) -> CollimationBox:
        """The box about a mask, see `collimation_box`. InputError if there is no such mask, or nothing in it."""
        with self._lock:
            image, answer = self._opened(), self.history.now.find(number).answer
            if answer is None or not answer.visible:
                raise InputError("a collimation box must have a structure in it, got an empty mask; choose another.")
            return collimation_box(answer.logits > 0, margin, spacing=image.spacing)

    def save_collimation(self, number: int, margin: float) -> Path:
        """Write the box as NAME_collimation.json. Raises as `collimation`; OutputError if it cannot be written."""
        with self._lock:
            image, mask = self._opened(), self.history.now.find(number)
            box = self.collimation(number, margin)
            height, width = image.size
            facts = {"xray": image.embedded.xray.name, "frame": image.embedded.xray.frame, "size_px": [height, width]}
            table = {**facts, "structure": mask.name, "target": mask.target, **box.as_table(image.size)}
            return self.annotations.save_box(self.number, image.embedded.xray, table)

    def save(self) -> str:
        """Write the accepted masks of the X-ray that is open, in place of what was saved of it.

        Returns:
            A sentence where no DICOM segmentation could be made of a DICOM file, else nothing.

        Raises:
            InputError: None is accepted. FileError, OutputError: Files cannot be read or written.
        """
        with self._lock:
            image, history = self._opened(), self.history
            masks = [mask for mask in history.now.masks if mask.is_accepted]
            if not masks and not history.was_saved:
                raise InputError("a mask must be accepted before it is saved, got none; look at one and press A.")
            lack = self.annotations.save_masks(self.number, image.embedded.xray, masks, is_dicom=image.is_dicom)
            history.mark_saved()
            self.kept.add(self.number)
            return lack

    def _correct(self, asked: MarkedMask) -> None:
        image = self._opened()
        answer = self.sam.predict_many([asked.prompt], image=image.embedded)[0]
        if asked.number > self.history.last_number:
            self.history.free_number()
        self.history.change(self.history.now.put(asked.answered(answer, stamp=self._new_stamp())))

    def _chosen_or_new(self) -> MarkedMask:
        now = self.history.now
        if now.chosen is not None:
            return now.find(now.chosen)
        self._check_room(1)
        number = self.history.last_number + 1
        return MarkedMask(number, f"structure {number}")

    def _check_room(self, more: int) -> None:
        if len(self.history.now.masks) + more > MOST_MASKS:
            raise InputError(f"an X-ray can have {MOST_MASKS} masks here, got {more} more; delete some first.")

    def _new_stamp(self) -> int:
        self._stamp += 1
        return self._stamp

    def _opened(self) -> PageImage:
        if self.image is None:
            raise InputError("an X-ray must be open for this, got one that cannot be read; go to another.")
        return self.image
