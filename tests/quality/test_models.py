"""The user's own models: tiny ones, written here byte by byte, whose answers are known."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emomedia.errors import MissingToolError, UnsupportedMediaError
from emomedia.quality.measure import Tools, people_of
from emomedia.quality.models import FaceModel, PersonModel, to_rgb
from emomedia.quality.views import View

BOX = (0.25, 0.1, 0.75, 0.4)


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protocol buffer: a number, or what has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low | 0x80]) + varint(value >> 7) if value > 0x7F else bytes([low])


def tensor_of(name: str, shape: list[int]) -> bytes:
    dims = b"".join(field(1, field(1, edge)) for edge in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def node(kind: str, given: str, made: str, attributes: bytes = b"") -> bytes:
    return field(1, field(1, given) + field(2, made) + field(4, kind) + attributes)


def constant(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(field(1, edge) for edge in values.shape)
    return field(5, dims + field(2, 1) + field(9, values.astype("<f4").tobytes()) + field(8, name))


def model(path: Path, body: bytes, shape: list[int], outputs: dict[str, list[int]]) -> Path:
    graph = body + field(2, "g") + field(11, tensor_of("picture", shape))
    graph += b"".join(field(12, tensor_of(name, edges)) for name, edges in outputs.items())
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13)))
    return path


def bright(path: Path) -> Path:
    """Says that what is bright is the person."""
    axis = field(5, field(1, "axes") + field(8, 1) + field(20, 7))
    return model(path, node("ReduceMean", "picture", "mask", axis), [1, 3, 90, 80], {"mask": [1, 1, 90, 80]})


def always(path: Path, score: float) -> Path:
    """Says that of three boxes the second one is a face."""
    scores = np.array([[[0.9, 0.1], [1 - score, score], [0.8, 0.2]]])
    boxes = np.array([[[0, 0, 0.1, 0.1], BOX, [0.5, 0.5, 1, 1]]])
    body = constant("s", scores) + constant("b", boxes)
    body += node("Identity", "s", "scores") + node("Identity", "b", "boxes")
    return model(path, body, [1, 3, 240, 320], {"scores": [1, 3, 2], "boxes": [1, 3, 4]})


def half() -> np.ndarray:
    """A grey half with a white rectangle in it: a quarter of the width, half of the height."""
    picture = np.full((270, 240, 3), 128, np.uint8)
    picture[..., 0] = 60
    picture[135:, 90:150, 0] = 235
    return picture


def test_measures_come_from_the_models_and_the_audit_names_them(tmp_path):
    tools = Tools(
        face_model=FaceModel(always(tmp_path / "face.onnx", 0.9)),
        person_model=PersonModel(bright(tmp_path / "person.onnx")),
    )
    assert tools.names["face"].startswith("face.onnx ")
    assert tools.names["person"].startswith("person.onnx ")
    assert tools.names["dnsmos"] is None
    found = people_of([View((half(), half()), "limited")] * 2, tools)["left"]
    assert found["face_box"] == pytest.approx([0.25, 0.1, 0.5, 0.3], abs=1e-3)
    assert found["person_share"] == pytest.approx(0.125, abs=0.01)
    assert found["person_box"] == pytest.approx([0.375, 0.5, 0.25, 0.5], abs=0.02)


def test_a_model_that_is_named_measures_again_and_nothing_else_does(tmp_path):
    measured = {"face": "another", "person": "another", "dnsmos": "another"}
    face = FaceModel(always(tmp_path / "face.onnx", 0.9))
    tools = Tools(opencv="OpenCV 4", face_model=face, keeps=True)
    assert tools.names_beside(measured) == measured | {"face": face.name}
    mine = replace(tools, keeps=False).names_beside(measured)
    assert mine == measured | {"face": face.name, "person": tools.names["person"]}


def test_a_face_below_the_threshold_is_none(tmp_path):
    tools = Tools(face_model=FaceModel(always(tmp_path / "face.onnx", 0.6)))
    found = people_of([View((half(), half()), "limited")], tools)["right"]
    assert (found["face_share"], found["face_box"], found["person_share"]) == (0, None, None)


def test_models_of_other_forms_are_refused(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(UnsupportedMediaError, match="an ONNX model"):
        PersonModel(tmp_path / "text.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(UnsupportedMediaError, match="an ONNX model, found not a regular file"):
        FaceModel(tmp_path / "pipe.onnx")
    flat = model(tmp_path / "flat.onnx", node("Identity", "picture", "y"), [1, 8], {"y": [1, 8]})
    with pytest.raises(UnsupportedMediaError, match="one input"):
        PersonModel(flat)
    with pytest.raises(UnsupportedMediaError, match=r"scores .* found \[\[1, 1, 90, 80\]\]"):
        FaceModel(bright(tmp_path / "person.onnx"))
    with pytest.raises(UnsupportedMediaError, match="mask of one or two channels"):
        PersonModel(always(tmp_path / "face.onnx", 0.9))
    two = [2, 3, 8, 8]
    pairs = model(tmp_path / "pairs.onnx", node("Identity", "picture", "y"), two, {"y": two})
    with pytest.raises(UnsupportedMediaError, match=r"runs on a picture \[1, 3, 8, 8\].*dimensions"):
        PersonModel(pairs)


def test_a_model_without_what_runs_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingToolError, match="pip install onnxruntime"):
        PersonModel(bright(tmp_path / "person.onnx"))


def test_rgb_of_code_values():
    picture = np.array([[[16, 128, 128], [235, 128, 128], [63, 102, 240]]], np.uint8)
    assert to_rgb(picture, 16, 235)[0] == pytest.approx(
        np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]]), abs=2
    )
