"""Which encoder makes a folder's clips: chosen once, kept, asked for before any work, never silently changed.

No machine of the tests has NVENC: what a card answers is made up where the core is asked for it, and libx264
encodes in its place.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emomedia import _core, cutting, encoder, engine
from emomedia.batch.run import run_batch
from emomedia.encoder import LIBX264, RECORD_NAME, Card, Encoder, choose, recorded
from emomedia.errors import DeviceError, EmomediaError, StageError, StalledError
from emomedia.layout import SessionFolder
from emomedia.options import PICTURES, EncoderChoice, Options, Size
from emomedia.run import run, run_stage
from emomedia.session_file import load_session
from emomedia.work import Work


@pytest.fixture(autouse=True)
def encoder_of_new_folders() -> None:
    """What is tested here, as it is."""


NO_NVENC = "OpenEncodeSessionEx failed: unsupported device (2): (no details)"
NO_MEMORY = "InitializeEncoder failed: out of memory (10): (no details)"
TOO_SMALL = "invalid param (8): Frame Dimension less than the minimum supported value"


def machine(
    monkeypatch: pytest.MonkeyPatch,
    *cards: str,
    nvenc: tuple[str, ...] = (),
    shut: tuple[int, ...] = (),
    full: tuple[int, ...] = (),
) -> list[Any]:
    """A machine with such GPUs, of which those named `nvenc` encode; returns what was tried, and on which.

    As NVENC does, they take no picture of fewer than 145 pixels across.  Those that are `shut` cannot be had,
    those that are `full` have no memory for an encoder.
    """
    tried: list[Any] = []

    def try_encoder(settings: Any, gpu: int) -> None:
        tried.append((settings, gpu))
        if cards[gpu] not in nvenc or settings["width"] < 145 or gpu in full:
            found = NO_MEMORY if gpu in full else TOO_SMALL if cards[gpu] in nvenc else NO_NVENC
            raise DeviceError("h264_nvenc", expected="a session", found=found, remedy="another GPU")

    def open_gpu(index: int) -> int:
        if index in shut:
            raise DeviceError(f"GPU {index}", expected="to begin", found="out of memory", remedy="wait")
        return index

    gpus = [
        SimpleNamespace(index=index, name=name, free_memory=0 if index in full else 1)
        for index, name in enumerate(cards)
    ]
    found = SimpleNamespace(gpus=gpus, refused={}, reason="no driver", driver=13000, runtime=13000)
    monkeypatch.setattr(encoder, "_DRIVER", Path("/nowhere"))
    core = SimpleNamespace(
        find_gpus=lambda: found,
        open_gpu=open_gpu,
        try_encoder=try_encoder,
        VideoSettings=lambda **told: told,
    )
    monkeypatch.setattr(encoder, "_core", core)
    return tried


def test_auto_is_the_gpus_encoder_where_there_is_one_and_stays_what_it_was(monkeypatch, tmp_path):
    tried = machine(monkeypatch, "H100", "H100", "L4", "T4", "L4", nvenc=("L4",))
    found = choose(Options(), tmp_path / "new")
    assert found.name == "h264_nvenc"
    assert found.card == Card((2, 4), "L4", "CUDA 13.0")
    assert [gpu for _, gpu in tried] == [0, 2]  # one of a model, once
    workers: Any = {0: "H100", 4: "L4"}
    tried.clear()
    assert found.gpus(workers) == ["L4"]
    assert tried == []  # a worker has it
    assert found.gpus({}) == [2]
    assert choose(Options(device="cpu"), tmp_path / "cores").name == "libx264"
    assert choose(Options(encoder="hevc_nvenc", device="cpu"), tmp_path / "uploaded").card is not None
    # Another machine: what was written down holds, and is refused where it cannot be done.
    tried = machine(monkeypatch, "H100")
    assert choose(Options(), tmp_path / "cores").name == "libx264"
    assert tried == []
    kept = choose(Options(), tmp_path / "new")
    assert kept.name == "h264_nvenc"
    with pytest.raises(DeviceError) as raised:
        _ = kept.card
    assert (
        str(raised.value)
        == f"{tmp_path}/new/{RECORD_NAME}: expected h264_nvenc, which made the clips of this folder, found "
        f"a machine that cannot: {NO_NVENC}; run where NVENC is, or choose --encoder libx264, which makes "
        "the clips again"
    )
    assert choose(Options(), tmp_path / "here").name == "libx264"
    assert (LIBX264.card, LIBX264.gpus(workers)) == (None, [])


def test_a_gpu_that_others_have_does_not_speak_for_its_model(monkeypatch, tmp_path):
    for number, others in enumerate(({"shut": (0,)}, {"full": (0,)})):
        tried = machine(monkeypatch, "L4", "L4", nvenc=("L4",), **others)
        found = choose(Options(), tmp_path / str(number))
        assert found.name == "h264_nvenc"
        assert found.card == Card((1, 0), "L4", "CUDA 13.0")
        assert [gpu for _, gpu in tried] == [1]
    machine(monkeypatch, "L4", nvenc=("L4",), shut=(0,))
    with pytest.raises(DeviceError, match="out of memory"):
        choose(Options(encoder="h264_nvenc"), tmp_path / "none")


@pytest.mark.parametrize("how", ["shut", "full"])
def test_a_gpu_that_others_took_since_leaves_encoding_to_the_next_of_its_model(monkeypatch, tmp_path, how):
    cards = ("T4", "L4", "L4", "L40S")
    machine(monkeypatch, *cards, nvenc=("L4", "L40S"))
    found = choose(Options(), tmp_path)
    assert found.card == Card((1, 2), "L4", "CUDA 13.0")
    machine(monkeypatch, *cards, nvenc=("L4", "L40S"), **{how: (1,)})
    assert found.gpus({}) == [2]
    assert found.as_json() == {"name": "h264_nvenc", "card": "L4", "driver": "CUDA 13.0"}
    machine(monkeypatch, *cards, nvenc=("L4", "L40S"), **{how: (1, 2)})
    with pytest.raises(DeviceError, match="out of memory"):  # not on another card
        found.gpus({})


def test_sides_that_a_gpu_does_not_encode_are_found_out_before_the_work(monkeypatch, tmp_path):
    machine(monkeypatch, "L4", nvenc=("L4",))
    small = Options(layout=PICTURES, side_size=Size(128, 144))
    assert choose(small, tmp_path / "auto").name == "libx264"
    with pytest.raises(DeviceError, match="Frame Dimension less"):
        choose(replace(small, encoder="h264_nvenc"), tmp_path / "named")
    assert choose(replace(small, side_size=Size(160, 180)), tmp_path / "larger").name == "h264_nvenc"


@pytest.mark.parametrize("cards", [(), ("H100",)])
def test_an_encoder_asked_for_by_name_and_not_there_is_refused_with_the_reason(monkeypatch, tmp_path, cards):
    machine(monkeypatch, *cards)
    with pytest.raises(DeviceError, match=NO_NVENC[:10] if cards else "no driver") as raised:
        _ = choose(Options(encoder="h264_nvenc"), tmp_path).card
    assert raised.value.subject == "--encoder h264_nvenc"
    assert recorded(tmp_path) is None  # it made nothing, and binds nobody
    assert choose(Options(encoder="libx264"), tmp_path).name == recorded(tmp_path) == "libx264"


def test_a_folder_from_before_is_kept_to_what_its_clips_say(monkeypatch, tmp_path):
    machine(monkeypatch, "L4", nvenc=("L4",))
    audit = SessionFolder(tmp_path, "s01").audit
    audit.parent.mkdir()
    audit.write_text(json.dumps({"provenance": {"settings": {"encoder": "libx264"}}}) + "\n")
    assert choose(Options(), tmp_path).name == "libx264"
    audit.unlink()
    assert choose(Options(), tmp_path).name == "libx264", "clips are asked once"


@pytest.mark.parametrize("text", ["", "[]", '{"encoder": "auto"}', '{"encoder": "h265"}', '{"encoder": {}}'])
def test_a_record_that_names_no_encoder_is_refused(tmp_path, text):
    (tmp_path / RECORD_NAME).write_text(text)
    with pytest.raises(StageError, match="the name of an encoder"):
        choose(Options(), tmp_path)


def test_of_two_machines_that_begin_at_once_the_second_keeps_to_the_first(monkeypatch, tmp_path):
    machine(monkeypatch, "L4", nvenc=("L4",))

    def best_while_another_begins(_: Encoder, options: Options) -> EncoderChoice:
        choose(replace(options, encoder="libx264"), tmp_path)
        return "h264_nvenc"

    monkeypatch.setattr(encoder, "_best", best_while_another_begins)
    assert choose(Options(), tmp_path).name == "libx264"


@pytest.fixture
def stands_in(monkeypatch):
    """A card that encodes, with libx264 in its place; returns a function that takes the card away."""
    monkeypatch.setattr(encoder, "_card", lambda *_: Card((0,), "NVIDIA L4", "580.95"))
    monkeypatch.setattr(Encoder, "gpus", lambda *_: [])
    settings = engine._core_settings
    monkeypatch.setattr(engine, "_core_settings", lambda work: settings(replace(work, encoder=LIBX264)))

    def goes() -> None:
        def refuse(name: str, *_: Any) -> Card:
            raise DeviceError(name, expected="a session", found=NO_NVENC, remedy="another GPU")

        monkeypatch.setattr(encoder, "_card", refuse)

    return goes


def test_losing_nvenc_begins_the_video_over_and_never_mixes(monkeypatch, simulated, tmp_path, stands_in):
    session = simulated(size=(216, 384), seconds=Fraction(4))
    options = Options(turns=session.parent / "turns.json", preset="ultrafast", encoder="hevc_nvenc")
    folder = SessionFolder(tmp_path, load_session(session).id)
    said: list[str] = []
    fails = [2]

    def run_engine(*arguments: Any) -> Any:
        if fails[0] == 0:
            assert list(folder.spool.iterdir()) == []
            return engine.run_engine(*arguments)
        fails[0] -= 1
        (folder.spool / "half.spool").write_bytes(b"by a card that is gone")
        raise DeviceError("hevc_nvenc", expected="to encode a frame", found="device lost", remedy="look")

    monkeypatch.setattr(cutting, "run_engine", run_engine)
    with pytest.raises(DeviceError, match="failed twice, now hevc_nvenc: device lost; run again"):
        run(session, tmp_path, options, through="cut")
    assert list(folder.clips.iterdir()) == list(folder.spool.iterdir()) == []

    fails[0] = 1
    watcher = SimpleNamespace(
        note=said.append, progress=lambda *_: None, stage_begins=lambda _: None, stage_ends=lambda *_: None
    )
    result = run(session, tmp_path, options, watcher, through="cut")
    assert said[0] == "hevc_nvenc failed (device lost); the session's video starts over"
    provenance = result.rows[0]["provenance"]
    assert provenance["settings"]["encoder"] == "hevc_nvenc"
    assert provenance["encoded_on"] == {"card": "NVIDIA L4", "driver": "580.95"}
    told = json.loads(folder.run_report.read_text())["engine"]["encoder"]
    assert told == {"name": "hevc_nvenc", **provenance["encoded_on"]}

    # Elsewhere: what is whole needs no encoder; what is not is refused, and not made by another one.
    stands_in()
    auto = replace(options, encoder="auto")
    assert run(session, tmp_path, auto, through="cut").made == 0
    next(folder.clips.iterdir()).unlink()
    audit = folder.audit.read_bytes()
    with pytest.raises(DeviceError, match="hevc_nvenc, which made the clips of this folder"):
        run(session, tmp_path, auto, through="cut")
    assert folder.audit.read_bytes() == audit


@pytest.mark.usefixtures("stands_in")
def test_nothing_is_thrown_away_where_nvenc_was_not_lost(monkeypatch, simulated, tmp_path):
    session = simulated(size=(216, 384), seconds=Fraction(4))
    options = Options(turns=session.parent / "turns.json", encoder="h264_nvenc", device="cuda")
    spool = SessionFolder(tmp_path, load_session(session).id).spool
    run_stage(session, tmp_path, options, "plan")
    spool.mkdir()
    (spool / "whole.spool").write_bytes(b"of a run before")
    none = SimpleNamespace(gpus=[], refused={}, reason="", driver=0, runtime=13000)
    monkeypatch.setattr(_core, "find_gpus", lambda: none)
    with pytest.raises(DeviceError, match="--device cuda: expected an NVIDIA GPU"):
        run(session, tmp_path, options, through="cut")
    assert [path.name for path in spool.iterdir()] == ["whole.spool"]

    # Others have its sessions, while it works; it is refused before anything was made.
    def fail(kind: type[EmomediaError]) -> Any:
        raise kind("h264_nvenc", expected="a session", found="none", remedy="wait")

    on_cores = replace(options, device="cpu")
    with monkeypatch.context() as patch, pytest.raises(StalledError, match="h264_nvenc"):
        patch.setattr(cutting, "run_engine", lambda *_: fail(StalledError))
        run(session, tmp_path, on_cores, through="cut")
    assert (spool / "whole.spool").exists()
    monkeypatch.setattr(_core, "Engine", lambda _: fail(DeviceError))
    with pytest.raises(DeviceError, match="expected a session, found none; wait"):
        run(session, tmp_path, on_cores, through="cut")
    assert (spool / "whole.spool").exists()


def test_a_new_session_is_refused_before_any_work_and_a_batch_with_it(simulated, tmp_path, stands_in):
    stands_in()
    session = simulated(size=(216, 384), seconds=Fraction(4))
    with pytest.raises(DeviceError, match="--encoder h264_nvenc"):
        run(session, tmp_path, Options(encoder="h264_nvenc"))
    watcher: Any = SimpleNamespace(note=lambda _: None)
    with pytest.raises(DeviceError, match="--encoder h264_nvenc"):
        run_batch([str(session)], tmp_path, Options(encoder="h264_nvenc"), watcher)
    assert not SessionFolder(tmp_path, load_session(session).id).stage("session").exists()


def test_another_card_does_not_go_on_with_spools(monkeypatch):
    chunk: Any = object()
    work: Any = SimpleNamespace(chunk_keys={chunk: "key"}, sides=(), encoder=LIBX264)
    keys = [Work.spool_keys(work, chunk)]
    for card in (Card((0,), "L4", "580"), Card((0,), "L4", "590"), Card((0,), "L40S", "580")):
        monkeypatch.setattr(encoder, "_card", lambda *_, card=card: card)
        work.encoder = Encoder("h264_nvenc")
        keys.append(Work.spool_keys(work, chunk))
    assert keys[0] == ["key"]
    assert len({key for (key,) in keys}) == len(keys)
