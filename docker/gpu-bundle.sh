#!/usr/bin/env bash
# Packs what a bare GPU machine, without any package registry, lacks to build, test and measure emomedia:
# docs/gpu.md. Run on Debian 12, whose libraries later systems can load; `make gpu-bundle` does, in its environment.
#   gpu-bundle.sh PYTHON FOLDER    PYTHON has emomedia; FOLDER is made anew
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 folder=$2
work=build/gpu-bundle-parts
target=3.12  # the machine's Python

say() { printf '%s  %s\n' "$(date -u +%T)" "$*"; }

# emomedia's packages that such a machine has not: each range is pyproject.toml's.
packages() {
    "$python" - av faster-whisper pydantic soxr <<'PYTHON'
import re, sys, tomllib
ranges = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]
print(*(r for r in ranges if re.match(r"[\w.-]+", r).group() in sys.argv[1:]), sep="\n")
PYTHON
}

# Unpacked, so that the machine needs no pip, and stripped: PyAV's libraries are the largest part of all.
packages_for_target() {
    local wheels=$work/wheels platforms=() wanted=() deps
    for platform in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014; do
        platforms+=(--platform "${platform}_x86_64")
    done
    mapfile -t wanted < <(packages)
    rm -rf "$wheels" "$work/tools/site"
    for package in "${wanted[@]}"; do
        # pydantic alone needs others that are not there.
        case $package in pydantic*) deps=() ;; *) deps=(--no-deps) ;; esac
        "$python" -m pip download --quiet --dest "$wheels" --only-binary=:all: "${deps[@]}" \
            --python-version "$target" --implementation cp "${platforms[@]}" "$package"
    done
    mkdir -p "$work/tools/site"
    for wheel in "$wheels"/*.whl; do
        "$python" -m zipfile -e "$wheel" "$work/tools/site"
    done
    # Of faster-whisper the voice activity network; the rest would import CTranslate2, which is as large as the bundle.
    : >"$work/tools/site/faster_whisper/__init__.py"
    find "$work/tools/site" -name '*.so*' -type f -exec strip --strip-unneeded {} +
}

# A peer of the benchmarks: what its module needs for drivers from 570 on; DALI, the other one, is larger than the bundle.
peer_for_target() {
    local wheel site=$work/tools/site
    rm -f "$work"/wheels/*ynvvideocodec*.whl  # an earlier version's, which would be a second one
    "$python" -m pip download --quiet --dest "$work/wheels" --only-binary=:all: --no-deps --python-version "$target" \
        --implementation cp --platform manylinux_2_28_x86_64 'PyNvVideoCodec>=2.2,<3'
    wheel=$(ls "$work"/wheels/*ynvvideocodec*.whl)
    rm -rf "$work/peer"
    "$python" -m zipfile -e "$wheel" "$work/peer"
    cp -r "$work/peer/PyNvVideoCodec" "$work"/peer/pynvvideocodec.* "$site/"
    rm -rf "$site"/PyNvVideoCodec/PyNvVideoCodec_121* "$site"/PyNvVideoCodec/lib*.so "$site"/PyNvVideoCodec/lib*.so.*.*.* \
        "$site"/pynvvideocodec*.dist-info "$site"/pynvvideocodec*.data
}

# The synthesiser of the simulated sessions, with the two languages that they speak. It writes files alone, so a
# libpcaudio that finds no sound card stands for the real one and the two dozen libraries behind that.
voices() {
    local to=$work/tools data
    data=$(dirname "$(dpkg -L espeak-ng-data | grep '/phontab$')")
    mkdir -p "$to/bin" "$to/lib" "$to/share/espeak-ng-data"
    cp "$(command -v espeak-ng)" "$to/bin/"
    ldconfig -p | sed -nE 's/^\t(libespeak-ng|libsonic)\.so\.[0-9]+ .*x86-64.* => (.*)/\2/p' | xargs cp -Lt "$to/lib"
    g++ -x c++ -shared -fPIC -Wl,-soname,libpcaudio.so.0 -o "$to/lib/libpcaudio.so.0" - <<'CODE'
extern "C" {
void* create_audio_device_object(const char*, const char*, const char*) { return nullptr; }
int audio_object_open(void*, int, unsigned, unsigned char) { return -1; }
int audio_object_write(void*, const void*, unsigned long) { return -1; }
int audio_object_drain(void*) { return 0; }
int audio_object_flush(void*) { return 0; }
void audio_object_close(void*) {}
void audio_object_destroy(void*) {}
const char* audio_object_strerror(void*, int) { return "no sound card"; }
}
CODE
    patchelf --set-rpath "\$ORIGIN/../lib" "$to/bin/espeak-ng"
    patchelf --set-rpath "\$ORIGIN" "$to"/lib/libespeak-ng.so.*
    (cd "$data" && cp -r --parents phon* intonations cmn_dict en_dict lang/sit/cmn* lang/gmw/en* 'voices/!v' \
        "$OLDPWD/$to/share/espeak-ng-data")
}

[ "$(uname -m)" = x86_64 ] || { echo "gpu-bundle: expected an x86-64 machine, found $(uname -m)" >&2; exit 1; }
docker/install-system.sh bundle
mkdir -p "$work" && rm -rf "$work/tools"
say "FFmpeg, from the system's source package"
docker/gpu-ffmpeg.sh build/gpu-ffmpeg "$work/tools"
say "packages for Python $target"
packages_for_target
peer_for_target
voices
mkdir -p "$work/tools/include/doctest" && cp /usr/include/doctest/doctest.h "$work/tools/include/doctest/"
say "pictures to measure on"
rm -rf "$folder" && mkdir -p "$folder"
"$python" -m benchmarks.footage --pictures "$folder/pictures" gpu-h264-8 gpu-hevc-10
say "packing"
tar -C "$work" --owner=0 --group=0 -cf - tools | xz -T0 --x86 --lzma2=preset=7 >"$folder/tools.tar.xz"
du -sh --apparent-size "$folder"
limit=$((60 * 1000 * 1000))
size=$(($(du -sb "$folder" | cut -f1) + $(git archive HEAD | wc -c)))
[ "$size" -le "$limit" ] || { echo "gpu-bundle: expected at most $limit bytes with the repository, found $size" >&2; exit 1; }
