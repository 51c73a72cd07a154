"""What may be wrong with a model's folder, and what tells one model from another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emomedia.asr.model import Placed, load, model_folder, placed
from emomedia.errors import DeviceError, ModelError

from ..spoken import MODEL


@pytest.fixture
def copy(tmp_path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def test_the_models_digest_is_of_its_files_not_of_their_place(copy):
    before = model_folder(copy)
    assert before.sha256 == model_folder(MODEL).sha256
    (copy / "README.md").write_text("not part of the model")
    assert model_folder(copy).sha256 == before.sha256
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert model_folder(copy).sha256 != before.sha256


def test_windows_are_full_unless_the_model_says_otherwise(copy):
    assert model_folder(copy).short_windows
    (copy / "emomedia.json").unlink()
    assert not model_folder(copy).short_windows


def _without(name):
    return lambda folder: (folder / name).unlink()


def _for_pytorch(folder):
    (folder / "model.bin").rename(folder / "model.safetensors")


def _of_another_kind(folder):
    network = folder / "model.bin"
    network.write_bytes(network.read_bytes().replace(b"WhisperSpec", b"Wav2VecSpec", 1))


def _no_network(folder):
    (folder / "model.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


def _without_heads(folder):
    (folder / "config.json").write_text('{"lang_ids": []}')


def _no_object(folder):
    (folder / "config.json").write_text("[" * 100_000)


def _with_other_words(folder):
    (folder / "emomedia.json").write_text('{"windows": "tiny"}')


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (shutil.rmtree, "found nothing"),
        (_without("model.bin"), "without model.bin"),
        (_without("config.json"), "without config.json"),
        (_without("vocabulary.json"), "without vocabulary.json"),
        (_without("tokenizer.json"), "copy the published tokenizer.json"),
        (_for_pytorch, "ct2-transformers-converter"),
        (_of_another_kind, "Wav2VecSpec"),
        (_no_network, "something else in model.bin"),
        (_without_heads, "no alignment_heads.*convert"),
        (_no_object, "no alignment_heads"),
        (_with_other_words, "emomedia.json"),
    ],
)
def test_what_is_wrong_with_a_folder_is_told(copy, spoil, told):
    spoil(copy)
    with pytest.raises(ModelError, match=told):
        model_folder(copy)


def test_a_network_that_ends_early_is_refused_when_it_is_loaded(copy):
    network = copy / "model.bin"
    network.write_bytes(network.read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="model"):
        load(model_folder(copy), placed("cpu"), 1)


def test_a_language_that_nobody_knows_is_refused():
    network = load(model_folder(MODEL), placed("cpu"), 1)
    with pytest.raises(ModelError, match="--language"):
        network.tokenizer("xx")


@pytest.mark.parametrize(("gpus", "cublas", "lacks"), [(0, True, "no GPU"), (1, False, "no libcublas")])
def test_a_gpu_that_cannot_be_used_is_told_or_done_without(monkeypatch, gpus, cublas, lacks):
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: gpus)
    if not cublas:
        monkeypatch.setattr("emomedia.asr.model._CUBLAS", "libcublas.so.none")
    assert placed("auto") == placed("cpu") == Placed("cpu", "int8")
    with pytest.raises(DeviceError, match=lacks):
        placed("cuda")


def test_a_gpu_is_used_in_half_precision(monkeypatch):
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr("emomedia.asr.model._CUBLAS", "libm.so.6")
    assert placed("auto") == placed("cuda") == Placed("cuda", "float16")
    assert placed("cpu").device == "cpu"
