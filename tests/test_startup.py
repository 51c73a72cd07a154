"""What is not imported before it is needed: start-up time, told by names instead of by a clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "PIL",
    "av",
    "ctranslate2",
    "emomedia._core",  # with a hundred shared libraries of FFmpeg's
    "emomedia.audio._pcm",
    "emomedia.pipeline",
    "faster_whisper",
    "numpy",
    "onnxruntime",
    "pyarrow",
    "pydantic",
    "pydantic_core",
    "rich.progress",
    "soxr",
}


def imported_by(code: str) -> set[str]:
    """Names of all modules that there are after `code` has run in an interpreter of its own."""
    code = f"""
import sys
try:
    {code}
except SystemExit:
    pass
print(*sys.modules, sep="\\n")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines())


def test_what_stands_for_numba_on_a_gpu_machine_is_enough_for_the_loops(tmp_path):
    """docker/gpu_numba.py, which nothing else runs before such a machine does (docs/gpu.md)."""
    stub = Path(__file__).parent.parent / "docker/gpu_numba.py"
    package = tmp_path / "numba"
    package.mkdir()
    (package / "__init__.py").write_bytes(stub.read_bytes())
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import numba
import emomedia.quality.pixels, emomedia.quality.stage, emomedia.voice.noise, emomedia.voice.path
from emomedia.voice.compiled import compiled
found = []
compiled(lambda value: found.append(value))(7)
assert found == [7] and numba.__file__.startswith({str(tmp_path)!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def command(*arguments: str) -> str:
    return f"sys.argv = {['emomedia', *arguments]!r}; from emomedia.cli import main; main()"


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ()], ids=str)
def test_help_imports_nothing_heavy(arguments):
    found = imported_by(command(*arguments))
    assert "emomedia.cli.app" in found
    assert found & HEAVY == set()


@pytest.mark.parametrize("verb", ["run", "probe", "plan", "simulate", "init", "verify"])
def test_help_of_a_command_imports_nothing_heavy(verb):
    """But pydantic, by which some versions of typer check arguments."""
    assert imported_by(command(verb, "--help")) & HEAVY <= {"pydantic", "pydantic_core"}


def test_a_command_begins_no_idle_threads_and_may_open_what_the_system_allows():
    code = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 300))
try:
    {command("plan", "none.toml")}
except SystemExit:
    import numpy
    print(len(os.listdir("/proc/self/task")), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["1", "300", "300"]


def test_the_package_imports_nothing_but_python():
    found = imported_by("import emomedia") - imported_by("pass")
    assert {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names} == {"emomedia"}


def test_every_public_name_is_there_and_no_other():
    import emomedia

    assert set(emomedia.__all__) <= set(dir(emomedia))
    assert all(getattr(emomedia, name) is not None for name in emomedia.__all__)
    with pytest.raises(AttributeError, match="no attribute 'frame'"):
        _ = emomedia.frame


def test_the_function_is_not_hidden_by_a_module_of_its_name():
    """Importing a submodule makes it an attribute of its package."""
    code = (
        "import emomedia.frame_stream; from emomedia import frames; assert callable(frames); emomedia.frames"
    )
    assert "emomedia.frame_stream" in imported_by(code)
