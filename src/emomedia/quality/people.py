"""Where the face is and how much of a half the person fills, on a few key frames of a clip.

By the user's own models (:mod:`emomedia.quality.models`), or else by OpenCV 4's bundled cascade for faces
(Viola and Jones 2001), and for the person by a model of the backdrop's colours, taken from the half's upper
edges, refined by GrabCut (Rother, Kolmogorov and Blake 2004).

docs/quality.md says how good that is on real people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from .models import FaceModel, PersonModel, Rgb, to_rgb

Picture = npt.NDArray[np.uint8]
"""A half as uint8[height, width, 3]: luma and chroma, a quarter as wide and high as in the composite."""

Box = tuple[float, float, float, float]
"""Left, top, width and height as shares of the half."""

Mask = npt.NDArray[np.bool_]

CASCADE = "haarcascade_frontalface_alt2.xml"
_STEP, _NEIGHBOURS = 1.1, 1
"""Of the cascade's windows from one size to the next, and how many have to agree: the most count anyhow."""

_LEAST_FACE = 0.1
"""Of the half's width."""

_MIDDLE = ((0.15, 0.85), (0.05, 0.7))
_MIDDLE_STEP, _MIDDLE_NEIGHBOURS, _MIDDLE_LEAST_FACE = 1.2, 4, 0.15
"""Where most faces are, across and down, and how they are looked for there: at a sixth of what the whole half
costs, which is searched if fewer windows than that agree."""

_BRIGHT, _MOST_GAIN = 150, 8.0
"""Code values above black that a hundredth of the pixels exceeds where the cascade looks: it overlooks faces
of less contrast.  A darker picture is brightened, by so much at most."""

_SMALLER = 3
"""GrabCut sees 80×90 for a half, in which an outline is right to a hundredth of the width and costs 9 ms."""

_STRIP = 0.06
"""Of the half's width and height: what is taken for backdrop at its upper edges."""

_COLOURS = 4
_FAR = 9.0
"""Squared distance, in standard deviations of a backdrop's colour, from which a pixel is not of it."""

_ITERATIONS = 1
"""Of GrabCut: three take twice the time and change the person's share by 0.02 at most."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one picture of a half shows.

    Attributes
    ----------
    face : Box or None
    face_luma : float
        Mean code value within the face.
    person : Mask or None
        None where it was not looked for.
    """

    face: Box | None
    face_luma: float | None
    person: Mask | None


def opencv_name() -> str | None:
    """The installed OpenCV; None if there is none that can be loaded, or one without cascades."""
    if find_spec("cv2") is None:
        return None
    try:
        cv2 = _opencv()
    except ImportError:  # a system without a library that it needs
        return None
    return f"OpenCV {cv2.__version__}" if hasattr(cv2, "CascadeClassifier") else None


class Finder:
    """Finds faces and persons, by the models given and else by OpenCV, if so told; one for each thread."""

    def __init__(self, opencv: bool, face_model: FaceModel | None, person_model: PersonModel | None) -> None:
        self._opencv, self._face_model, self._person_model = opencv, face_model, person_model
        if opencv:
            cv2 = _opencv()
            cv2.setNumThreads(1)
            self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)

    def __call__(
        self, picture: Picture, black: float, white: float, *, person: bool, known: Seen | None = None
    ) -> Seen:
        """What a picture shows; `black` and `white` are code values, the person is looked for if asked.

        Of a picture whose face is `known` it is not looked for again.
        """
        rgb = None
        if self._face_model is not None or self._person_model is not None:
            rgb = to_rgb(picture, black, white)
        seen = known
        if seen is None:
            face = self._face(picture, rgb, black)
            luma = None if face is None else float(_within(picture[..., 0], face).mean())
            seen = Seen(face, luma, None)
        return replace(seen, person=self._person(picture, rgb, seen.face)) if person else seen

    def _face(self, picture: Picture, rgb: Rgb | None, black: float) -> Box | None:
        if self._face_model is not None and rgb is not None:
            return self._face_model(rgb)
        return self._by_cascade(_brightened(picture[..., 0], black)) if self._opencv else None

    def _person(self, picture: Picture, rgb: Rgb | None, face: Box | None) -> Mask | None:
        if self._person_model is not None and rgb is not None:
            return self._person_model(rgb)
        return find_person(picture, face) if self._opencv else None

    def _by_cascade(self, luma: Picture) -> Box | None:
        """The face that most windows of the cascade agree on, in the half's middle or else anywhere."""
        height, width = luma.shape
        (left, right), (top, bottom) = _MIDDLE
        x, y = round(left * width), round(top * height)
        middle = luma[y : round(bottom * height), x : round(right * width)]
        count, box = self._most_agreed(middle, _MIDDLE_STEP, _MIDDLE_LEAST_FACE * width)
        if count < _MIDDLE_NEIGHBOURS:
            x = y = 0
            count, box = self._most_agreed(luma, _STEP, _LEAST_FACE * width)
        if count == 0:
            return None
        return (x + box[0]) / width, (y + box[1]) / height, box[2] / width, box[3] / height

    def _most_agreed(self, luma: Picture, step: float, least: float) -> tuple[int, tuple[int, ...]]:
        """How many windows agree on a face, and its left, top, width and height in pixels; 0 without one."""
        size = round(least), round(least)
        found, agree = self._cascade.detectMultiScale2(
            np.ascontiguousarray(luma), step, _NEIGHBOURS, minSize=size
        )
        faces = [
            (int(count), tuple(int(edge) for edge in box)) for count, box in zip(agree, found, strict=True)
        ]
        return max(faces, default=(0, ()))


def _brightened(luma: Picture, black: float) -> Picture:
    """A dark picture as if there had been more light."""
    below = np.cumsum(np.bincount(luma.ravel(), minlength=256))
    bright = int(np.searchsorted(below, 0.99 * luma.size)) - black
    gain = min(_BRIGHT / max(bright, 1.0), _MOST_GAIN)
    if gain <= 1:
        return luma
    brightened: Picture = np.clip((np.arange(256) - black) * gain, 0, 255).astype(np.uint8)[luma]
    return brightened


def _opencv() -> Any:
    """OpenCV, of which nothing is known where it is not installed."""
    return import_module("cv2")


def people_measures(seen: Sequence[Seen], black: float, white: float, *, faces: bool) -> dict[str, Any]:
    """A side's measures from its sampled pictures.

    Parameters
    ----------
    black, white : float
        Code values.
    faces : bool
        Whether faces were looked for.
    """
    boxes = np.array([each.face for each in seen if each.face is not None])
    lumas = [each.face_luma for each in seen if each.face_luma is not None]
    persons = [each.person for each in seen if each.person is not None]
    middles = boxes[:, :2] + boxes[:, 2:] / 2 if len(boxes) else boxes
    return {
        "face_share": round(len(boxes) / len(seen), 3) if seen and faces else None,
        "face_box": [round(float(edge), 3) for edge in np.median(boxes, axis=0)] if len(boxes) else None,
        "face_off_centre": _off_centre(*np.median(middles, axis=0)) if len(boxes) else None,
        "face_exposure": round(float((np.mean(lumas) - black) / (white - black)), 3) if lumas else None,
        "steadiness": round(float(np.hypot(*middles.std(axis=0))), 4) if len(boxes) > 1 else None,
        "person_share": round(float(np.median([mask.mean() for mask in persons])), 3) if persons else None,
        "person_box": _box(persons[len(persons) // 2]) if persons else None,
    }


def _off_centre(x: float, y: float) -> float:
    """To either side of the middle or below it; above it is where heads are."""
    return round(float(max(abs(x - 0.5), y - 0.5)), 3)


def _box(mask: Mask) -> list[float] | None:
    """The box around a mask, as shares of the half."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    height, width = mask.shape
    x, y = columns[0] / width, rows[0] / height
    w, h = (columns[-1] + 1) / width - x, (rows[-1] + 1) / height - y
    return [round(float(edge), 3) for edge in (x, y, w, h)]


def _within(luma: Picture, box: Box) -> Picture:
    height, width = luma.shape
    x, y = round(box[0] * width), round(box[1] * height)
    return luma[y : y + max(1, round(box[3] * height)), x : x + max(1, round(box[2] * width))]


def find_person(picture: Picture, face: Box | None) -> Mask:
    """Where the person is, bool[height // 3, width // 3]."""
    cv2 = _opencv()
    size = picture.shape[1] // _SMALLER, picture.shape[0] // _SMALLER
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    mask = _guess(small, face)
    guessed = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    if guessed.any() and not guessed.all():
        cv2.setRNGSeed(0)
        cv2.grabCut(
            small, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), _ITERATIONS, cv2.GC_INIT_WITH_MASK
        )
    person = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    return _largest(person)


def _guess(picture: Picture, face: Box | None) -> npt.NDArray[np.uint8]:
    """What GrabCut begins with: the backdrop's colours may be backdrop; a face and what is below is not."""
    cv2 = _opencv()
    height, width, _ = picture.shape
    strip = max(2, round(_STRIP * width))
    edges = np.zeros((height, width), bool)
    edges[:strip] = True
    edges[: height // 2, :strip] = edges[: height // 2, -strip:] = True
    far = _distance(picture, picture[edges]) > _FAR
    mask: npt.NDArray[np.uint8] = np.where(far, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[edges] = cv2.GC_PR_BGD
    mask[: max(2, strip // 2)] = cv2.GC_BGD
    if face is not None:
        x, y, w, h = face
        left, right = round((x + 0.25 * w) * width), round((x + 0.75 * w) * width)
        mask[round((y + 0.2 * h) * height) : round((y + 0.9 * h) * height), left:right] = cv2.GC_FGD
        mask[round((y + 1.6 * h) * height) :, left:right] = cv2.GC_FGD
    return mask


def _distance(picture: Picture, backdrop: Picture) -> npt.NDArray[np.float64]:
    """Squared distance of each pixel from the nearest of the backdrop's colours."""
    cv2 = _opencv()
    cv2.setRNGSeed(0)
    samples = backdrop.astype(np.float32)
    ending = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    _, labels, centres = cv2.kmeans(samples, _COLOURS, None, ending, 1, cv2.KMEANS_PP_CENTERS)
    distances = []
    for number, centre in enumerate(centres):
        mine = samples[labels[:, 0] == number]
        if len(mine) >= 0.05 * len(samples):
            spread = np.maximum(mine.std(axis=0), (6.0, 2.0, 2.0))
            distances.append((((picture - centre) / spread) ** 2).sum(axis=2))
    result: npt.NDArray[np.float64] = np.min(distances, axis=0)
    return result


def _largest(person: Mask) -> Mask:
    """The largest connected part."""
    cv2 = _opencv()
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8))
    if count < 2:
        return person
    result: Mask = labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    return result
