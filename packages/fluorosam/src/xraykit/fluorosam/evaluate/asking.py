"""All questions about one image put to one method: words, boxes, and chains of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from xraykit.render import InputError

from .cases import SegmentationCase
from .error_points import ErrorPoint, error_point, question_stream, tight_box
from .mask_rows import MaskRow, score_answer
from .methods import EvaluatedMethod, MaskAnswer, MaskQuestion
from .questions import AskedTarget
from .settings import AskKind, AskSettings

_REPORTED_POINTS = (2, 8)


def ask_method(
    method: EvaluatedMethod,
    case: SegmentationCase,
    shown: Sequence[AskedTarget],
    absent: Sequence[AskedTarget],
    settings: AskSettings,
) -> list[MaskRow]:
    """The rows of one image: every target asked for in every way that the method understands.

    A chain of points begins with nothing, or with words; each point then comes from the error region of the answer
    before it, which the method may look at. Points depend on the seed, the image, the target and the answers.

    Args:
        method: What is asked.
        case: The image.
        shown: Targets that it shows.
        absent: Targets that it does not.
        settings: Kinds of questions and the number of points.
    """
    kinds = [kind for kind in settings.kinds if kind in method.kinds]
    if not kinds or not (shown or absent):
        return []
    method.look(case)
    asker = _Asker(method, case, settings)
    rows: list[MaskRow] = []
    if "text" in kinds:
        rows += asker.by_words(shown, "text")
    if "text_held_out" in kinds:
        rows += asker.by_words(shown, "text_held_out")
    if "absent" in kinds:
        rows += asker.by_words(absent, "absent")
    if "box" in kinds:
        rows += asker.by_boxes(shown)
    for kind in ("points", "text_points"):
        if kind in kinds:
            rows += asker.by_points(shown, kind)
    return rows


@dataclass
class _Chain:
    """A question that grows by a point at a time."""

    asked: AskedTarget
    text: str | None
    answer: MaskAnswer | None
    points: list[ErrorPoint] = field(default_factory=list)

    def question(self) -> MaskQuestion:
        return MaskQuestion(
            self.asked.target,
            text=self.text,
            points=torch.tensor([point[:2] for point in self.points]),
            labels=torch.tensor([point.label for point in self.points]),
            before=self.answer,
        )


@dataclass(frozen=True)
class _Asker:
    method: EvaluatedMethod
    case: SegmentationCase
    settings: AskSettings

    def by_words(self, targets: Sequence[AskedTarget], kind: AskKind) -> list[MaskRow]:
        wording = "held_out" if kind == "text_held_out" else "train"
        asked = [(one, one.texts[wording]) for one in targets if wording in one.texts]
        answers = self._answers([MaskQuestion(one.target, text=text) for one, text in asked])
        return [
            self._row(one, answer, kind=kind, text=text)
            for (one, text), answer in zip(asked, answers, strict=True)
            if answer is not None
        ]

    def by_boxes(self, targets: Sequence[AskedTarget]) -> list[MaskRow]:
        asked = [(one, tight_box(one.mask)) for one in targets if one.mask is not None]
        answers = self._answers([MaskQuestion(one.target, box=box) for one, box in asked])
        return [
            self._row(one, answer, kind="box")
            for (one, _), answer in zip(asked, answers, strict=True)
            if answer is not None
        ]

    def by_points(self, targets: Sequence[AskedTarget], kind: AskKind) -> list[MaskRow]:
        chains = self._begun(targets, kind)
        streams = [question_stream(self.settings.seed, self.case.name, one.asked.target, kind) for one in chains]
        rows = []
        for count in range(1, self.settings.points + 1):
            going = []
            for chain, stream in zip(chains, streams, strict=True):
                truth = chain.asked.mask
                point = None if truth is None else error_point(truth, chain.answer and chain.answer.mask.cpu(), stream)
                if point is not None:
                    chain.points.append(point)
                    going.append(chain)
            for chain, answer in zip(going, self._answers([one.question() for one in going]), strict=True):
                chain.answer = answer
            measured = count in _REPORTED_POINTS or count == self.settings.points
            rows += [
                self._row(one.asked, one.answer, kind=kind, points=count, text=one.text or "", distances=measured)
                for one in chains
                if one.answer is not None
            ]
        return rows

    def _begun(self, targets: Sequence[AskedTarget], kind: AskKind) -> list[_Chain]:
        if kind == "points":
            return [_Chain(one, None, None) for one in targets]
        worded = [one for one in targets if "train" in one.texts]
        answers = self._answers([MaskQuestion(one.target, text=one.texts["train"]) for one in worded])
        return [_Chain(one, one.texts["train"], answer) for one, answer in zip(worded, answers, strict=True)]

    def _answers(self, questions: Sequence[MaskQuestion]) -> Sequence[MaskAnswer | None]:
        if not questions:
            return ()
        answers = self.method.answer(questions)
        size = tuple(self.case.image.shape)
        given = [one.mask for one in answers if one is not None]
        if len(answers) != len(questions) or not all(tuple(m.shape) == size and m.dtype == torch.bool for m in given):
            raise InputError(
                f"{self.method.name} must answer {len(questions)} questions with bool masks of {size[0]}x{size[1]}, "
                f"got {len(answers)} answers of {tuple(given[0].shape) if given else 'nothing'}."
            )
        return answers

    def _row(self, asked: AskedTarget, answer: MaskAnswer, **facts) -> MaskRow:
        return score_answer(self.method.name, self.case, asked, answer, **facts)
