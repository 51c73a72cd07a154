"""The commands.  Each imports what it needs when it is called, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..options import Options
from . import arguments as arg
from .batching import batch, status
from .display import Display, make_display
from .exported import export
from .reported import report, write_page
from .simulated import simulate

app = typer.Typer(
    name="emomedia",
    help="Turns raw two-actor footage into a dataset of frame-exact clips, voices and an index.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Start with [bold]emomedia simulate DIR[/] or [bold]emomedia init FOLDER[/], "
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
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


@app.command()
def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder with the camera and recorder files.", readable=False),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace existing session.toml files.")] = False,
    json: arg.Json = False,
) -> None:
    """Pair a folder's camera and recorder files into session.toml files for you to check."""
    from ..intake import init_folder

    with make_display(json) as display:
        written = init_folder(folder, overwrite=force)
        lines = [
            f"wrote {path}; check it, then run emomedia probe {path} --proof {path.with_suffix('.png')}"
            for path in written
        ]
        display.result({"sessions": [str(path) for path in written]}, lines)


@app.command()
@arg.takes_options()
def run(
    context: typer.Context,
    session: arg.SessionFile,
    out: arg.Out,
    options: Options,
    json: arg.Json = False,
) -> None:
    """Run everything: from a session's description to clips, voices, verdicts, audit, index and report.

    If interrupted, run it again: it resumes where it stopped and ends with the same bytes.
    """
    from ..run import run as run_session

    with make_display(json) as display:
        through: Literal["cut", "check"] = "cut" if context.info_name == "cut" else "check"
        result = run_session(session, out, options, display, through=through)
        page = write_page(out, display.note) if through == "check" else None
        _show_cut(display, result, out, page, given=options.turns is not None)


def _show_cut(display: Display, result: Any, out: Path, page: Path | None, *, given: bool) -> None:
    """`page`: the report, if one was written; `given`: turns and their words are the user's own."""
    rows = result.rows
    folder = out / rows[0]["session"] if rows else out
    kinds = {kind: sum(row["kind"] == kind for row in rows) for kind in ("dialogue", "turn")}
    seconds = sum(row["end"] - row["start"] for row in rows if row["kind"] == "turn")
    lines = [
        f"{kinds['dialogue']} dialogues and {kinds['turn']} turns ({seconds:.1f} s of turns), "
        f"{result.made} made now",
        f"  clips   {folder}/clips/*.mp4, voices {folder}/audio/*.flac",
        f"  audit   {folder}/clips.jsonl, index {out}/clips.parquet",
        *([] if page is None else [f"  report  {out / page.name}"]),
        *_verdicts(rows, out),
    ]
    kept = sum(row["keep"] for row in rows)
    summary = {"clips": len(rows), "made": result.made, "kept": kept, **kinds, "out": str(out)}
    if not rows:
        lines[1:] = [
            f"  no clips: there are no turns; {out}/<session>/speech.json lists who was heard, and when"
        ]
    else:
        from .words import words_summary

        words, word_lines = words_summary(folder / "speech.json", given=given)
        summary |= words
        lines += word_lines
    if result.report is not None:
        from ..workload import bottleneck_line, workload

        work = workload(result.report, result.placement)
        summary["bottleneck"] = work["bottleneck"]
        encoder = rows[0]["provenance"]["settings"]["encoder"]
        others = "" if encoder == "libx264" else f"; encoded by {encoder}"
        lines += [f"  speed   {folder}/run.json", bottleneck_line(work) + others]
    display.result(summary, lines)


def _verdicts(rows: Any, out: Path) -> list[str]:
    """How many clips are kept, and what the others are rejected for, most frequent first."""
    from collections import Counter

    from ..dataset.audit import UNCHECKED
    from ..dataset.figures import plain_reasons

    unchecked = sum(row["reasons"] == [UNCHECKED] for row in rows)
    if unchecked:
        return [f"  check   {unchecked} of {len(rows)} unchecked, in no export yet: emomedia check {out}"]
    kept = sum(row["keep"] for row in rows)
    faults = Counter(fault for row in rows for fault in plain_reasons(row["reasons"]))
    rejected = ", ".join(
        f"{fault} {count}" for fault, count in sorted(faults.items(), key=lambda each: (-each[1], each[0]))
    )
    lines = [f"  check   {kept} of {len(rows)} kept" + (f"; rejected: {rejected}" if rejected else "")]
    if rows and not kept:
        lines.append(
            "          docs/quality.md explains each reason; 'emomedia probe SESSION.toml --proof p.png' "
            "shows how the takes are rotated and cropped"
        )
    return lines


@app.command()
@arg.takes_options("fps", "interlaced", "lut")
def probe(
    session: arg.SessionFile,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="OUT",
            help="Where to write session.json; without it nothing is written.",
            readable=False,
        ),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof",
            metavar="FILE.png",
            help="Draw the first, middle and last frames with their crops.",
            readable=False,
        ),
    ] = None,
    options: Options,
    json: arg.Json = False,
) -> None:
    """Show what the takes and tracks are, and whether they are supported."""
    from ..probe import probe_session, remarks, table, to_body
    from ..run import run_stage
    from ..session import with_lut
    from ..session_file import load_session

    with make_display(json) as display:
        if out is None:
            described = with_lut(load_session(session), options.lut)
            found = probe_session(described, options.fps, options.interlaced)
        else:
            found = run_stage(session, out, options, "probe", display).probe
        if not json:
            from rich.console import Console

            Console().print(table(found))
        lines = remarks(found)
        if proof is not None:
            from ..proof import write_proof

            write_proof(found, proof)
            lines.append(f"proof sheet: {proof}")
        display.result(to_body(found), lines)


def _stage_command(stage: Literal["sync", "speech", "turns", "plan"], help_text: str, result: str) -> None:
    """Add the verb that brings one stage, and what it needs, up to date."""

    @arg.takes_options(
        "turns", "pad", "fps", "gop", "interlaced", "lut", "clean",
        "asr_model", "language", "prompt", "hints", "doubtful", "characters", "punctuation",
        "device", "workers",
    )  # fmt: skip
    def command(session: arg.SessionFile, out: arg.Out, options: Options, json: arg.Json = False) -> None:
        from ..pipeline import FILE_OF
        from ..run import run_stage

        with make_display(json) as display:
            pipeline = run_stage(session, out, options, stage, display)
            path = pipeline.folder.stage(FILE_OF[stage])
            summary, lines = {"stage": stage, "path": str(path)}, [f"{result}: {path}"]
            if stage == "turns":
                from ..turn_taking.transitions import turns_summary

                lines += turns_summary(pipeline.turns)
            if stage in ("speech", "turns") and pipeline.folder.stage("speech").exists():
                from .words import words_summary

                words, word_lines = words_summary(
                    pipeline.folder.stage("speech"), given=options.turns is not None
                )
                summary, lines = summary | words, lines + word_lines
            display.result(summary, lines)

    app.command(stage, help=help_text)(command)


_stage_command("sync", "Bring takes and tracks onto one clock (sync.json).", "offsets and drifts")
_stage_command("speech", "Find who speaks when, and what is said (speech.json).", "voice activity")
_stage_command("turns", "Find turns and dialogues, or use those of --turns (turns.json).", "turns")
_stage_command("plan", "Plan spans, chunks and clips (plan.json).", "plan")

app.command("cut", help="Make the clips that are missing or stale; like run, without the check.")(run)


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An output folder.", readable=False)],
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Clips checked at a time; 0: one for each core.")
    ] = 0,
    json: arg.Json = False,
) -> None:
    """Decode every file of an output folder and compare it with the audit."""
    from ..dataset.audit import count_rows
    from ..dataset.index import audits
    from ..dataset.verify import verify as verify_folder
    from ..errors import VerifyError

    findings, clips = [], 0
    with make_display(json) as display:
        total = sum(map(count_rows, audits(out)))
        display.progress("verify", 0, total)
        for checked in verify_folder(out.resolve(), workers):
            if checked.row:
                clips += 1
                display.progress("verify", clips, max(clips, total))
            for finding in checked.findings:
                display.note(str(finding))
                findings.append(finding)
        display.result(
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
@arg.takes_options("profile", "face_model", "person_model", "workers")
def check(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="OUT|SESSION.toml", help="An output folder, or one session of --out.", readable=False
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="OUT", help="Output folder of that session.", readable=False),
    ] = None,
    options: Options,
    json: arg.Json = False,
) -> None:
    """Measure existing clips and decide which to keep; with --profile, decide by other rules.

    Existing clips are neither encoded nor measured again. A session without clips is run first, with the
    options of run.
    """
    from ..errors import BatchError
    from ..quality.folder import check_folder, has_clips

    with make_display(json) as display:
        if out is None or has_clips(what, out):
            try:
                rows = check_folder(what, out, options, display)
            except BatchError:  # the others are checked
                write_page(what if out is None else out, display.note)
                raise
        else:
            from ..run import run as run_session

            rows = list(run_session(what, out, options, display).rows)
        write_page(what if out is None else out, display.note)
        kept = sum(row["keep"] for row in rows)
        display.result({"clips": len(rows), "kept": kept}, _verdicts(rows, what if out is None else out))


app.command()(simulate)
app.command()(export)
app.command()(report)
app.command()(batch)
app.command()(status)
