"""A small session's descriptions, whole and right: what the seeds and the tests of the entries start from."""

from __future__ import annotations

from typing import Any

from emomedia.session import SIDES

SESSION = """\
id = "s1"
[left]
actor = "A017"
video = ["a.mp4", "b.mp4"]
mic = { file = "recorder.wav", channel = 0 }
rotate = 90
crop = { x = 0, y = 410, width = 2160, height = 2430 }
mic_offset = -0.5
camera_distance = 1.2
[right]
actor = "A052"
video = "c.mp4"
mic = { file = "recorder.wav", channel = 1 }
offset = 0.12
[[dialogue]]
id = "s1_000"
start = 1.0
end = 10.3
topic = "Weather"
emotion = "Joy"
script = "scripts.json"
[[dialogue]]
id = "s1_001"
start = 12.0
end = 14
[[exclude]]
start = 10.5
end = 11.5
"""

TURNS: dict[str, Any] = {
    "session": "s1",
    "dialogues": [{"id": "s1_000", "start": 1.0, "end": 10.3, "topic": "Weather", "emotion": None}],
    "turns": [
        {
            "id": "s1_000_000", "dialogue": "s1_000", "speaker": "left", "start": 1.44, "end": 4.98,
            "text": "你最近去过上海吗？", "overlap_s": 0.5, "gap_s": None, "backchannel": False,
            "words": [{"text": "你", "start": 1.44, "end": 1.61, "probability": 0.98}], "flags": [],
        },
        {
            "id": "s1_000_001", "dialogue": "s1_000", "speaker": "right", "start": 4.48, "end": 9.0,
            "overlap_s": 0.5, "gap_s": -0.5, "backchannel": True, "flags": ["odd"],
        },
        {"id": "alone", "dialogue": None, "speaker": "left", "start": 12, "end": 13.000000001},
    ],
}  # fmt: skip

SCRIPT: dict[str, Any] = {
    "dialogue": {
        "topic_label": "Travel",
        "num_utterances": 2,
        "utterances": [
            {"utterance_id": 1, "speaker_id": "A", "emotion_label": "Joy", "text": "你最近去过上海吗？"},
            {"utterance_id": 2, "speaker_id": "B", "emotion_label": None, "text": "没有，怎么了？"},
        ],
    }
}

PLAN: dict[str, Any] = {
    "session": "s1",
    "rate": "25/1",
    "footage": [0, 500],
    "spans": [[25, 9], [34, 1], [35, 90], [300, 25]],
    "chunks": [[0, 3], [3, 1]],
    "clips": [
        {"id": "d", "kind": "dialogue", "dialogue": "d", "speaker": None,
         "first_frame": 25, "frame_count": 100, "first_span": 0, "span_count": 3},
        {"id": "t", "kind": "turn", "dialogue": "d", "speaker": "left",
         "first_frame": 34, "frame_count": 91, "first_span": 1, "span_count": 2},
        {"id": "u", "kind": "turn", "dialogue": None, "speaker": "right",
         "first_frame": 300, "frame_count": 25, "first_span": 3, "span_count": 1},
    ],
}  # fmt: skip

SYNC: dict[str, Any] = {
    "session": "s1",
    "left": {
        "take": {"offset": 0.0, "drift_ppm": 0.0, "method": "reference", "confidence": 1.0},
        "track": {"offset": -3.2071, "drift_ppm": 41.7, "residual_ms": 0.3, "method": "sound"},
    },
    "right": {
        "take": {"offset": 0.12, "method": "declared"},
        "track": {"offset": 1, "drift_ppm": -20, "later": [{"from": 3.5, "offset": 1.25, "drift_ppm": -20}]},
    },
}


def _heard(words: list[dict[str, Any]]) -> dict[str, Any]:
    return {"start": 1.4, "end": 4.5, "text": "你好", "words": words, "flags": ["doubtful"]}


SPEECH: dict[str, Any] = {
    "session": "s1",
    "left": {"activity": [[1.44, 4.98], [12.0, 13.5]], "noise_db": -61.2, "snr_db": 38.0, "flags": []},
    "right": {"activity": [[4.48, 9.0]], "noise_db": None, "snr_db": None, "flags": ["swapped"]},
    "overlaps": [[4.48, 4.98]],
    "transcript": {
        "model": {"name": "m", "sha256": "0" * 64}, "language": "zh",
        "left": [_heard([{"text": "你", "start": 1.5, "end": 1.7, "probability": 0.9}])],
        "right": [_heard([])],
    },
}  # fmt: skip


def _track(file: str, own_audio: bool) -> dict[str, Any]:
    return {
        "path": file, "stream": 0, "channel": 1, "sample_rate": 48000, "bits": 24, "codec": "pcm_s24le",
        "lossless": True, "own_audio": own_audio, "start": "-1/3",
        "later": [{"path": "b.mp4", "stream": 1, "start": "4/1"}],
    }  # fmt: skip


def _take(sound: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "width": 2160, "height": 3840, "bit_depth": 8, "chroma": "4:2:0", "range": "limited",
        "matrix": "bt709", "primaries": "bt709", "transfer": "bt709", "siting": "left",
        "fields": "top first", "aspect": "4/3", "rotate": 180, "mirrored": True, "lut": None, "alpha": False,
        "crop": {"x": 0, "y": 705, "width": 2160, "height": 2430}, "rate": "25/1", "variable": False,
        "missing": 0, "interval": "1/25", "sound": sound,
        "files": [
            {"path": "a.mp4", "stream": 0, "codec": "h264", "container": "mov", "timecode": None,
             "hidden": 5, "open_gops": True, "undecodable": 0, "time_base": "1/12800", "base": "0/1",
             "frames": [[0, 512, 100]], "keys": [[0, 10, 3], [99, 0, 1]]},
            {"path": "b.mp4", "stream": 0, "codec": "h264", "container": "mov", "timecode": None,
             "hidden": 5, "open_gops": True, "undecodable": 0, "time_base": "1/12800", "base": "4/1",
             "frames": [[5, 512, 2], [1030, 0, 1]], "keys": [[0, 0, 1]]},
        ],
    }  # fmt: skip


SESSION_JSON: dict[str, Any] = {
    "session": "s1",
    "rate": "30000/1001",
    "left": {"take": _take(_track("a.mp4", True)), "track": _track("recorder.wav", False)},
    "right": {"take": _take(None), "track": _track("c.mp4", True)},
}


def _row(clip: str, kind: str) -> dict[str, Any]:
    audio = [{"path": f"s1/audio/{clip}.{side}.flac", "sha256": "0" * 64, "side": side} for side in SIDES]
    clean = [voice | {"path": f"s1/audio/{clip}.{voice['side']}.clean.flac"} for voice in audio[1:]]
    sides = [
        {"side": side, "path": f"s1/clips/{clip}.{side}.mp4", "sha256": "0" * 64, "bytes": 500,
         "width": 960, "height": 1080}
        for side in SIDES if kind == "turn"
    ]  # fmt: skip
    side = {"take_first_frame": 3, "track_first_sample": -7, "sample_count": 192000, "filled_samples": 0,
            "damaged_samples": 0, "clipped_samples": 0, "damaged_frames": 0}  # fmt: skip
    return {
        "id": clip, "kind": kind, "session": "s1", "dialogue": "d", "speaker": None,
        "path": f"s1/clips/{clip}.mp4", "sha256": "0" * 64, "bytes": 1000, "audio": audio, "clean": clean,
        "sides": sides,
        "first_frame": 25, "frame_count": 100, "fps": "25/1", "start": 1.0, "end": 5.0,
        "sample_count": 192000, "damaged_frames": 0, "left": side, "right": side, "text": "你好",
        "topic": None, "emotion": "Joy",
        "turns": [{"id": "t", "speaker": "left", "start": 0.1, "end": 3.9, "text": "你好", "emotion": "Joy",
                   "backchannel": False, "overlap_s": 0.0, "gap_s": None, "flags": []}],
        "words": [
            {"text": "你", "start": 0.1, "end": 0.2, "probability": 0.9, "speaker": "left", "turn": "t"},
            {"text": "好", "start": 0.2, "end": 0.4, "probability": None, "speaker": "left", "turn": "t"},
        ],
        "quality": {}, "keep": True, "reasons": [],
        "provenance": {"version": "0", "libraries": [], "settings": {}, "models": {}, "key": "0" * 64},
    }  # fmt: skip


def rows() -> list[dict[str, Any]]:
    """Two lines of a clips.jsonl."""
    return [_row("d", "dialogue"), _row("t", "turn")]


CUBE = "\n".join(
    ['TITLE "two" # points', "LUT_3D_SIZE 2", "DOMAIN_MIN 0 0 0", "DOMAIN_MAX 1 1.5 1e0"]
    + [f"{r} {g} {b}.25" for b in (0, 1) for g in (0, 1) for r in (0, 1)]
)
