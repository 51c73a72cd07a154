#!/bin/sh
# Installs what emomedia needs from Debian 12 or Ubuntu 24.04: the one list for people, CI and images.
# Does nothing, and asks for no rights, where everything is there already.
set -eu

packages="g++ make pkg-config python3-dev python3-venv
          libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev
          espeak-ng doctest-dev"
# What fuzzing needs more, with the argument "fuzz": libFuzzer, the sanitizers, the names in their stacks.
[ "${1:-}" != fuzz ] || packages="$packages clang libclang-rt-dev llvm"

missing=""
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null; then
    as_root="sudo"
else
    echo "emomedia: needs root or sudo to install:$missing" >&2
    exit 1
fi
echo "installing from the system's packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
