"""``python -m fuzz.driver ENTRY [libFuzzer's arguments]``: fuzz a Python entry with atheris."""

from __future__ import annotations

import sys

import atheris

# Numba compiles the pixels when they are imported, and knows nothing of what atheris would put in.
with atheris.instrument_imports(include=["emomedia"], exclude=["emomedia.quality.pixels"]):
    import emomedia.schema.audit  # imported only when something is read
    import emomedia.schema.validation  # noqa: F401

    from . import entries

from .mutate import mutate


def main() -> None:
    entry = sys.argv.pop(1)

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        return mutate(entry, data, max_size, seed, atheris.Mutate)

    atheris.Setup(sys.argv, lambda data: entries.run(entry, data), custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
