# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The loops over samples: pick a channel, convert, quantise with dither, cut.

One fixed-point contract holds for all of them.  A track is kept as int16 (bits 16) or as int32 that
holds 24-bit values (bits 24, from -8388608 to 8388607).  Full scale is 1.0 = 2**(bits - 1).  Rounding is
to the nearest integer, ties to even, and what does not fit is clamped.

The loops run without the GIL, read any strides, and write to fresh contiguous arrays.  What they compute
is spelled out once more in plain NumPy in ``tests/audio/pcm_twin.py``; the two agree in every sample.
"""

import numpy as np

from libc.math cimport rint
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t

ctypedef fused pcm_t:
    int16_t
    int32_t

ctypedef fused real_t:
    float
    double

ctypedef fused sample_t:
    int16_t
    int32_t
    float

cdef double TOP_16 = 32767.0
cdef double BOTTOM_16 = -32768.0
cdef double TOP_24 = 8388607.0
cdef double BOTTOM_24 = -8388608.0
cdef double STEPS_16 = 32768.0
cdef double STEPS_24 = 8388608.0
cdef double TO_UNIT = 1.0 / 4294967296.0


cdef inline double clamped(double value, double bottom, double top) noexcept nogil:
    if value != value:  # not a number: silence
        return 0.0
    return bottom if value < bottom else top if value > top else value


cdef inline uint64_t hashed(uint64_t counter) noexcept nogil:
    """The splitmix64 generator's output number `counter`: every index has its own, in any order."""
    cdef uint64_t z = counter * <uint64_t>0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef void pick_s16_as_16(const int16_t[:] source, int16_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = source[i]


cdef void pick_u8_as_16(const uint8_t[:] source, int16_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <int16_t>((<int32_t>source[i] - 128) * 256)


cdef void pick_u8_as_24(const uint8_t[:] source, int32_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = (<int32_t>source[i] - 128) * 65536


cdef void pick_s16_as_24(const int16_t[:] source, int32_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <int32_t>source[i] * 256


cdef void pick_s32_as_24(const int32_t[:] source, int32_t[::1] target) noexcept:
    """24 bits come left-aligned in 32 and pass exactly; true 32-bit samples are rounded."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <int32_t>clamped(rint(<double>source[i] / 256.0), BOTTOM_24, TOP_24)


cdef void pick_real_as_24(const real_t[:] source, int32_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <int32_t>rint(clamped(<double>source[i] * STEPS_24, BOTTOM_24, TOP_24))


def pick(block, Py_ssize_t channel, int bits):
    """One channel of a decoded block, at the depth that its track is kept in.

    Parameters
    ----------
    block : uint8, int16, int32, float32 or float64 [n, channels]
        As decoded; int32 is left-aligned, reals have full scale 1.0.
    channel : int
    bits : int
        16 (from 8 or 16 bits only: nothing is ever shortened on the way) or 24.

    Returns
    -------
    int16[n] or int32[n] (24-bit values)

    Raises
    ------
    IndexError
        If there is no such channel.
    TypeError
        If a block of this type cannot be kept in `bits`.
    """
    if not 0 <= channel < block.shape[1]:
        raise IndexError(f"channel {channel} of a block with {block.shape[1]} channels")
    column = block[:, channel]
    kind = column.dtype
    if bits == 16 and kind == np.int16:
        target = np.empty(len(column), np.int16)
        pick_s16_as_16(column, target)
    elif bits == 16 and kind == np.uint8:
        target = np.empty(len(column), np.int16)
        pick_u8_as_16(column, target)
    elif bits == 24 and kind == np.uint8:
        target = np.empty(len(column), np.int32)
        pick_u8_as_24(column, target)
    elif bits == 24 and kind == np.int16:
        target = np.empty(len(column), np.int32)
        pick_s16_as_24(column, target)
    elif bits == 24 and kind == np.int32:
        target = np.empty(len(column), np.int32)
        pick_s32_as_24(column, target)
    elif bits == 24 and kind == np.float32:
        target = np.empty(len(column), np.int32)
        pick_real_as_24[float](column, target)
    elif bits == 24 and kind == np.float64:
        target = np.empty(len(column), np.int32)
        pick_real_as_24[double](column, target)
    else:
        raise TypeError(f"samples of type {kind} cannot be kept in {bits} bits")
    return target


cdef void scale(const pcm_t[:] source, real_t[::1] target) noexcept:
    cdef Py_ssize_t i
    cdef real_t step = 1.0 / 32768.0 if pcm_t is int16_t else 1.0 / 8388608.0
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <real_t>source[i] * step


def to_real(pcm, dtype=np.float32):
    """PCM as reals with full scale 1.0; exact in both real types.

    Parameters
    ----------
    pcm : int16[n] or int32[n] (24-bit values)
    dtype : float32 or float64

    Returns
    -------
    dtype[n]
    """
    target = np.empty(len(pcm), dtype)
    if pcm.dtype == np.int16 and target.dtype == np.float32:
        scale[int16_t, float](pcm, target)
    elif pcm.dtype == np.int16 and target.dtype == np.float64:
        scale[int16_t, double](pcm, target)
    elif pcm.dtype == np.int32 and target.dtype == np.float32:
        scale[int32_t, float](pcm, target)
    elif pcm.dtype == np.int32 and target.dtype == np.float64:
        scale[int32_t, double](pcm, target)
    else:
        raise TypeError(f"cannot make {target.dtype} of {pcm.dtype}")
    return target


cdef void round_to_24(const double[:] source, int32_t[::1] target) noexcept:
    cdef Py_ssize_t i
    with nogil:
        for i in range(source.shape[0]):
            target[i] = <int32_t>rint(clamped(source[i] * STEPS_24, BOTTOM_24, TOP_24))


cdef void dither_to_16(const double[:] source, int16_t[::1] target, uint64_t first) noexcept:
    """Add the sum of two uniform values, a triangle over (-1, 1) steps."""
    cdef Py_ssize_t i
    cdef uint64_t bits
    cdef double noise
    with nogil:
        for i in range(source.shape[0]):
            bits = hashed(first + <uint64_t>i)
            noise = <double>((bits >> 32) + (bits & <uint64_t>0xFFFFFFFF)) * TO_UNIT - 1.0
            target[i] = <int16_t>rint(clamped(source[i] * STEPS_16 + noise, BOTTOM_16, TOP_16))


def quantise(real, int bits, uint64_t first=0):
    """Reals as PCM: rounded to 24 bits, or to 16 with triangular dither.

    The dither is a function of the sample's index alone, so that it does not depend on how a track is
    split into blocks.

    Parameters
    ----------
    real : float64[n]
        Full scale 1.0.
    bits : int
        16 or 24.
    first : int
        Index of ``real[0]``; counts for the dither.

    Returns
    -------
    int16[n] or int32[n] (24-bit values)
    """
    if bits == 24:
        target = np.empty(len(real), np.int32)
        round_to_24(real, target)
    elif bits == 16:
        target = np.empty(len(real), np.int16)
        dither_to_16(real, target, first)
    else:
        raise ValueError(f"{bits} bits; PCM is kept in 16 or 24")
    return target


cdef void copy_range(const sample_t[:] source, int64_t first, sample_t[::1] target) noexcept:
    cdef int64_t i
    cdef int64_t length = target.shape[0]
    cdef int64_t begin = min(max(<int64_t>0, -first), length)
    cdef int64_t end = max(begin, min(length, source.shape[0] - first))
    with nogil:
        for i in range(begin):
            target[i] = <sample_t>0
        for i in range(begin, end):
            target[i] = source[first + i]
        for i in range(end, length):
            target[i] = <sample_t>0


def cut(pcm, int64_t first, int64_t end):
    """Samples ``first … end - 1`` as a fresh array, zeros where `pcm` has none.

    Parameters
    ----------
    pcm : int16[n], int32[n] or float32[n]
    first, end : int
        May lie outside ``0 … n``.

    Returns
    -------
    array of pcm's type [end - first]
    """
    target = np.empty(max(0, end - first), pcm.dtype)
    if pcm.dtype == np.int16:
        copy_range[int16_t](pcm, first, target)
    elif pcm.dtype == np.int32:
        copy_range[int32_t](pcm, first, target)
    elif pcm.dtype == np.float32:
        copy_range[float](pcm, first, target)
    else:
        raise TypeError(f"cannot cut samples of type {pcm.dtype}")
    return target
