"""Builds the compiled parts: the C++ core with CMake, the PCM loops with Cython."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
FFMPEG_NEEDED = {"libavcodec": "59.37", "libavfilter": "8.44", "libavformat": "59.27", "libavutil": "57.28"}


def require_ffmpeg() -> None:
    """End with one clear line where FFmpeg's development files are missing or too old."""
    if shutil.which("pkg-config") is None:
        sys.exit("emomedia: pkg-config is missing; install it (Debian, Ubuntu: apt-get install pkg-config)")
    for library, version in FFMPEG_NEEDED.items():
        if subprocess.run(["pkg-config", "--exists", f"{library} >= {version}"]).returncode != 0:
            sys.exit(
                f"emomedia: FFmpeg's development files (5.1 or newer) are missing: {library} >= {version}; "
                "install them (Debian, Ubuntu: apt-get install libavcodec-dev libavfilter-dev "
                "libavformat-dev libavutil-dev)"
            )


class CMakeExtension(Extension):
    """A Python module that CMake builds from `source`."""

    def __init__(self, name: str, source: str) -> None:
        super().__init__(name, sources=[])
        self.source = str(ROOT / source)


class BuildExtensions(build_ext):
    def build_extension(self, extension: Extension) -> None:
        if isinstance(extension, CMakeExtension):
            self.build_with_cmake(extension)
        else:
            super().build_extension(extension)

    def build_with_cmake(self, extension: CMakeExtension) -> None:
        require_ffmpeg()
        import pybind11

        target = Path(self.get_ext_fullpath(extension.name)).resolve().parent
        build = ROOT / "build" / f"core-{sys.implementation.cache_tag}"
        configure = [
            "cmake", "-S", extension.source, "-B", str(build), "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Release", "-DEMOMEDIA_PYTHON=ON",
            f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
        ]  # fmt: skip
        if ninja := shutil.which("ninja"):  # not where CMake found it last: pip's own is gone afterwards
            configure.append(f"-DCMAKE_MAKE_PROGRAM={ninja}")
        subprocess.run(configure, check=True)
        subprocess.run(["cmake", "--build", str(build), "--target", "_core"], check=True)
        subprocess.run(["cmake", "--install", str(build), "--prefix", str(target)], check=True)


def extensions() -> list[Extension]:
    pcm = Extension("emomedia.audio._pcm", ["src/emomedia/audio/_pcm.pyx"], extra_compile_args=["-O3"])
    return [CMakeExtension("emomedia._core", "csrc"), *cythonize([pcm], language_level=3)]


os.chdir(ROOT)
setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtensions})
