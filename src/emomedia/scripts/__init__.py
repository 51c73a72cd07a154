"""What the actors were given to say, and which of their turns says which line of it."""

from __future__ import annotations

from .matching import Matched, apply, match
from .prompts import Line, Scene, Script, read_script, read_scripts
from .scenes import by_script, match_summary, script_files, with_script

__all__ = [
    "Line", "Matched", "Scene", "Script", "apply", "by_script", "match", "match_summary", "read_script",
    "read_scripts", "script_files", "with_script",
]  # fmt: skip
