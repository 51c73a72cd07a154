"""Every error that emomedia raises on purpose, one class per cause.

An error names its subject (usually a file), what was expected there, what was found instead, and
what to do about it.  Each class is also the matching builtin, so that callers who know nothing of
emomedia can still catch ``FileNotFoundError`` or ``ValueError``.
"""

from __future__ import annotations

import os
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters of a file's name or metadata that would act on the reader's terminal or break the line."""


class EmomediaError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    subject : str or path
        The file, key or option that the error is about.
    expected, found, remedy : str
        What should have been there, what was, and what the user can do.
    """

    def __init__(
        self,
        subject: str | os.PathLike[str],
        *,
        expected: str,
        found: str,
        remedy: str,
    ) -> None:
        self.subject = os.fspath(subject)
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.subject}: expected {self.expected}, found {self.found}; {self.remedy}"
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.subject, self.expected, self.found, self.remedy))


def _rebuild(
    kind: type[EmomediaError], subject: str, expected: str, found: str, remedy: str
) -> EmomediaError:
    return kind(subject, expected=expected, found=found, remedy=remedy)


class DescriptionError(EmomediaError, ValueError):
    """session.toml, turns.json or another input of the user's is invalid."""


class MediaNotFoundError(EmomediaError, FileNotFoundError):
    """A take, a track or a description is not where it was said to be."""


class MediaError(EmomediaError, ValueError):
    """A media file cannot be read as what it claims to be: truncated, broken, not media."""


class UnsupportedMediaError(EmomediaError, ValueError):
    """A media file is intact, but of a kind that is not supported."""


class DamagedMediaError(MediaError):
    """More frames of a take are damaged than a session may have."""


class StalledError(EmomediaError, TimeoutError):
    """Waiting for a media file, a GPU's driver or a session of its encoder timed out."""


class SyncError(EmomediaError, ValueError):
    """Two recordings could not be brought onto one clock with confidence."""


class StageError(EmomediaError, ValueError):
    """A stage file in the output folder cannot be read back."""


class OutputError(EmomediaError, OSError):
    """An output could not be written."""


class OutputFullError(OutputError):
    """There is no room on the disk for a batch's ledger."""


class OutputBusyError(EmomediaError, BlockingIOError):
    """Another process is working in the same output folder."""


class BatchError(EmomediaError, RuntimeError):
    """Sessions of a batch failed; the others are done."""


class VerifyError(EmomediaError, ValueError):
    """Files of an output folder do not agree with its audit."""


class MissingToolError(EmomediaError, FileNotFoundError):
    """A program or package that a command needs is not installed."""


class ModelError(EmomediaError, ValueError):
    """A folder does not hold a usable model of a speech recogniser."""


class DeviceError(EmomediaError, RuntimeError):
    """A requested GPU is missing, cannot be used by this build or driver, or failed."""


class EngineError(EmomediaError, RuntimeError):
    """The engine failed for a reason that is not in the input."""
