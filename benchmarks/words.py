"""How well and how fast words are recognised, beside faster-whisper with the same model on the same sound.

    python -m benchmarks.words [--rounds N] [--times N]

Held-out Mandarin on two tracks with bleed of −18 dB, and a tiny model that knows it; the model is a fixture,
so only differences between the ways to use it count.  Each contender runs in a process of its own, on two
cores, loaded and warmed up before it is timed.  The table ends with the bars; the exit status is 1 if one is
missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from emomedia.asr.folder import model_folder
from emomedia.asr.model import placed
from emomedia.asr.sound import Tracks
from emomedia.asr.transcript import to_body, transcribe
from emomedia.session import SIDES
from emomedia.speech import speech_session
from emomedia.voice.clean import masks
from tests.rooms import marked
from tests.spoken import MODEL, Laid, error_rate, heard_text, laid, mandarin

CORES = 2
RATE = 16_000
NEAR = 0.1
"""Seconds around an actor's speech in which a word counts as hers."""

PLAIN, BATCHED = "faster-whisper, plain", "faster-whisper, batched"
OURS, OURS_FULL = "emomedia", "emomedia, windows of 30 s"
RAW, OURS_RAW = "faster-whisper, batched, own activity", "emomedia, own activity"

Transcript = dict[str, Any]
Work = Callable[[], Transcript]


def conversation(times: int) -> Laid:
    return laid(chain.from_iterable([mandarin()] * times), seed=3)


# --- contenders: each gives something that does the whole work once


def emomedia_given(spoken: Laid, folder: Path, model: Path = MODEL) -> Work:
    active = {side: marked(ranges, round(spoken.seconds * 100)) for side, ranges in spoken.activity().items()}
    tracks = Tracks(spoken.tracks(folder), active)
    return lambda: _transcript(tracks, model)


def emomedia_in_full_windows(spoken: Laid, folder: Path) -> Work:
    model = folder / "model"
    model.mkdir()
    for file in MODEL.iterdir():
        if file.name != "emomedia.json":
            (model / file.name).symlink_to(file.resolve())
    return emomedia_given(spoken, folder, model)


def emomedia_raw(spoken: Laid, folder: Path) -> Work:
    pcm = spoken.tracks(folder)

    def work() -> Transcript:
        tracks = Tracks(pcm, masks(speech_session("s", pcm)))
        return _transcript(tracks, MODEL)

    return work


def _transcript(tracks: Tracks, model: Path) -> Transcript:
    folder = model_folder(model)
    return to_body(transcribe(folder, placed("cpu"), tracks, language="zh", workers=CORES), folder)


def _peer(batched: bool) -> Any:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    model = WhisperModel(str(MODEL), device="cpu", compute_type="int8", cpu_threads=CORES)
    return BatchedInferencePipeline(model) if batched else model


def _heard(spoken: Laid, folder: Path) -> dict[str, np.ndarray]:
    """The tracks as faster-whisper takes them."""
    import soxr

    pcm = spoken.tracks(folder)
    real = {side: pcm[side].array.astype(np.float32) / (1 << (pcm[side].bits - 1)) for side in SIDES}
    return {side: soxr.resample(real[side], 48_000, RATE).astype(np.float32) for side in SIDES}


def _as_transcript(heard: dict[str, Any]) -> Transcript:
    return {side: [{"words": list(_words(parts))} for parts in [heard[side]]] for side in SIDES}


def _words(parts: Any) -> Iterator[dict[str, Any]]:
    for part in parts:
        for word in part.words:
            yield {"text": word.word, "start": word.start, "end": word.end}


def peer_batched(spoken: Laid, folder: Path) -> Work:
    model, heard, activity = _peer(True), _heard(spoken, folder), spoken.activity()
    clips = {side: [{"start": start, "end": end} for start, end in activity[side]] for side in SIDES}
    return lambda: _as_transcript(
        {
            side: model.transcribe(
                heard[side], language="zh", clip_timestamps=clips[side], word_timestamps=True, batch_size=8
            )[0]
            for side in SIDES
        }
    )


def peer_plain(spoken: Laid, folder: Path) -> Work:
    model, heard, activity = _peer(False), _heard(spoken, folder), spoken.activity()
    clips = {side: [edge for stretch in activity[side] for edge in stretch] for side in SIDES}
    return lambda: _as_transcript(
        {
            side: model.transcribe(
                heard[side], language="zh", clip_timestamps=clips[side], word_timestamps=True,
                condition_on_previous_text=False,
            )[0]
            for side in SIDES
        }
    )  # fmt: skip


def peer_raw(spoken: Laid, folder: Path) -> Work:
    model, heard = _peer(True), _heard(spoken, folder)
    return lambda: _as_transcript(
        {
            side: model.transcribe(heard[side], language="zh", word_timestamps=True, batch_size=8)[0]
            for side in SIDES
        }
    )


CONTENDERS: dict[str, Callable[[Laid, Path], Work]] = {
    PLAIN: peer_plain,
    BATCHED: peer_batched,
    OURS: emomedia_given,
    OURS_FULL: emomedia_in_full_windows,
    RAW: peer_raw,
    OURS_RAW: emomedia_raw,
}


# --- measuring


def one(name: str, times: int, rounds: int) -> dict[str, Any]:
    """One contender's seconds, peak memory, and what it got right."""
    spoken = conversation(times)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        CONTENDERS[name](laid(mandarin()[:3]), Path(other))()
        work = CONTENDERS[name](spoken, Path(folder))
        seconds, found = [], dict[str, Any]()
        for _ in range(rounds):
            begin = time.perf_counter()
            found = work()
            seconds.append(time.perf_counter() - begin)
    texts = [(said.utterance.text, heard_text(found, said)) for said in spoken.said]
    return {
        "seconds": min(seconds),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "errors": error_rate(texts),
        "foreign": foreign_words(found, spoken),
    }


def foreign_words(found: Transcript, spoken: Laid) -> int:
    """Words whose middle lies where their actor does not speak."""
    activity = spoken.activity()
    middles = {
        side: [(word["start"] + word["end"]) / 2 for segment in found[side] for word in segment["words"]]
        for side in SIDES
    }
    return sum(
        not any(start - NEAR <= middle <= end + NEAR for start, end in activity[side])
        for side in SIDES
        for middle in middles[side]
    )


def clean_errors() -> float:
    """Character error rate of faster-whisper's own on the clean files, with all its defaults."""
    model = _peer(False)
    heard = [model.transcribe(one.sound, language="zh")[0] for one in mandarin()]
    texts = ["".join(part.text for part in parts) for parts in heard]
    return error_rate((one.text, text) for one, text in zip(mandarin(), texts, strict=True))


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.words", "--one", name]
    command += ["--times", str(options.times), "--rounds", str(options.rounds)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(told.splitlines()[-1]))


def bars(found: dict[str, dict[str, Any]], clean: float) -> list[tuple[str, float, float, bool]]:
    """What is asked for, what was found, the limit, and whether it is kept."""

    def faster(peer: str, ours: str) -> float:
        return float(found[peer]["seconds"] / found[ours]["seconds"])

    least = [
        ("given segments, beside batched: times as fast", faster(BATCHED, OURS), 1.2),
        ("given segments, beside plain: times as fast", faster(PLAIN, OURS), 2.5),
        ("own activity, beside batched: times as fast", faster(RAW, OURS_RAW), 2.0),
    ]
    most = [
        ("peak memory, given segments, beside batched", _memory(found, OURS, BATCHED), 1.2),
        ("peak memory, own activity, beside batched", _memory(found, OURS_RAW, RAW), 1.2),
        ("errors beyond faster-whisper's on the clean files", found[OURS_RAW]["errors"] - clean, 0.01),
        ("words of the other actor", found[OURS_RAW]["foreign"], 0),
    ]
    kept = [(what, value, limit, value >= limit) for what, value, limit in least]
    return kept + [(what, value, limit, value <= limit) for what, value, limit in most]


def _memory(found: dict[str, dict[str, Any]], ours: str, peer: str) -> float:
    return float(found[ours]["peak_mib"] / found[peer]["peak_mib"])


def _line(name: str, seconds: float, peak_mib: float, errors: float, foreign: int) -> str:
    figures = f"{seconds:7.2f} s  {peak_mib:6.0f} MiB  {errors:7.2%} wrong  {foreign:3} words of the other"
    return f"{name:38} {figures}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=2, help="how often the utterances are said")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.times, options.rounds)))
        return
    clean = clean_errors()
    seconds = conversation(options.times).seconds
    print(
        f"{seconds:.0f} s of two tracks; faster-whisper on the clean files: {clean:.2%} of characters wrong"
    )
    found = {}
    for name in CONTENDERS:
        found[name] = measured(name, options)
        print(_line(name, **found[name]), flush=True)
    judged = bars(found, clean)
    for what, value, limit, is_kept in judged:
        print(f"{what:52} {value:8.3f}  limit {limit:g}  {'kept' if is_kept else 'MISSED'}")
    sys.exit(not all(is_kept for *_, is_kept in judged))


if __name__ == "__main__":
    main()
