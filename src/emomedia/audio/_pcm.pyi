from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

_Sample = TypeVar("_Sample", bound=np.int16 | np.int32 | np.float32)
_Real = TypeVar("_Real", np.float32, np.float64)

Pcm = npt.NDArray[np.int16 | np.int32]

def pick(block: npt.NDArray[Any], channel: int, bits: int) -> Pcm: ...
@overload
def to_real(pcm: Pcm) -> npt.NDArray[np.float32]: ...
@overload
def to_real(pcm: Pcm, dtype: type[_Real]) -> npt.NDArray[_Real]: ...
def quantise(real: npt.NDArray[np.float64], bits: int, first: int = 0) -> Pcm: ...
def cut(pcm: npt.NDArray[_Sample], first: int, end: int) -> npt.NDArray[_Sample]: ...
