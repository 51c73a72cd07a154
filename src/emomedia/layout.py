"""The names of files and folders in an output folder; no other module knows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .descriptions import file_name, show
from .errors import DescriptionError, OutputError

INDEX_NAME = "clips.parquet"
AUDIT_NAME = "clips.jsonl"
REPORT_NAME = "report.html"


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """The folder of one session in an output folder `out`."""

    out: Path
    session: str

    @property
    def path(self) -> Path:
        return self.out / self.session

    def stage(self, name: str) -> Path:
        """The stage file ``<name>.json``."""
        return self.path / f"{name}.json"

    @property
    def audit(self) -> Path:
        return self.path / AUDIT_NAME

    @property
    def run_report(self) -> Path:
        return self.path / "run.json"

    @property
    def clips(self) -> Path:
        return self.path / "clips"

    @property
    def audio(self) -> Path:
        return self.path / "audio"

    @property
    def spool(self) -> Path:
        """Chunks of an unfinished cut; gone when the session is done."""
        return self.path / "spool"

    @property
    def sound(self) -> Path:
        """Tracks brought onto the session clock, while a run needs them."""
        return self.path / "sound"

    @property
    def asr(self) -> Path:
        """Recognised batches; removed by a run without a model."""
        return self.path / "asr"

    @property
    def places(self) -> tuple[Path, ...]:
        """Its folders in which emomedia removes unknown files."""
        return self.clips, self.audio, self.spool, self.sound, self.asr

    def refuse_foreign(self) -> None:
        """Make sure that nothing outside this session can be removed or written.

        Raises
        ------
        OutputError
            One of the folders is a link to somewhere else, or the session's folder has folders of
            these names but no file that emomedia wrote.
        """
        for place in (self.path, *self.places):
            if place.is_symlink():
                raise OutputError(
                    place,
                    expected="a real folder",
                    found="a link to another place",
                    remedy="remove the link, or choose another --out",
                )
        there = [place for place in self.places if place.exists()]
        if there and not any(self.path.glob("*.json*")):
            raise OutputError(
                there[0],
                expected="nothing, or a session that emomedia made",
                found="a folder that emomedia did not make",
                remedy="choose another --out, or another id for the session",
            )

    def clip(self, clip_id: str) -> Path:
        return self.clips / f"{clip_id}.mp4"

    def side_clip(self, clip_id: str, side: str) -> Path:
        """The clip of one side alone."""
        return self.clips / f"{clip_id}.{side}.mp4"

    def refuse_shared_names(self, clip_ids: Iterable[str], sides: Iterable[str]) -> None:
        """Make sure that no clip's file would have the name of another clip's side alone.

        Raises
        ------
        DescriptionError
            An id is another one with a side's name behind it: ``d`` and ``d.left``.
        """
        known = {file_name(clip_id): clip_id for clip_id in clip_ids}
        for clip_id in known.values():
            for side in sides:
                other = known.get(file_name(f"{clip_id}.{side}"))
                if other is not None:
                    raise DescriptionError(
                        self.side_clip(clip_id, side),
                        expected=f"to be the {side} side of {show(clip_id)} alone",
                        found=f"the name of the clip {show(other)}",
                        remedy=f"rename one of the two, or leave {side} out of --layout",
                    )

    def voice(self, clip_id: str, side: str) -> Path:
        return self.audio / f"{clip_id}.{side}.flac"

    def clean_voice(self, clip_id: str, side: str) -> Path:
        """The same without the other actor's voice, if there was any to remove."""
        return self.audio / f"{clip_id}.{side}.clean.flac"

    def relative(self, path: Path) -> str:
        """`path` as the audit writes it: relative to the output folder."""
        return path.relative_to(self.out).as_posix()
