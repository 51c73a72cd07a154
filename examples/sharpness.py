"""How sharp each actor's half is: ``python examples/sharpness.py SESSION.toml --device cuda``.

The variance of the luma's Laplacian, computed where the composites are: by CuPy in the GPU's memory, without
a copy of any frame, or by NumPy.  The sums are exact integers, so both give the same numbers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import emomedia


def moments(xp: Any, luma: Any) -> Any:
    """Sum and sum of squares of a picture's Laplacian, int64[2]; `xp` is NumPy or CuPy."""
    y = luma.astype(xp.int32)
    edges = 4 * y[1:-1, 1:-1] - y[:-2, 1:-1] - y[2:, 1:-1] - y[1:-1, :-2] - y[1:-1, 2:]
    return xp.stack([edges.sum(dtype=xp.int64), (edges * edges).sum(dtype=xp.int64)])


def variance(sums: np.ndarray, pixels: int) -> float:
    mean = int(sums[0]) / pixels
    return int(sums[1]) / pixels - mean * mean


def sharpness(session: Path, device: str = "cpu", **choice: Any) -> Iterator[tuple[int, float, float]]:
    """Number, left and right sharpness of each frame; `choice` as for ``emomedia.frames``."""
    if device == "cuda":
        import cupy as xp
    else:
        xp = np
    numbers, sums, pixels = [], [], 1
    with emomedia.frames(session, device=device, **choice) as frames:
        for frame in frames:
            luma = xp.asarray(frame.y)  # the frame's own memory
            half = luma.shape[1] // 2
            pixels = (luma.shape[0] - 2) * (half - 2)
            numbers.append(frame.number)
            sums.append(xp.stack([moments(xp, luma[:, :half]), moments(xp, luma[:, half:])]))
    if not sums:
        return
    all_sums = xp.stack(sums)
    if device == "cuda":
        all_sums = all_sums.get()  # the only copy to the host: 32 bytes a frame
    for number, (left, right) in zip(numbers, all_sums, strict=True):
        yield number, variance(left, pixels), variance(right, pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description="How sharp each actor's half is.")
    parser.add_argument("session", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--start", type=float)
    parser.add_argument("--end", type=float)
    arguments = parser.parse_args()
    choice = {"start": arguments.start, "end": arguments.end}
    for number, left, right in sharpness(arguments.session, arguments.device, **choice):
        print(f"{number}  {left:10.2f}  {right:10.2f}")


if __name__ == "__main__":
    main()
