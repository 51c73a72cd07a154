"""Which takes a GPU decodes, how many workers' decoders it holds, and what is said where none can be used."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from emomedia import _core
from emomedia.cutting import _opened
from emomedia.errors import DeviceError
from emomedia.options import Options
from emomedia.placement import MEMORY_SHARE, decoder_bytes, place, placed, placed_for_frames

GIB = 1 << 30


def limit(
    codec: str, chroma: int = 420, depth: int = 8, most: tuple[int, int] = (4096, 4096), engines: int = 7
) -> Any:
    macroblocks = most[0] * most[1] // 256
    return SimpleNamespace(
        codec=codec, chroma=chroma, depth=depth, engines=engines,
        max_width=most[0], max_height=most[1], max_macroblocks=macroblocks,
    )  # fmt: skip


# What an H100 says of itself.
HOPPER = [
    limit("h264"),
    *(limit("hevc", chroma, depth, (8192, 8192)) for chroma in (420, 444) for depth in (8, 10, 12)),
    *(limit("vp9", 420, depth, (8192, 8192)) for depth in (8, 10, 12)),
]


def gpu(
    index: int = 0, free: int = 70 * GIB, decodes: Any = HOPPER, compute: tuple[int, int] = (9, 0)
) -> Any:
    return SimpleNamespace(
        index=index, name="NVIDIA H100", free_memory=free, decodes=decodes,
        compute_major=compute[0], compute_minor=compute[1],
    )  # fmt: skip


def found(
    *gpus: Any, reason: str = "", driver: int = 13000, runtime: int = 13000, refused: Any = None
) -> Any:
    return SimpleNamespace(
        gpus=list(gpus), refused=refused or {}, reason=reason, driver=driver, runtime=runtime
    )


def take(
    codec: str = "h264", depth: int = 8, chroma: str = "4:2:0", fields: str = "progressive", **size: int
) -> Any:
    return SimpleNamespace(
        files=[SimpleNamespace(codec=codec)], bit_depth=depth, chroma=chroma, fields=fields,
        width=size.get("width", 2160), height=size.get("height", 3840),
    )  # fmt: skip


def both(one: Any, other: Any | None = None) -> dict[str, Any]:
    return {"left": one, "right": other or one}


def test_without_a_gpu_auto_means_the_cores():
    none = found(reason="no CUDA device is visible", driver=0)
    placement = placed("auto", both(take()), 8, none)
    assert (placement.gpus, placement.cores, placement.workers) == ((), {}, 8)
    assert placement.on_gpu == (False, False)


def test_cpu_asks_no_gpu():
    assert place("cpu", both(take()), 3).gpus == ()
    assert placed("cpu", both(take()), 3, found(gpu())).on_gpu == (False, False)


@pytest.mark.parametrize(
    "one",
    [take(), take("hevc"), take("hevc", 10), take("hevc", 12), take("vp9", 10)],
    ids=lambda one: one.files[0].codec,
)
def test_what_the_gpu_names_it_decodes(one):
    for device in ("auto", "cuda"):
        placement = placed(device, both(one), 16, found(gpu()))
        assert (placement.gpus, placement.cores, placement.workers) == ((0,), {}, 16)
        assert placement.on_gpu == (True, True)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (take("h264", 10), "NVIDIA H100 does not decode h264 4:2:0 with 10 bits"),
        (take("hevc", 10, "4:2:2"), "4:2:2: emomedia has GPUs decode 4:2:0 alone"),
        (take("hevc", 8, "4:4:4"), "4:4:4: emomedia has GPUs decode 4:2:0 alone"),
        (take("mpeg2video"), "NVIDIA H100 does not decode mpeg2video 4:2:0 with 8 bits"),
        (take("av1"), "NVIDIA H100 does not decode av1 4:2:0 with 8 bits"),
        (
            take(width=4320, height=7680),
            "NVIDIA H100 decodes h264 4:2:0 with 8 bits up to 4096x4096, not 4320x7680",
        ),
        (take(fields="top first"), "interlaced: whole frames are made on the cores"),
        (
            take("vp9", width=1080, height=1919),
            "1080x1919: NVDEC gives pictures of even width and height alone",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_does_not_name_is_decoded_on_the_cores_and_said(one, reason):
    mixed = placed("cuda", both(take(), one), 16, found(gpu()))
    assert (mixed.gpus, dict(mixed.cores), mixed.on_gpu) == ((0,), {"right": reason}, (True, False))
    alone = placed("auto", both(one), 16, found(gpu()))
    assert (alone.gpus, dict(alone.cores)) == ((), {"left": reason, "right": reason})
    with pytest.raises(DeviceError) as caught:
        placed("cuda", both(one), 16, found(gpu()))
    assert reason in str(caught.value)


def test_a_picture_with_too_many_macroblocks_stays_on_the_cores():
    narrow = limit("h264", most=(4096, 4096))
    narrow.max_macroblocks = 32400 // 2
    placement = placed("auto", both(take()), 16, found(gpu(decodes=[narrow])))
    assert set(placement.cores) == {"left", "right"}


def test_of_several_gpus_those_are_used_that_decode_the_most():
    old = gpu(0, decodes=[limit("h264")])
    assert placed("auto", both(take("hevc")), 4, found(old, gpu(1))).gpu_of == (1, 1, 1, 1)
    assert placed("auto", both(take(), take("hevc")), 2, found(old, gpu(1))).gpu_of == (1, 1)
    assert placed("auto", both(take()), 4, found(old, gpu(1))).gpu_of == (0, 1, 0, 1)
    other = SimpleNamespace(**vars(gpu(1)) | {"name": "NVIDIA L4"})  # which the reason names
    assert placed("auto", both(take(), take(depth=10)), 4, found(gpu(), other)).gpu_of == (0, 1, 0, 1)


def test_as_many_workers_have_a_gpu_as_decoders_fit_its_memory():
    one = take("hevc", 10)
    free = int(2 * decoder_bytes(one) * 2.5 / MEMORY_SHARE)
    alone = placed("cuda", both(one), 4, found(gpu(3, free=free)))
    assert (alone.workers, alone.gpu_of, alone.gpus) == (4, (3, 3, None, None), (3,))
    assert alone.number_of == (0, 0, -1, -1)
    two = placed("cuda", both(one), 5, found(gpu(1, free=free), gpu(4, free=free // 2)))
    assert (two.gpu_of, two.number_of) == ((1, 4, 1, None, None), (0, 1, 0, -1, -1))
    assert placed("cuda", both(one), 1, found(gpu(free=free))).gpu_of == (0,)
    # One take alone needs half of it.
    half = placed("cuda", both(one, take("prores", 10, "4:2:2")), 9, found(gpu(free=free)))
    assert half.gpu_of == (*[0] * 5, *[None] * 4)


def test_as_many_workers_have_a_gpu_as_its_engines_keep_up_with():
    def on_gpu(engines: int, one: Any, other: Any = None, workers: int = 99) -> int:
        card = gpu(free=900 * GIB, decodes=[limit("h264", engines=engines), limit("hevc", depth=10)])
        return placed("auto", both(one, other), workers, found(card)).gpu_of.count(0)

    assert [on_gpu(engines, take()) for engines in (1, 2, 4, 7)] == [6, 12, 24, 42]
    assert on_gpu(0, take()) == 6  # a driver that does not tell
    assert on_gpu(7, take(), workers=16) == 16
    assert on_gpu(1, take(), take("prores", 10, "4:2:2")) == 12  # one of them alone
    assert on_gpu(1, take(width=1080, height=1920)) == 24
    assert on_gpu(1, take(), take("hevc", 10)) == 10  # 1/12 of one engine and 1/84 of seven


def test_workers_go_to_the_gpu_that_has_least_to_do():
    one, other = gpu(0, decodes=[limit("h264", engines=1)]), gpu(1, decodes=[limit("h264", engines=3)])
    assert placed("auto", both(take()), 8, found(one, other)).gpu_of == (1, 1, 0, 1, 1, 1, 0, 1)
    # Another session has begun on the first one.
    assert placed("auto", both(take()), 2, found(gpu(0, free=60 * GIB), gpu(1))).gpu_of == (1, 0)


def test_a_gpu_without_room_is_left_alone():
    small = found(gpu(free=100 << 20))
    placement = placed("auto", both(take()), 16, small)
    assert (placement.gpus, placement.workers) == ((), 16)
    assert placement.cores["left"] == "its decoder does not fit the free memory of NVIDIA H100"
    with pytest.raises(DeviceError, match="does not fit"):
        placed("cuda", both(take()), 16, small)
    assert placed("auto", both(take()), 2, found(gpu(free=100 << 20), gpu(1))).gpu_of == (1, 1)


def test_a_gpu_that_cannot_be_had_leaves_its_workers_to_the_others(monkeypatch):
    shut = {1}

    def open_gpu(index: int) -> str:
        if index in shut:
            raise DeviceError(f"GPU {index}", expected="to begin", found="out of memory", remedy="wait")
        return f"opened {index}"

    monkeypatch.setattr(_core, "find_gpus", lambda: found(gpu(0), gpu(1), gpu(2)))
    monkeypatch.setattr(_core, "open_gpu", open_gpu)

    def opened(device: Any) -> Any:
        work = SimpleNamespace(takes=both(take()), options=Options(device=device, workers=4))
        return _opened(work, place(device, work.takes, 4))

    there, gpus = opened("auto")
    assert (there.gpu_of, dict(there.shut)) == ((0, 2, 0, 2), {1: "GPU 1: out of memory"})
    assert gpus == {0: "opened 0", 2: "opened 2"}
    assert (there.cores, there.on_gpu) == ({}, (True, True))
    assert opened("cuda") == (there, gpus)
    # One that another program has for itself cannot even be looked at.
    with monkeypatch.context() as patch:
        patch.setattr(_core, "find_gpus", lambda: found(gpu(1), gpu(2), refused={0: "GPU 0: busy"}))
        there, _ = opened("auto")
    assert (there.gpu_of, [*there.shut.values()]) == ((2, 2, 2, 2), ["GPU 0: busy", "GPU 1: out of memory"])
    busy = found(reason="GPU 0: busy", refused={0: "GPU 0: busy"})
    assert placed("auto", both(take()), 4, busy).cores == {"left": "GPU 0: busy", "right": "GPU 0: busy"}
    with pytest.raises(DeviceError, match="found GPU 0: busy"):
        placed("cuda", both(take()), 4, busy)
    with pytest.raises(DeviceError, match="found GPU 0: busy; end other programs on it, or choose"):
        placed_for_frames(both(take()), busy)
    shut |= {0, 2}
    with pytest.raises(DeviceError, match="; GPU 2: out of memory; end other programs on it, or choose"):
        opened("cuda")
    there, gpus = opened("auto")
    assert (there.gpus, gpus, len(there.shut)) == ((), {}, 3)
    assert all(f"GPU {index}: out of memory" in there.cores["left"] for index in shut)


def test_gpus_that_the_kernel_is_not_compiled_for_are_left_alone():
    volta = gpu(compute=(7, 0))
    reason = "NVIDIA H100 has compute capability 7.0, below 7.5"
    assert placed("auto", both(take()), 2, found(volta)).cores["right"] == reason
    assert placed("auto", both(take()), 2, found(volta, gpu(1, compute=(7, 5)))).gpu_of == (1, 1)
    with pytest.raises(DeviceError, match="below 7"):
        placed_for_frames(both(take()), found(volta))


def test_a_missing_decoder_library_is_named():
    why = placed("auto", both(take()), 2, found(gpu(decodes=[]))).cores["left"]
    assert "libnvcuvid" in why
    assert "NVIDIA_DRIVER_CAPABILITIES" in why


def test_frames_come_in_a_gpu_that_decodes_nothing_too():
    raw = both(take("prores", 10, "4:2:2"))
    placement = placed_for_frames(raw, found(gpu(0, free=GIB), gpu(1)))
    assert (placement.gpus, placement.on_gpu) == ((1,), (False, False))
    mixed = placed_for_frames(both(take(), raw["left"]), found(gpu()))
    assert (mixed.gpus, mixed.on_gpu) == ((0,), (True, False))
    with pytest.raises(DeviceError, match="no driver"):
        placed_for_frames(raw, found(driver=0))


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (found(reason="x", driver=0), "found no driver of NVIDIA's; install NVIDIA's driver 580 or newer"),
        (
            found(reason="x", driver=12080),
            "found a driver for CUDA 12.8, where this build has 13.0; install NVIDIA's driver 580 or newer",
        ),
        (found(reason="no CUDA device is visible"), "found no CUDA device is visible"),
        (
            found(reason="no CUDA device is visible", driver=12020, runtime=12090),
            "found no CUDA device is visible",
        ),
        (
            found(reason="this build has no CUDA: it was made without nvcc", driver=0, runtime=0),
            "made without nvcc; install the CUDA toolkit and build again",
        ),
    ],
)
def test_where_there_is_none_the_error_names_the_driver_or_the_build(there, words):
    with pytest.raises(DeviceError) as caught:
        placed("cuda", both(take()), 1, there)
    assert words in str(caught.value)
    assert "--device cpu" in str(caught.value)
