"""Encoders' settings: key frames at fixed places, one thread, the same bytes on any machine."""

from __future__ import annotations

from collections.abc import Callable

from .camera import Camera
from .codecs import Codec

_QUANTISER = 3 * 118
"""MPEG's scale 3 in libav's units: as good as a camera's, for the codecs without a rate factor."""

_NO_SCENE_CUTS = 1_000_000_000

_LOOKAHEAD = 5
"""Frames that libx265 sees beyond a run of B-frames, which must fit into what it sees."""

Settings = dict[str, str]


def settings(camera: Camera) -> Settings:
    """libav's options for the camera's encoder."""
    common = {"flags": "+bitexact", "aspect": f"{camera.sample_aspect}".replace("/", ":")}
    if camera.interlaced:
        common["flags"] += "+ildct+ilme"
        common["field_order"] = "tt" if camera.interlaced == "tff" else "bb"
    own = _OWN[camera.codec](camera)
    return common | own | {"flags": common["flags"] + own.get("flags", "")}


def _x26x(camera: Camera, key: str, own: dict[str, int | str]) -> Settings:
    common: dict[str, int | str] = {
        "keyint": camera.gop,
        "min-keyint": camera.gop,
        "scenecut": 0,
        "open-gop": int(camera.open_gop),
        "bframes": camera.bframes,
        "b-adapt": 0,
    }
    text = ":".join(f"{option}={value}" for option, value in (common | own).items())
    return {"preset": camera.preset, "crf": str(camera.crf), key: text}


def _h264(camera: Camera) -> Settings:
    own: dict[str, int | str] = {"threads": 1, "lookahead-threads": 1, "cpu-independent": 1}
    if camera.interlaced:
        own[camera.interlaced] = 1
    return _x26x(camera, "x264-params", own)


def _hevc(camera: Camera) -> Settings:
    own: dict[str, int | str] = {"pools": "none", "frame-threads": 1, "log-level": "error"}
    return _x26x(camera, "x265-params", own | {"rc-lookahead": camera.bframes + _LOOKAHEAD})


def _av1(camera: Camera) -> Settings:
    return {"preset": "9", "crf": str(camera.crf), "g": str(camera.gop), "svtav1-params": "lp=1:scd=0"}


def _vp9(camera: Camera) -> Settings:
    gop = str(camera.gop)
    return {"cpu-used": "8", "crf": str(camera.crf), "b": "0", "g": gop, "keyint_min": gop}


def _prores(camera: Camera) -> Settings:
    return {"profile": "4444" if camera.chroma == "444" else "standard"}


def _dnxhd(camera: Camera) -> Settings:
    if camera.chroma == "444":
        return {"profile": "dnxhr_444"}
    return {"profile": "dnxhr_hqx" if camera.depth == 10 else "dnxhr_sq"}


def _mjpeg(_camera: Camera) -> Settings:
    return {"flags": "+qscale", "global_quality": str(_QUANTISER)}


def _mpeg2(camera: Camera) -> Settings:
    return {
        "flags": "+qscale" if camera.open_gop else "+qscale+cgop",
        "global_quality": str(_QUANTISER),
        "g": str(camera.gop),
        "bf": str(camera.bframes),
        "sc_threshold": str(_NO_SCENE_CUTS),
    }


_OWN: dict[Codec, Callable[[Camera], Settings]] = {
    "h264": _h264,
    "hevc": _hevc,
    "av1": _av1,
    "vp9": _vp9,
    "prores": _prores,
    "dnxhd": _dnxhd,
    "mjpeg": _mjpeg,
    "mpeg2": _mpeg2,
}
