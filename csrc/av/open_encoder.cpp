#include "av/open_encoder.h"

extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "av/check.h"
#include "av/names.h"

namespace emomedia::av {
namespace {

constexpr const char* kLibx264 = "libx264";

// Without cpu-independent=1 and one thread the same frames give several different streams, even
// within one process. Key frames are the engine's: no scene cuts, no periodic ones.
constexpr const char* kDeterministic =
    "cpu-independent=1:threads=1:lookahead-threads=1:sliced-threads=0:sync-lookahead=0:"
    "keyint=infinite:min-keyint=1:scenecut=0:open-gop=0:force-cfr=1";

const AVCodec* find_encoder(const std::string& name) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(name.c_str());
  if (encoder != nullptr) return encoder;
  throw Error(Cause::unsupported, name, "an FFmpeg with " + name, "one without",
              "install your distribution's full FFmpeg libraries");
}

void set_option(AVCodecContext& codec, const char* name, const std::string& value, const std::string& subject) {
  if (av_opt_set(codec.priv_data, name, value.c_str(), 0) >= 0) return;
  throw Error(Cause::unsupported, subject, "a value that " + std::string(codec.codec->name) + " knows", value,
              "see `emomedia run --help`");
}

Codec described(const AVCodec* encoder, const VideoSettings& s) {
  Codec codec(allocated(avcodec_alloc_context3(encoder)));
  codec->width = s.width;
  codec->height = s.height;
  codec->framerate = {static_cast<int>(s.rate.num), static_cast<int>(s.rate.den)};
  codec->time_base = av_inv_q(codec->framerate);
  codec->sample_aspect_ratio = {1, 1};
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  apply_tags(s.tags, *codec);
  set_option(*codec, "forced-idr", "1", s.encoder);
  return codec;
}

std::string quality_of(const VideoSettings& s) { return "preset " + s.preset + ", crf " + s.crf; }

Codec open_libx264(const VideoSettings& s) {
  const AVCodec* encoder = find_encoder(kLibx264);
  Codec codec = described(encoder, s);
  codec->pix_fmt = s.depth > 8 ? AV_PIX_FMT_YUV420P10LE : AV_PIX_FMT_YUV420P;
  set_option(*codec, "preset", s.preset, "--preset");
  set_option(*codec, "crf", s.crf, "--crf");
  set_option(*codec, "x264-params", kDeterministic, kLibx264);
  clear_log();
  if (avcodec_open2(codec.get(), encoder, nullptr) < 0) {
    throw Error(Cause::unsupported, kLibx264, "settings that libx264 takes", quality_of(s) + " (" + last_log() + ")",
                "see `emomedia run --help`");
  }
  return codec;
}

// x264's presets by NVENC's, fastest first.
constexpr std::array<std::pair<const char*, const char*>, 10> kPresets{{{"ultrafast", "p1"},
                                                                        {"superfast", "p2"},
                                                                        {"veryfast", "p3"},
                                                                        {"faster", "p4"},
                                                                        {"fast", "p4"},
                                                                        {"medium", "p5"},
                                                                        {"slow", "p6"},
                                                                        {"slower", "p7"},
                                                                        {"veryslow", "p7"},
                                                                        {"placebo", "p7"}}};

std::string nvenc_preset(const VideoSettings& s) {
  const auto found = std::ranges::find(kPresets, s.preset, [](const auto& pair) { return std::string(pair.first); });
  if (found != kPresets.end()) return found->second;
  throw Error(Cause::unsupported, "--preset", "one of x264's presets", s.preset, "see `emomedia run --help`");
}

// One quantiser for all P pictures, one 3 QP finer for IDR pictures, as x264 has it: with no rate control there is
// nothing that an encoder has to find out first, so no chunk begins worse than it goes on. No B-frames, and an endless
// GOP whose IDR pictures are those that are forced.
constexpr int kIntraOffset = -3;

constexpr int kHigh10 = 110;  // H.264's number of the profile: older FFmpegs would have the card make 8 bits of 10

AVPixelFormat nvenc_pixels(const VideoSettings& s) { return s.depth > 8 ? AV_PIX_FMT_P010LE : AV_PIX_FMT_YUV420P; }

void set_nvenc_options(AVCodecContext& codec, const VideoSettings& s) {
  codec.max_b_frames = 0;
  codec.gop_size = std::numeric_limits<int>::max();
  codec.i_quant_factor = 1.0F;
  codec.i_quant_offset = kIntraOffset;
  const int qp = std::clamp(static_cast<int>(std::lround(std::strtod(s.crf.c_str(), nullptr))), 0, 51);
  for (const auto& [name, value] : {std::pair<const char*, std::string>{"preset", nvenc_preset(s)},
                                    {"tune", "hq"},
                                    {"rc", "constqp"},
                                    {"qp", std::to_string(qp)},
                                    {"no-scenecut", "1"}}) {
    set_option(codec, name, value, s.encoder);
  }
  if (codec.codec_id == AV_CODEC_ID_H264 && s.depth == 8) set_option(codec, "profile", "high", s.encoder);
}

// As NVENC reads them: of planar ones libav lays out the planes in its order; of 10 bits there are none.
BufferRef surfaces_of(AVBufferRef* cuda, const VideoSettings& s) {
  BufferRef surfaces(allocated(av_hwframe_ctx_alloc(cuda)));
  auto* frames = reinterpret_cast<AVHWFramesContext*>(surfaces->data);
  frames->format = AV_PIX_FMT_CUDA;
  frames->sw_format = nvenc_pixels(s);
  frames->width = s.width;
  frames->height = s.height;
  if (av_hwframe_ctx_init(surfaces.get()) >= 0) return surfaces;
  throw Error(Cause::device, s.encoder, "surfaces in the GPU's memory", "none (" + last_log() + ")",
              "free some of its memory, or choose --encoder libx264");
}

[[noreturn]] void refuse_nvenc(const VideoSettings& s) {
  const std::string said = told_log();
  const std::string asked = "an encoder session for " + std::to_string(s.width) + "x" + std::to_string(s.height) + " in " +
                            std::to_string(s.depth) + " bits";
  const std::string found = said.empty() ? "none" : said;
  // NV_ENC_ERR_OUT_OF_MEMORY, and with newer drivers NV_ENC_ERR_INCOMPATIBLE_CLIENT_KEY: what a card says whose
  // sessions are all taken.
  const bool taken = said.find("OpenEncodeSessionEx") != std::string::npos &&
                     (said.find("(10)") != std::string::npos || said.find("(21)") != std::string::npos);
  if (taken) {
    throw NoSessionLeft(Cause::stalled, s.encoder, asked, found,
                        "end other programs that encode on that GPU, or use fewer --workers; what is finished is kept");
  }
  throw Error(Cause::device, s.encoder, asked, found, "choose --encoder libx264, or a GPU that has NVENC");
}

Codec open_nvenc(const VideoSettings& s, const EncoderMemory& memory) {
  const AVCodec* encoder = find_encoder(s.encoder);
  if (memory.cuda == nullptr) {
    throw Error(Cause::device, s.encoder, "a GPU", "none", "choose --encoder libx264, or a machine with NVENC");
  }
  Codec codec = described(encoder, s);
  set_nvenc_options(*codec, s);
  clear_log();
  if (memory.on_gpu) {
    codec->pix_fmt = AV_PIX_FMT_CUDA;
    codec->hw_frames_ctx = surfaces_of(memory.cuda, s).release();
  } else {
    codec->pix_fmt = nvenc_pixels(s);
    codec->hw_device_ctx = allocated(av_buffer_ref(memory.cuda));
  }
  if (avcodec_open2(codec.get(), encoder, nullptr) < 0) refuse_nvenc(s);
  if (codec->codec_id == AV_CODEC_ID_H264 && s.depth > 8 && codec->profile != kHigh10) {
    throw Error(Cause::unsupported, s.encoder, "an FFmpeg that encodes H.264 in 10 bits by NVENC", "one that does not",
                "choose --encoder hevc_nvenc, or --depth 8");
  }
  return codec;
}

}  // namespace

bool is_nvenc(const std::string& encoder) { return encoder.ends_with("_nvenc"); }

Codec open_encoder(const VideoSettings& settings, const EncoderMemory& memory) {
  capture_log();
  return is_nvenc(settings.encoder) ? open_nvenc(settings, memory) : open_libx264(settings);
}

}  // namespace emomedia::av
