"""The commands.  Each imports what it needs when it is called, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from . import arguments as arg
from .batching import batch, status
from .display import Display, make_display
from .exported import export
from .reported import report
from .simulated import simulate

app = typer.Typer(
    name="emomedia",
    help="Turns raw two-actor footage into a dataset of frame-exact clips, voices and an index.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Begin with [bold]emomedia simulate DIR[/] or [bold]emomedia init FOLDER[/], "
    "then [bold]emomedia run SESSION.toml --out OUT[/].",
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _common(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None: ...


@app.command()
def run(
    context: typer.Context,
    session: arg.SessionFile,
    out: arg.Out,
    turns: arg.Turns = None,
    pad: arg.Pad = arg.PAD_DEFAULT,  # type: ignore[assignment]
    fps: arg.Fps = None,
    preset: arg.Preset = "veryfast",
    crf: arg.Crf = arg.CRF_DEFAULT,  # type: ignore[assignment]
    gop: arg.Gop = None,
    depth: arg.Depth = "8",
    interlaced: arg.InterlacedOption = "deinterlace",
    lut: arg.Lut = None,
    layout: arg.Layout = arg.LAYOUT_DEFAULT,
    side_size: arg.SideSize = arg.SIDE_SIZE_DEFAULT,  # type: ignore[assignment]
    clean: arg.CleanOption = "overlaps",
    asr_model: arg.AsrModel = None,
    language: arg.Language = None,
    prompt: arg.Prompt = "",
    hints: arg.HintsOption = "none",
    doubtful: arg.DoubtfulOption = "keep",
    characters: arg.CharactersOption = "keep",
    punctuation: arg.PunctuationOption = "keep",
    profile: arg.Profile = None,
    face_model: arg.FaceModel = None,
    person_model: arg.PersonModel = None,
    device: arg.DeviceOption = "auto",
    encoder: arg.Encoder = "auto",
    workers: arg.Workers = 0,
    json: arg.Json = False,
) -> None:
    """Do it all: from a session's description to clips, voices, verdicts, audit and index.

    Interrupted, it goes on where it stopped when run again, and ends with the same bytes.
    """
    from ..pipeline import run as run_session

    options = arg.make_options(
        fps=fps,
        turns=turns,
        pad=pad,
        preset=preset,
        crf=crf,
        gop=gop,
        depth=depth,
        interlaced=interlaced,
        lut=lut,
        layout=layout,
        side_size=side_size,
        clean=clean,
        asr_model=asr_model,
        language=language,
        prompt=prompt,
        hints=hints,
        doubtful=doubtful,
        characters=characters,
        punctuation=punctuation,
        profile=profile,
        face_model=face_model,
        person_model=person_model,
        device=device,
        encoder=encoder,
        workers=workers,
    )
    with make_display(json) as display:
        through: Literal["cut", "check"] = "cut" if context.info_name == "cut" else "check"
        result = run_session(session, out, options, display, through=through)
        _tell_cut(display, result, out, given=turns is not None)


def _tell_cut(display: Display, result: Any, out: Path, *, given: bool) -> None:
    """`given`: the turns, and with them their words, are the user's own."""
    rows = result.rows
    folder = out / rows[0]["session"] if rows else out
    kinds = {kind: sum(row["kind"] == kind for row in rows) for kind in ("dialogue", "turn")}
    seconds = sum(row["end"] - row["start"] for row in rows if row["kind"] == "turn")
    lines = [
        f"{kinds['dialogue']} dialogues and {kinds['turn']} turns ({seconds:.1f} s of turns), "
        f"{result.made} made now",
        f"  clips   {folder}/clips/*.mp4, voices {folder}/audio/*.flac",
        f"  audit   {folder}/clips.jsonl, index {out}/clips.parquet",
        *_verdicts(rows),
    ]
    kept = sum(row["keep"] for row in rows)
    summary = {"clips": len(rows), "made": result.made, "kept": kept, **kinds, "out": str(out)}
    if not rows:
        lines[1:] = [
            f"  no clips: there are no turns; {out}/<session>/speech.json says who was heard, and when"
        ]
    else:
        from .words import told_words

        words, told_lines = told_words(folder / "speech.json", given)
        summary |= words
        lines += told_lines
    if result.report is not None:
        from ..workload import told, workload

        work = workload(result.report, result.placement)
        summary["bottleneck"] = work["bottleneck"]
        encoder = rows[0]["provenance"]["settings"]["encoder"]
        others = "" if encoder == "libx264" else f"; encoded by {encoder}"
        lines += [f"  speed   {folder}/run.json", told(work) + others]
    display.ends(summary, lines)


def _verdicts(rows: Any) -> list[str]:
    """How many clips are kept, what the others are rejected for, most frequent first; none before a check."""
    from collections import Counter

    from ..dataset.figures import plain_reasons

    if not all(row["quality"].get("measured", {}).get("key") for row in rows):
        return []
    kept = sum(row["keep"] for row in rows)
    faults = Counter(fault for row in rows for fault in plain_reasons(row["reasons"]))
    told = ", ".join(
        f"{fault} {count}" for fault, count in sorted(faults.items(), key=lambda each: (-each[1], each[0]))
    )
    return [f"  check   {kept} of {len(rows)} kept" + (f"; rejected: {told}" if told else "")]


@app.command()
def probe(
    session: arg.SessionFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="OUT", help="Write session.json there; only look if not given.", readable=False
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof",
            metavar="FILE.png",
            help="Draw first, middle and last frames with their crops.",
            readable=False,
        ),
    ] = None,
    fps: arg.Fps = None,
    interlaced: arg.InterlacedOption = "deinterlace",
    lut: arg.Lut = None,
    json: arg.Json = False,
) -> None:
    """Say what takes and tracks are, and whether they can be treated right."""
    from ..pipeline import run_stage
    from ..probe import probe_session, remarks, table, to_body
    from ..session import load_session, with_lut

    with make_display(json) as display:
        if out is None:
            found = probe_session(with_lut(load_session(session), lut), fps, interlaced)
        else:
            found = run_stage(
                session, out, arg.make_options(fps=fps, interlaced=interlaced, lut=lut), "probe", display
            ).probe
        if not json:
            from rich.console import Console

            Console().print(table(found))
        lines = remarks(found)
        if proof is not None:
            from ..proof import write_proof

            write_proof(found, proof)
            lines.append(f"proof sheet: {proof}")
        display.ends(to_body(found), lines)


def _stage_command(stage: str, help_text: str, told: str) -> None:
    """Add the verb that brings one stage, and what it needs, up to date."""

    def command(
        session: arg.SessionFile,
        out: arg.Out,
        turns: arg.Turns = None,
        pad: arg.Pad = arg.PAD_DEFAULT,  # type: ignore[assignment]
        fps: arg.Fps = None,
        interlaced: arg.InterlacedOption = "deinterlace",
        lut: arg.Lut = None,
        clean: arg.CleanOption = "overlaps",
        asr_model: arg.AsrModel = None,
        language: arg.Language = None,
        prompt: arg.Prompt = "",
        hints: arg.HintsOption = "none",
        doubtful: arg.DoubtfulOption = "keep",
        characters: arg.CharactersOption = "keep",
        punctuation: arg.PunctuationOption = "keep",
        device: arg.DeviceOption = "auto",
        workers: arg.Workers = 0,
        json: arg.Json = False,
    ) -> None:
        from ..pipeline import FILE_OF, run_stage

        with make_display(json) as display:
            options = arg.make_options(
                fps=fps, turns=turns, pad=pad, interlaced=interlaced, lut=lut, clean=clean,
                asr_model=asr_model, language=language, prompt=prompt, hints=hints, doubtful=doubtful,
                characters=characters, punctuation=punctuation, device=device, workers=workers,
            )  # fmt: skip
            pipeline = run_stage(session, out, options, stage, display)
            path = pipeline.folder.stage(FILE_OF[stage])
            summary, lines = {"stage": stage, "path": str(path)}, [f"{told}: {path}"]
            if stage == "turns":
                from ..turn_taking.transitions import told_turns

                lines += told_turns(pipeline.turns)
            if stage in ("speech", "turns") and pipeline.folder.stage("speech").exists():
                from .words import told_words

                words, told_lines = told_words(pipeline.folder.stage("speech"), given=turns is not None)
                summary, lines = summary | words, lines + told_lines
            display.ends(summary, lines)

    app.command(stage, help=help_text)(command)


_stage_command("sync", "Bring takes and tracks onto one clock (sync.json).", "offsets and drifts")
_stage_command("speech", "Find out who speaks when, and what (speech.json).", "voice activity")
_stage_command("turns", "Find turns and dialogues, or take over --turns (turns.json).", "turns")
_stage_command("plan", "Plan spans, chunks and clips (plan.json).", "plan")

app.command("cut", help="Make the clips that are missing or stale: run without the check.")(run)


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder.", readable=False)],
    json: arg.Json = False,
) -> None:
    """Check every file of an output folder against its audit, by decoding it."""
    from ..dataset.verify import verify as verify_folder
    from ..errors import VerifyError

    findings, clips = [], 0
    with make_display(json) as display:
        for checked in verify_folder(out.resolve()):
            clips += bool(checked.row)
            for finding in checked.findings:
                display.says(str(finding))
                findings.append(finding)
        display.ends(
            {"clips": clips, "findings": len(findings)}, [f"{clips} clips checked, {len(findings)} findings"]
        )
    if findings:
        raise VerifyError(
            out,
            expected="files as the audit has them",
            found=f"{len(findings)} that are not, first {findings[0]}",
            remedy="delete those files and run the session again",
        )


@app.command()
def check(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="OUT|SESSION.toml", help="An output folder, or one session in --out.", readable=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="OUT", help="Where that session's clips are.", readable=False),
    ] = None,
    profile: arg.Profile = None,
    face_model: arg.FaceModel = None,
    person_model: arg.PersonModel = None,
    workers: arg.Workers = 0,
    json: arg.Json = False,
) -> None:
    """Measure clips that are there and decide which to keep; with --profile, decide by other rules.

    Clips that are there are not encoded anew, and what was measured before is not measured again; a
    session without clips is run.
    """
    from ..options import Options
    from ..quality.folder import check_folder, has_clips

    options = Options(profile=profile, face_model=face_model, person_model=person_model, workers=workers)
    with make_display(json) as display:
        if out is None or has_clips(what, out):
            rows = check_folder(what, out, options, display)
        else:
            from ..pipeline import run as run_session

            rows = list(run_session(what, out, options, display).rows)
        kept = sum(row["keep"] for row in rows)
        display.ends({"clips": len(rows), "kept": kept}, _verdicts(rows))


app.command()(simulate)
app.command()(export)
app.command()(report)
app.command()(batch)
app.command()(status)


@app.command()
def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Where the camera and recorder files lie.", readable=False),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace session.toml files that are there.")
    ] = False,
    json: arg.Json = False,
) -> None:
    """Pair a folder's camera and recorder files into session.toml files to look over."""
    from ..intake import init_folder

    with make_display(json) as display:
        written = init_folder(folder, overwrite=force)
        lines = [f"wrote {path}; look it over, then emomedia probe {path}" for path in written]
        display.ends({"sessions": [str(path) for path in written]}, lines)
