#!/usr/bin/env bash
# Builds a small FFmpeg with NVDEC, NVENC, x264 and dav1d from the system's source package, to be run anywhere:
# docs/gpu.md. It reads what csrc/av/limits.h lets in, and has the filters of the core and of the benchmarks.
#   gpu-ffmpeg.sh BUILD PREFIX    BUILD is kept for the next time, PREFIX is made anew
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "$1") prefix=$(realpath -m "$2")

# The names in one of the lists of limits.h, in one line.
limit() {
    sed -n "/constexpr const char\* $1 =/,/;/p" "$root/csrc/av/limits.h" | grep -o '"[^"]*"' | tr -d '"\n'
}

# Those that FFmpeg itself holds: other libraries' decoders are doubles of its own, but for AV1.
own() {
    tr ',' '\n' | grep -v '^lib' | paste -sd,
}

encoders=libx264,h264_nvenc,hevc_nvenc,aac,flac,ffv1,mpeg4,prores_ks,rawvideo,pcm_s16le,pcm_s24le,wrapped_avframe
muxers=mov,mp4,matroska,mpegts,avi,mxf,h264,hevc,wav,flac,rawvideo,yuv4mpegpipe,null,framemd5
filters=buffer,buffersink,abuffer,abuffersink,bwdif,crop,scale,transpose,hstack,vstack,pad,format,fps,setpts,trim,split
filters+=,null,nullsink,anull,aformat,aresample,asetpts,atrim,color,testsrc2,noise,hwupload,hwupload_cuda,hwdownload
options=(
    --disable-everything --disable-autodetect --disable-doc --disable-debug --disable-network --disable-ffplay
    --disable-static --enable-shared --enable-gpl --enable-zlib --enable-libx264 --enable-libdav1d
    --enable-ffnvcodec --enable-cuda --enable-cuvid --enable-nvdec --enable-nvenc
    --enable-hwaccel=h264_nvdec,hevc_nvdec,av1_nvdec,vp8_nvdec,vp9_nvdec,mpeg2_nvdec,mpeg4_nvdec
    "--enable-decoder=libdav1d,h264_cuvid,hevc_cuvid,wrapped_avframe,$(limit kDecoders | own)"
    "--enable-demuxer=h264,hevc,rawvideo,yuv4mpegpipe,concat,$(limit kDemuxers | own)"
    "--enable-encoder=$encoders" "--enable-muxer=$muxers" "--enable-filter=$filters"
    --enable-parsers --enable-bsfs --enable-protocol=file,pipe --enable-indev=lavfi
)

# The sources of the release that is installed, by a list of this script's own: not every machine's has any.
fetch() {
    local apt=$build/apt release
    mkdir -p "$apt/lists/partial"
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
        sed 's|^|deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |' >"$apt/sources.list"
    release=$(dpkg-query -W -f '${source:Version}' libavcodec-dev)
    local options=(-qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$apt/lists" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$build" && apt-get "${options[@]}" --download-only source "ffmpeg=$release" &&
        rm -rf source && dpkg-source --no-check -x ./ffmpeg_*.dsc source >/dev/null)
}

made=$(dpkg-query -W -f '${source:Version}' libavcodec-dev libx264-dev libdav1d-dev libffmpeg-nvenc-dev; echo "${options[@]}")
if [ "$made" != "$(cat "$build/made" 2>/dev/null)" ]; then
    rm -rf "$build" && mkdir -p "$build/objects"
    fetch
    cd "$build/objects"
    ../source/configure --prefix="$build/ffmpeg" "${options[@]}" >"$build/configure.log" ||
        { tail -20 "$build/configure.log"; exit 1; }
    make -s -j"$(nproc)" >"$build/make.log" 2>&1 || { tail -20 "$build/make.log"; exit 1; }
    make -s install >/dev/null
    rm -rf "$build/objects"
    echo "$made" >"$build/made"
fi

rm -rf "$prefix" && mkdir -p "$prefix"
cp -a "$build/ffmpeg/bin" "$build/ffmpeg/lib" "$build/ffmpeg/include" "$prefix/"
# NVIDIA's decoder's headers, which the core is built with.
cp -r /usr/include/ffnvcodec "$prefix/include/"
cp "$(pkg-config --variable=pcfiledir ffnvcodec)/ffnvcodec.pc" "$prefix/lib/pkgconfig/"
libraries=$(ldconfig -p | sed -nE 's/^\t(libx264|libdav1d)\.so\.[0-9]+ .*x86-64.* => (.*)/\2/p')
# shellcheck disable=SC2086
cp -L $libraries "$prefix/lib/"
find "$prefix/lib" "$prefix/bin" -type f ! -name '*.pc' -exec strip --strip-unneeded {} +
# Found wherever the folder lies: by each other, by programs, by pkg-config.
find "$prefix/lib" -maxdepth 1 -type f -exec patchelf --set-rpath "\$ORIGIN" {} +
find "$prefix/bin" -type f -exec patchelf --set-rpath "\$ORIGIN/../lib" {} +
sed -i -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^libdir=.*|libdir=${prefix}/lib|' \
    -e 's|^includedir=.*|includedir=${prefix}/include|' -e '/^Requires.private/d' -e '/^Libs.private/d' \
    "$prefix"/lib/pkgconfig/*.pc
