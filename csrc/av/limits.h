// What media may be and cost: set before anything is opened, since media is untrusted input.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emomedia::av {

// What cameras and recorders write. Playlists, concatenations and devices stay out.
inline constexpr const char* kDemuxers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mxf,avi,wav,w64,flac,aac,mp3,ogg,aiff,caf,ivf";
inline constexpr const char* kProtocols = "file";

// Decoders of what cameras record, by libav's names; the hundreds of others are never opened.
inline constexpr const char* kDecoders =
    "h264,hevc,libdav1d,libaom-av1,av1,vp8,vp9,libvpx,libvpx-vp9,prores,dnxhd,cfhd,aic,jpeg2000,mjpeg,"
    "mpeg1video,mpeg2video,mpeg4,dvvideo,ffv1,v210,rawvideo,huffyuv,ffvhuff,utvideo,"
    "aac,aac_latm,ac3,eac3,mp2,mp2float,mp3,mp3float,flac,alac,opus,libopus,vorbis,libvorbis,s302m,"
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,"
    "pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_bluray,pcm_dvd,"
    "pcm_s8_planar,pcm_s16le_planar,pcm_s16be_planar,pcm_s24le_planar,pcm_s32le_planar,adpcm_ms,adpcm_ima_wav,"
    "adpcm_ima_qt";

inline constexpr const char* kMaxStreams = "64";

// Pixels of a picture: 8192x8192, twice what the largest cinema camera has.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 26;

// Bytes that libav may allocate in one piece, in the whole process: a file of 2 KB may claim an index of
// gigabytes. A picture of kMaxPixels in 4:4:4 with 12 bits takes 384 MiB, the index of a day at 120 frames a
// second 250.
inline constexpr std::size_t kMaxAllocation = std::size_t{1} << 29;

}  // namespace emomedia::av
