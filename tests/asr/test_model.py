"""What may be wrong with a model's folder, and what tells one model from another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from emomedia.asr.decode import decode, language_of
from emomedia.asr.folder import check_language, model_folder, tokens
from emomedia.asr.model import Placed, load, placed
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


def _with(**changed):
    """With other entries in config.json."""

    def spoil(folder):
        config = json.loads((folder / "config.json").read_text()) | changed
        (folder / "config.json").write_text(json.dumps(config))

    return spoil


def _ends_early(folder):
    network = folder / "model.bin"
    network.write_bytes(network.read_bytes()[:1_000_000])


def _with_fewer_languages(folder):
    """As large-v2's tokenizer beside large-v3: the signs behind the languages have other numbers."""
    text = (folder / "tokenizer.json").read_text()
    for sign, other in (("transcribe", "x"), ("startoflm", "transcribe"), ("x", "startoflm")):
        text = text.replace(f"<|{sign}|>", f"<|{other}|>")
    (folder / "tokenizer.json").write_text(text)


def _without_words(folder):
    (folder / "vocabulary.json").write_text('{"a": 1}')


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
        (_with(alignment_heads=[]), "no alignment_heads"),
        (_with(alignment_heads=[[1, 0], [31, 0]]), r"head \[31, 0\] .* of 3 layers with 6 heads"),
        (_with(alignment_heads=[[2, 6]]), r"head \[2, 6\] "),
        (_with(alignment_heads=7), "head 7 "),
        (_ends_early, "ends early in model.bin"),
        (
            _with_fewer_languages,
            r"<\|transcribe\|> as token 1060 in vocabulary.json and 10.*of the very model",
        ),
        (_without_words, "no list of words in vocabulary.json"),
    ],
)
def test_what_is_wrong_with_a_folder_is_reported(copy, spoil, told):
    spoil(copy)
    with pytest.raises(ModelError, match=told):
        model_folder(copy)


def test_a_network_that_cannot_be_loaded_is_refused(copy):
    network = copy / "model.bin"
    network.write_bytes(network.read_bytes().replace(b"encoder/conv2/weight", b"encoder/conv3/weight"))
    with pytest.raises(ModelError, match="conv2"):
        load(model_folder(copy), placed("cpu"), 1)


def test_a_vocabulary_may_be_lines_of_text(copy):
    words = json.loads((copy / "vocabulary.json").read_text())
    (copy / "vocabulary.json").unlink()
    (copy / "vocabulary.txt").write_text("".join(f"{word}\n" for word in words))
    (copy / "preprocessor_config.json").unlink()
    folder = model_folder(copy)
    assert folder.multilingual and load(folder, placed("cpu"), 1).mels == 80


def test_texts_are_neither_cut_nor_filled_up_as_they_were_in_training(copy):
    before = tokens(copy).encode("你好" * 10).ids
    file = str(copy / "tokenizer.json")
    trained = Tokenizer.from_file(file)
    trained.enable_truncation(5)
    trained.enable_padding(length=99)
    trained.save(file)
    assert tokens(copy).encode("你好" * 10).ids == before


def test_what_language_a_model_knows_is_checked_before_it_is_loaded(copy):
    check_language(model_folder(copy), "zh")
    check_language(model_folder(copy), None)
    _with(lang_ids=None)(copy)
    with pytest.raises(ModelError, match="--language CODE"):
        check_language(model_folder(copy), None)
    words = json.loads((copy / "vocabulary.json").read_text())
    words[words.index("")] = "<unused>"  # the one by which CTranslate2 tells a model of English alone
    (copy / "vocabulary.json").write_text(json.dumps(words))
    english = model_folder(copy)
    check_language(english, None)
    check_language(english, "en")
    with pytest.raises(ModelError, match="of English alone"):
        check_language(english, "zh")
    network = load(english, placed("cpu"), 1)
    assert not network.multilingual and network.tokenizer("en").sot_sequence == [network.tokenizer("en").sot]
    (heard,) = decode(network, network.tokenizer("en"), np.zeros((1, 80, 200), np.float32), [100], "")
    assert language_of(network, np.zeros((1, 80, 200), np.float32)) == "en" and not heard.unfinished


def test_of_what_a_config_lists_languages_alone_count(copy):
    """The converter takes every sign for a language that it does not know."""
    _with(lang_ids=[1063, 961])(copy)
    network = load(model_folder(copy), placed("cpu"), 1)
    assert language_of(network, np.zeros((1, 80, 400), np.float32)) == "zh"
    _with(lang_ids=[1063])(copy)
    network = load(model_folder(copy), placed("cpu"), 1)
    with pytest.raises(ModelError, match="--language CODE"):
        language_of(network, np.zeros((1, 80, 400), np.float32))


def test_a_language_that_nobody_knows_is_refused():
    network = load(model_folder(MODEL), placed("cpu"), 1)
    with pytest.raises(ModelError, match="--language"):
        network.tokenizer("xx")


@pytest.mark.parametrize(("gpus", "cublas", "lacks"), [(0, True, "no GPU"), (1, False, "no libcublas")])
def test_a_gpu_that_cannot_be_used_is_reported_or_done_without(monkeypatch, gpus, cublas, lacks):
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
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _: {"float16", "float32"})
    assert placed("auto") == placed("cuda") == Placed("cuda", "float16")
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _: {"float32"})
    assert placed("auto") == Placed("cuda", "float32") and placed("cpu").device == "cpu"
