"""What results are stamped with: the machine, and the versions of all that took part."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import emomedia
from emomedia import _core

from .contenders import newer_ffmpeg
from .native_peers import LIBRARY

_CPU = Path("/sys/devices/system/cpu/cpu0")


def machine() -> dict[str, Any]:
    """Processor, cores, caches, memory, kernel."""
    info = _fields(Path("/proc/cpuinfo").read_text())
    return {
        "processor": info.get("model name", platform.processor()),
        "family": f"{info.get('cpu family')}/{info.get('model')}/{info.get('stepping')}",
        "cores": len(os.sched_getaffinity(0)),
        "caches": _caches(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "kernel": platform.release(),
        "vectors": [name for name in ("avx2", "avx512f", "avx512bw", "avx512vnni") if _has(info, name)],
    }


def _has(info: dict[str, str], flag: str) -> bool:
    return flag.replace("avx512vnni", "avx512_vnni") in info.get("flags", "").split()


def _fields(text: str) -> dict[str, str]:
    lines = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in lines}


def _caches() -> dict[str, str]:
    found = {}
    for index in sorted(_CPU.glob("cache/index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        found[f"L{level}{kind[0].lower() if kind != 'Unified' else ''}"] = size
    return found


def versions() -> dict[str, str]:
    """Of emomedia, its libraries, its peers and Python."""
    packages = {name: importlib.metadata.version(name) for name in ("av", "pytest-benchmark")}
    return {
        "emomedia": emomedia.__version__,
        "commit": _output(["git", "describe", "--always", "--dirty"]),
        "compose": _core.compose_kernel(),
        "libav": ", ".join(_core.library_versions()),
        "ffmpeg": _first(r"version (\S+)", ["ffmpeg", "-version"]),
        "ffmpeg, newer": _first(r"version (\S+)", [newer_ffmpeg() or "", "-version"]),
        "x264": _first(r"x264 (.+)", ["x264", "--version"])
        or _package("libx264-dev", "libx264-164", "libx264-165"),
        "zimg": _output(["pkg-config", "--modversion", "zimg"]),
        "swscale": _output(["pkg-config", "--modversion", "libswscale"]),
        "compiler": _output(["c++", "-dumpfullversion", "-dumpversion"]),
        "libc": " ".join(platform.libc_ver()),
        "numpy": np.__version__,
        "python": platform.python_version(),
        **packages,
    }


def _output(command: list[str]) -> str:
    if not command[0] or shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()


def _first(pattern: str, command: list[str]) -> str:
    found = re.search(pattern, _output(command))
    return found.group(1) if found else ""


def _package(*names: str) -> str:
    """The version of the first of Debian's packages that is installed."""
    for name in names:
        version = _output(["dpkg-query", "-W", "-f", "${Version}", name])
        if version:
            return version
    return ""


def state() -> dict[str, Any]:
    """All that measurements depend on: a change of any of it makes them another run's."""
    source = Path(emomedia.__file__).parent
    code = [*sorted(source.rglob("*.py")), *sorted(source.rglob("*.so")), LIBRARY]
    here = Path(__file__).parent
    code += [here / "footage.py", here / "contenders.py"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in code if path.exists())).hexdigest()
    found = versions()
    found.pop("commit")
    return {"code": digest, "machine": machine(), "versions": found}


def count_environment() -> dict[str, str]:
    """What instruction counts depend on besides emomedia: compiler, libraries, the vectors they use."""
    found = versions()
    kept = ("libav", "x264", "compiler", "libc", "av", "numpy", "python")
    vectors = "avx2" if "avx2" in machine()["vectors"] else "none"
    valgrind = _output(["valgrind", "--version"])
    return {**{name: found[name] for name in kept}, "valgrind": valgrind, "vectors": vectors}


def ratio_environment() -> dict[str, str]:
    """What ratios to peers depend on: processor, compiler, the peers."""
    found, here = versions(), machine()
    kept = ("compiler", "zimg", "swscale", "ffmpeg", "x264")
    processor = f"{here['processor']} {here['family']}, L2 {here['caches'].get('L2', '?')}"
    return {"processor": processor, **{name: found[name] for name in kept}}
