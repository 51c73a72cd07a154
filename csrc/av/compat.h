// What differs between FFmpeg 5.1 and 8 in the parts of libav that are used here.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
}

#include <cstddef>
#include <cstdint>

namespace emomedia::av {

inline int channel_count(const AVCodecParameters& parameters) { return parameters.ch_layout.nb_channels; }

// The stream's display matrix (nine integers), or null.
inline const std::int32_t* display_matrix(const AVStream& stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  return data != nullptr && data->size >= 9 * sizeof(std::int32_t) ? reinterpret_cast<const std::int32_t*>(data->data)
                                                                  : nullptr;
#else
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return size >= 9 * sizeof(std::int32_t) ? reinterpret_cast<const std::int32_t*>(data) : nullptr;
#endif
}

// Whether the frames of a GPU are surfaces of its decoder, as many as it was opened with; copies from FFmpeg 6.0 on.
inline constexpr bool kFramesAreSurfaces = LIBAVCODEC_VERSION_INT < AV_VERSION_INT(59, 55, 100);
inline constexpr std::size_t kMostBFrames = 8;  // in a row, for which there are surfaces

// What a decoder says of a frame; flags of their own until FFmpeg 6.0.
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
inline bool is_interlaced(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0; }
inline bool is_top_field_first(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0; }
#else
inline bool is_interlaced(const AVFrame& frame) { return frame.interlaced_frame != 0; }
inline bool is_top_field_first(const AVFrame& frame) { return frame.top_field_first != 0; }
#endif

}  // namespace emomedia::av
