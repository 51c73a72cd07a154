"""A finished dataset of several sessions with real clips, made once for all tests that read one."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

from audits import quality, rng_of
from emomedia.dataset.audit import read_rows, write_rows
from emomedia.dataset.index import write_index
from emomedia.options import Options, Size
from emomedia.run import run

CAST = {"s1": ("A1", "A2"), "s2": ("A3", "A4"), "s3": ("A5", "A6"), "s4": ("A1", "A7")}


def make(session: Path, out: Path) -> Path:
    """An output folder of four sessions: one that was run, and copies of it under other names.

    Measures are made up, since no stage of theirs is needed to have them; one turn of each is rejected.
    """
    options = Options(
        turns=session.parent / "turns.json",
        preset="ultrafast",
        layout=frozenset({"composite", "left", "right"}),
        side_size=Size(96, 108),
    )
    run(session, out, options)
    named = tomllib.loads(session.read_text("utf-8"))
    actors = {side: named[side]["actor"] for side in ("left", "right")}
    assert all(row["actors"] == actors for row in read_rows(out / "sim/clips.jsonl"))
    for number, (name, actors) in enumerate(CAST.items()):
        _copy(out, "sim", name, actors, number)
    shutil.rmtree(out / "sim")
    write_index(out)
    return out


def _copy(out: Path, source: str, name: str, actors: tuple[str, str], seed: int) -> None:
    """The session `source` as the session `name`, of which all ids begin with its name."""
    for path in sorted((out / source).rglob("*")):
        target = out / name / path.relative_to(out / source).as_posix().replace("sim_", f"{name}_")
        if path.suffix in (".json", ".jsonl"):
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text("utf-8")
            target.write_text(text.replace('"sim"', f'"{name}"').replace('"sim_', f'"{name}_'), "utf-8")
        elif path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    audit, rng = out / name / "clips.jsonl", rng_of(seed)
    text = audit.read_text("utf-8").replace('"sim/', f'"{name}/').replace("/sim_", f"/{name}_")
    audit.write_text(text, "utf-8")
    rows = read_rows(audit)
    for row in rows:
        row["actors"] = dict(zip(("left", "right"), actors, strict=True))
        row["quality"] = quality(rng)
        row["sides"] = row["sides"] if name in ("s2", "s3") else []  # none in train
    rows[-1] |= {"keep": False, "reasons": ["left: blurred (sharpness 12 < 40)"]}
    write_rows(audit, json.loads(json.dumps(rows)))
