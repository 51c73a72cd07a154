"""What the core would say of files that do not exist."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from emomedia.probe.take import FoundFile
from emomedia.session import Session, Side


def video(**changes):
    stream = {
        "index": 0,
        "type": "video",
        "codec": "h264",
        "time_base": (1, 12800),
        "start_pts": 0,
        "timecode": None,
        "width": 2160,
        "height": 3840,
        "pix_fmt": "yuv420p",
        "bit_depth": 8,
        "sub_x": 2,
        "sub_y": 2,
        "chroma": "4:2:0",
        "composable": True,
        "alpha": False,
        "range": "limited",
        "matrix": "bt709",
        "primaries": "bt709",
        "transfer": "bt709",
        "siting": "left",
        "field_order": "progressive",
        "frame_rate": (25, 1),
        "avg_rate": (25, 1),
        "sample_aspect": (1, 1),
        "rotate": 0,
        "mirrored": False,
        "attached_picture": False,
    }
    assert changes.keys() <= stream.keys()
    return stream | changes


def audio(**changes):
    stream = {
        "index": 1,
        "type": "audio",
        "codec": "pcm_s24le",
        "time_base": (1, 48000),
        "start_pts": 0,
        "timecode": None,
        "sample_rate": 48000,
        "channels": 2,
        "sample_fmt": "s32",
        "bits": 24,
        "lossless": True,
    }
    assert changes.keys() <= stream.keys()
    return stream | changes


def scan(pts, keys=(0,)):
    pts = np.asarray(pts, np.int64)
    key = np.zeros(len(pts), bool)
    key[list(keys)] = True
    return {"pts": pts, "key": key, "last_duration": 0, "hidden": 0, "leading": 0, "undecodable": 0}


def found(name="a.mp4", pts=None, keys=(0,), **changes):
    """A file of a take; by default a hundred frames at 25 fps."""
    pts = np.arange(100) * 512 if pts is None else pts
    return FoundFile(Path("/shoot") / name, video(**changes), scan(pts, keys))


def session(left=None, right=None):
    def side(**given):
        return Side(**{"actor": "A1", "video": (Path("/shoot/a.mp4"),)} | given)

    return Session("s1", Path("/shoot/session.toml"), side(**left or {}), side(**right or {}))


TICK = Fraction(1, 12800)
