"""The user's own ONNX models for faces and persons, run by onnxruntime on the cores.

Two common forms are supported, recognised by the model's inputs and outputs.  A person model takes an RGB
picture from 0 to 1 and gives a mask: one channel of probabilities, or two of which the second one is the
person's.  A face model takes an RGB picture as (value − 127) / 128 and gives scores [1, n, 2] and boxes
[1, n, 4], corners as shares of the picture (the form of Ultra-Light-Fast-Generic-Face-Detector).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingToolError, UnsupportedMediaError
from ..files import sha256

Rgb = npt.NDArray[np.float32]
"""A half's picture in code values 0 to 255, float32[height, width, 3]."""

FACE_SCORE = 0.7
PERSON_SCORE = 0.5
_DYNAMIC = 256
"""Pixels each way where a model takes any size."""

_SMALLEST = 8
"""Pixels each way of a mask; what has fewer is something else, such as scores."""


class _Model(ABC):
    """An ONNX file with one picture as its input."""

    def __init__(self, path: Path) -> None:
        try:
            runtime: Any = import_module("onnxruntime")
        except ImportError as error:
            raise MissingToolError(
                path, expected="onnxruntime to run it", found=str(error), remedy="pip install onnxruntime"
            ) from error
        if path.exists() and not path.is_file():  # a pipe would be waited for for ever
            raise self._no_model(path, "not a regular file")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no common class for what it raises
            raise self._no_model(path, str(error).splitlines()[0]) from error
        self._path = path
        self.name = f"{path.name} {sha256(path)[:16]}"
        self._input, self._channels_first, self._size = self._picture_input()
        self(np.zeros((*self._size, 3), np.float32))  # a model of another form is refused before any work

    @abstractmethod
    def __call__(self, picture: Rgb) -> Any:
        """What the model finds in a picture."""

    @staticmethod
    def _no_model(path: Path, found: str) -> UnsupportedMediaError:
        return UnsupportedMediaError(
            path,
            expected="an ONNX model",
            found=found,
            remedy="name another file, or leave the option out",
        )

    def _picture_input(self) -> tuple[str, bool, tuple[int, int]]:
        """Name, order of axes, and height and width of the input."""
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or inputs[0].type != "tensor(float)" or 3 not in (shape[1], shape[3]):
            raise self._other("one input float[1, 3, height, width] or float[1, height, width, 3]", shape)
        first = shape[1] == 3
        height, width = (shape[2], shape[3]) if first else (shape[1], shape[2])
        size = tuple(edge if isinstance(edge, int) and edge > 0 else _DYNAMIC for edge in (height, width))
        return inputs[0].name, first, (size[0], size[1])

    def _other(self, expected: str, found: object) -> UnsupportedMediaError:
        return UnsupportedMediaError(
            self._path,
            expected=expected,
            found=(str(found).splitlines() or [""])[0],
            remedy="name a model of that form (docs/quality.md)",
        )

    def _outputs(self, picture: Rgb) -> list[npt.NDArray[np.float32]]:
        scaled = _resized(picture, *self._size)
        given = scaled.transpose(2, 0, 1) if self._channels_first else scaled
        try:
            outputs = self._session.run(None, {self._input: np.ascontiguousarray(given[None])})
            return [np.asarray(output, np.float32) for output in outputs]
        except Exception as error:  # as above; or an output that is no array of numbers
            raise self._other(f"a model that runs on a picture {list(given[None].shape)}", error) from error


class PersonModel(_Model):
    """Gives the person's outline."""

    def __call__(self, picture: Rgb) -> npt.NDArray[np.bool_]:
        """Where the person is, bool[height, width] of the model's own size.

        Raises
        ------
        UnsupportedMediaError
            The model gives no mask.
        """
        output = self._outputs(picture / np.float32(255))[0]
        mask = output[0] if output.ndim == 4 else output
        if mask.ndim == 3 and mask.shape[-1] in (1, 2) and mask.shape[0] not in (1, 2):
            mask = mask.transpose(2, 0, 1)
        if mask.ndim != 3 or mask.shape[0] not in (1, 2) or min(mask.shape[1:]) < _SMALLEST:
            raise self._other("a mask of one or two channels", list(output.shape))
        person: npt.NDArray[np.bool_] = mask[0] > PERSON_SCORE if len(mask) == 1 else mask[1] > mask[0]
        return person


class FaceModel(_Model):
    """Gives the face with the highest score."""

    def __call__(self, picture: Rgb) -> tuple[float, float, float, float] | None:
        """Left, top, width and height as shares of the picture; None where there is no face.

        Raises
        ------
        UnsupportedMediaError
            The model gives no scores and boxes.
        """
        outputs = self._outputs((picture - np.float32(127)) / np.float32(128))
        scores = next((each[0] for each in outputs if each.ndim == 3 and each.shape[2] == 2), None)
        boxes = next((each[0] for each in outputs if each.ndim == 3 and each.shape[2] == 4), None)
        if scores is None or boxes is None or len(scores) != len(boxes):
            raise self._other(
                "scores [1, n, 2] and boxes [1, n, 4]", [list(output.shape) for output in outputs]
            )
        if len(scores) == 0:
            return None
        best = int(np.argmax(scores[:, 1]))
        if scores[best, 1] < FACE_SCORE:
            return None
        left, top, right, bottom = (float(edge) for edge in np.clip(boxes[best], 0, 1))
        return left, top, right - left, bottom - top


def to_rgb(picture: npt.NDArray[np.uint8], black: float, white: float) -> Rgb:
    """A half of luma and chroma (Rec. BT.709) as RGB in code values 0 to 255."""
    luma = (picture[..., 0].astype(np.float32) - np.float32(black)) * np.float32(255 / (white - black))
    spread = np.float32(255 / 224 if white < 255 else 1)
    blue, red = ((picture[..., plane].astype(np.float32) - 128) * spread for plane in (1, 2))
    channels = (luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue)
    rgb: Rgb = np.clip(np.stack(channels, axis=2), 0, 255).astype(np.float32)
    return rgb


def _resized(picture: Rgb, height: int, width: int) -> Rgb:
    """By bilinear interpolation between the samples' middles, as models are fed."""
    for axis, size in ((0, height), (1, width)):
        there = picture.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * there / size - 0.5, 0, there - 1)
        low = np.floor(at).astype(int)
        share = (at - low).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        high = np.minimum(low + 1, there - 1)
        mixed = np.take(picture, low, axis) * (1 - share) + np.take(picture, high, axis) * share
        picture = mixed.astype(np.float32)
    return picture
