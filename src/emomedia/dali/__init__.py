"""Training batches from a finished dataset, made by NVIDIA DALI on the GPU or on the CPU: :class:`Loader`."""

from .loader import Batch, Loader
from .options import LoaderOptions

__all__ = ["Batch", "Loader", "LoaderOptions"]
