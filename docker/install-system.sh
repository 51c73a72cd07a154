#!/bin/sh
# Installs what emomedia needs from Debian 12, Debian 13 or Ubuntu 24.04: the one list for people, CI and images.
# Does nothing, and asks for no rights, where everything is there already.
#   install-system.sh          all that make needs
#   install-system.sh build    what building the package needs
#   install-system.sh run      what a package built elsewhere needs to run: no compiler, no headers
#   install-system.sh fuzz     all, and what fuzzing needs more
#   install-system.sh bench    all, and what the benchmarks need more: peers, and valgrind
#   install-system.sh page     all, and the browser in which the report is tested (Ubuntu has it as a snap alone)
#   install-system.sh bundle   all, and what docker/gpu-bundle.sh builds and packs
set -eu

libav="libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev"
nvdec="libffmpeg-nvenc-dev"  # headers alone, for those who have CUDA
build="$nvdec g++ pkg-config python3-dev python3-venv $libav"
voice="espeak-ng"  # speaks in simulated sessions, and nowhere else
all="$build make $voice doctest-dev"
missing=""

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "emomedia: needs root or sudo to install:${missing:- libraries of FFmpeg}" >&2
        exit 1
    fi
}

# FFmpeg's shared libraries have a number in their packages' names, another on each system; the -dev packages tell it.
shared_libraries() {
    # shellcheck disable=SC2086
    apt-cache depends $libav | sed -nE 's/^[ |]*Depends: (lib(avcodec|avfilter|avformat|avutil)[0-9]+)$/\1/p' | sort -u
}

case "${1:-all}" in
    all) packages="$all" ;;
    build) packages="$build" ;;
    run)
        [ -n "$(shared_libraries 2>/dev/null)" ] || as_root apt-get update -qq
        libraries=$(shared_libraries)
        packages="python3 ${libraries:?no packages of FFmpeg found} $voice" ;;
    # libFuzzer, the sanitizers, the names in their stacks.
    fuzz) packages="$all clang libclang-rt-dev llvm" ;;
    bench) packages="$all ffmpeg libswscale-dev libzimg-dev valgrind" ;;
    page) packages="$all chromium" ;;
    bundle) packages="$all dpkg-dev libdav1d-dev libx264-dev nasm patchelf xz-utils zlib1g-dev" ;;
    *)
        echo "emomedia: expected no argument, or build, run, fuzz, bench, page or bundle; found $1" >&2
        exit 2 ;;
esac

for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing from the system's packages:$missing"
as_root apt-get update -qq
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
