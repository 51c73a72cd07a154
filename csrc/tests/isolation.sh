#!/bin/sh
# isolation.sh NM LIBRARY: fails where a file that is compiled for one instruction set has functions that the linker
# may pick for all others, which then would run on processors that lack it.
set -eu
found=$("$1" -C "$2" | awk '
  /^compose_avx.*\.o:$/ { name = $1; files++; next }
  /:$/ { name = "" }
  name != "" && $2 == "W" && $3 != "__clang_call_terminate" { print name, $0 }  # that one calls, and no more
  END { if (files < 2) print "files of two instruction sets: expected, found " files + 0 }')
[ -z "$found" ] || { echo "$found"; exit 1; }
