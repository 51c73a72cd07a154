#include "av/second_fields.h"

#include <cstdint>

#include "av/check.h"

namespace emomedia::av {

SecondFields::SecondFields(const AVStream& stream) {
  if (stream.codecpar->codec_id != AV_CODEC_ID_H264) return;
  parser_.reset(av_parser_init(AV_CODEC_ID_H264));
  context_.reset(allocated(avcodec_alloc_context3(nullptr)));
  check(avcodec_parameters_to_context(context_.get(), stream.codecpar), "H.264", "read the codec's parameters");
  if (parser_) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
}

bool SecondFields::is_second(const AVPacket& packet) {
  if (!parser_) return only_frames_ = false;
  std::uint8_t* unused = nullptr;
  int size = 0;
  av_parser_parse2(parser_.get(), context_.get(), &unused, &size, packet.data, packet.size, packet.pts, packet.dts,
                   packet.pos);
  const auto structure = parser_->picture_structure;
  only_frames_ = only_frames_ && structure == AV_PICTURE_STRUCTURE_FRAME;
  const bool is_field = structure == AV_PICTURE_STRUCTURE_TOP_FIELD || structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
  // libav tells an order of fields where the field before was the other one and of the same frame_num, which frames
  // that nothing refers to may share. A packet of both fields begins with the same one each time.
  const bool of_one_number = parser_->field_order != AV_FIELD_UNKNOWN;
  const bool second =
      is_field && of_one_number && first_field_ != AV_PICTURE_STRUCTURE_UNKNOWN && structure != first_field_;
  first_field_ = is_field && !second ? structure : AV_PICTURE_STRUCTURE_UNKNOWN;
  return second;
}

}  // namespace emomedia::av
