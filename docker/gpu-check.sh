#!/usr/bin/env bash
# Builds, tests and measures emomedia on a GPU machine with a compiler, CUDA and Python, but without FFmpeg and any
# package registry: `make gpu-bundle` packs what it lacks; docs/gpu.md. A step that fails stops no other; the exit
# status is 1 and the last lines name it.
#   BUNDLE=FOLDER      the bundle (build/gpu-bundle)
#   OUT=FOLDER         where log and results go (build/gpu-check/results)
#   STEPS="NAME ..."   some of those in `all` below; what earlier ones made is kept
#   WITHIN=SECONDS     for all of them: where the machine ends a command, so that it does not end a step with its log
set -uo pipefail
cd "$(dirname "$0")/.."
bundle=$(realpath "${BUNDLE:-build/gpu-bundle}")
work=$PWD/build/gpu-check
tools=$work/tools
out=$(realpath -m "${OUT:-$work/results}")
jobs=$(nproc)

export PATH=$tools/bin:$PATH
export LD_LIBRARY_PATH=$tools/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH=$tools/lib/pkgconfig
export ESPEAK_DATA_PATH=$tools/share
export PYTHONPATH=$PWD/src:$PWD:$tools/site PYTHONUNBUFFERED=1
export BENCH_PICTURES=$bundle/pictures BENCH_FOOTAGE=$work/footage
export EMOMEDIA_REQUIRE_CUDA=1
export XLA_PYTHON_CLIENT_PREALLOCATE=false  # or JAX takes three quarters of the card from the tests after its own
export bundle work tools out jobs

unpack() {
    rm -rf "$tools"
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="tar")' \
        "$bundle/tools.tar.xz" "$work"
    ffmpeg -hide_banner -version | head -1
    python3 -c 'import numba' 2>/dev/null || install -D docker/gpu_numba.py "$tools/site/numba/__init__.py"
}

# One configuration for module and tests, so that the core is compiled once. Python is found by CMake's hints alone.
build() {
    local options=(
        -DCMAKE_BUILD_TYPE=Release -DEMOMEDIA_PYTHON=ON -DEMOMEDIA_TESTS=ON "-DDOCTEST_INCLUDE=$tools/include"
        "-DPython_EXECUTABLE=$(command -v python3)"
        "-Dpybind11_DIR=$(python3 -c 'import pybind11; print(pybind11.get_cmake_dir())')"
    )
    if command -v nvidia-smi >/dev/null || [ -e /dev/nvidiactl ]; then options+=(-DEMOMEDIA_CUDA=ON -DEMOMEDIA_GPU_BENCH=ON -DEMOMEDIA_CUDA_ARCHITECTURES=native); fi
    CFLAGS=-O3 python3 -m Cython.Build.Cythonize --inplace -3 src/emomedia/audio/_pcm.pyx &
    cmake -S csrc -B "$work/core" -G Ninja "${options[@]}"
    cmake --build "$work/core" -j "$jobs"
    cmake --install "$work/core" --prefix src/emomedia
    wait $!
    python3 -c 'import emomedia._core, emomedia.audio._pcm; print("both modules load")'
    only_ours
}

# No libav but the bundle's is in the core.
only_ours() {
    local module others
    module=$(python3 -c 'import emomedia._core; print(emomedia._core.__file__)')
    ldd "$module"
    others=$(ldd "$module" | grep -E 'lib(av|sw|x264|dav1d)' | grep -v "=> $tools/lib/" || true)
    [ -z "$others" ] || { echo "not from the bundle: $others"; return 1; }
}

footage() {
    printf '%s\n' gpu-h264-8-long gpu-hevc-10-long gpu-h264-8 gpu-hevc-10 | xargs -P 4 -n 1 python3 -m benchmarks.footage
}

# What needs a card, its memory over a thousand chunks among it; and all else.
cuda() { "$work/core/tests/emomedia_tests" --test-case='cuda:*'; }
native() { "$work/core/tests/emomedia_tests" --test-case-exclude='cuda:*'; }

# Those files alone: others may import what such a machine lacks.
gpu() { python3 -m pytest -v -p no:cacheprovider -m gpu --durations=10 $(grep -rl "mark\.gpu" tests); }

quick() {
    python3 -m pytest -q -p no:cacheprovider -m "not gpu" -n "$jobs" --dist worksteal --durations=5 \
        --deselect tests/test_native_observer.py::test_the_documented_example_works \
        tests/test_run.py tests/test_cutting.py tests/test_frames.py tests/test_layout.py tests/test_sides.py \
        tests/test_instruction_sets.py tests/test_native_observer.py tests/reference
}

bench() { python3 -m "benchmarks.$1" --program "$work/core/gpu_bench/emomedia_gpu_bench" --out "$out" "${@:2}"; }
kernel() { bench gpu kernel; }
decode() { bench gpu decode; }
whole() { bench gpu whole; }
peers() { bench gpu peers; }

# Says so and ends well on a card without NVENC, unless EMOMEDIA_REQUIRE_NVENC is set.
nvenc() { bench nvenc; }

export -f unpack build only_ours footage gpu cuda bench kernel decode whole peers nvenc native quick

patience=$((jobs < 8 ? 10 : 1))
telling=15  # seconds, within which a step that was cut has ended and is told of

# NAME SECONDS: runs the function of that name, for so many seconds at most (tenfold where there are few cores), and no
# longer than there are. Its output goes to the log, and here too where it fails.
step() {
    local name=$1 limit=$(($2 * patience)) log=$work/$1.log began=${EPOCHREALTIME/./} state=done
    local left=$((${WITHIN:-86400} - SECONDS - telling))
    limit=$((limit < left ? limit : left))
    if [ "$limit" -gt 0 ]; then
        timeout --kill-after=5 "$limit" bash -euo pipefail -c "$name" >"$log" 2>&1 || state="failed ($?)"
    else
        state="failed (no time left)" && : >"$log"
    fi
    local took=$(( (${EPOCHREALTIME/./} - began) / 1000 ))
    local line
    line=$(printf '%-8s %4d.%03d s  %s' "$name" $((took / 1000)) $((took % 1000)) "$state")
    { echo "== $line"; cat "$log"; } >>"$out/gpu-check.log"
    echo "$line"
    if [ "$state" = done ]; then tail -n 2 "$log" | cut -c1-200 | sed 's/^/    /'; return; fi
    tail -n 40 "$log" | cut -c1-300 | sed 's/^/    /'
    echo "$name" >>"$work/failed"
}

all="unpack build gpu cuda kernel decode whole peers nvenc native quick"  # the most wanted first
wanted() { [[ " ${STEPS:-$all} " == *" $1 "* ]]; }

mkdir -p "$work" "$out" && rm -f "$work/failed"
if wanted unpack; then rm -f "$out/gpu-check.log"; fi  # later calls go on with it
{ date -u; uname -sr; nproc; python3 --version; nvcc --version | tail -1; nvidia-smi; } >>"$out/gpu-check.log" 2>&1
if wanted unpack; then step unpack 60; fi
# Made while the core is compiled, which has the processors idle at its end.
if wanted build; then
    step footage 120 >"$work/footage.line" &
    step build 150
    wait $!
    cat "$work/footage.line"
fi
if wanted gpu; then step gpu 180; fi
if wanted cuda; then step cuda 90; fi
if wanted kernel; then step kernel 60; fi
if wanted decode; then step decode 120; fi
if wanted whole; then step whole 330; fi
if wanted peers; then step peers 90; fi
if wanted nvenc; then step nvenc 120; fi
if wanted native; then step native 90; fi  # these need no GPU
if wanted quick; then step quick 90; fi
printf 'all      %4d s\n' "$SECONDS" | tee -a "$out/gpu-check.log"
[ ! -e "$work/failed" ] || { echo "failed: $(paste -sd' ' "$work/failed")" | tee -a "$out/gpu-check.log"; exit 1; }
