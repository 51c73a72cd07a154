// GPUs: which there are, what they can decode, and owning one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace emomedia::gpu {

// Streams that a GPU decodes.
struct DecodeLimits {
  std::string codec;  // libav's name
  int chroma = 420;   // 420, 422 or 444
  int depth = 8;
  int engines = 0;  // NVDEC engines that decode them, in parallel
  int max_width = 0, max_height = 0;
  std::int64_t max_macroblocks = 0;  // 16x16 luma pixels
};

struct Info {
  int index = 0;
  std::string name;
  std::int64_t memory = 0, free_memory = 0;  // bytes
  int compute_major = 0, compute_minor = 0;
  std::vector<DecodeLimits> decodes;
};

// The GPUs that there are, or the reason why there are none.
struct Found {
  std::vector<Info> gpus;
  std::map<int, std::string> refused;  // those that CUDA shows and does not let us have, and why
  std::string reason;  // empty where there is one
  int driver = 0;      // its CUDA version, as 13000; 0 without a driver
  int runtime = 0;     // this build's CUDA version; 0 without CUDA
};

// What went over the bus, and the peak of its memory in use by this process and all others.
struct Usage {
  std::int64_t bytes_to_host = 0, bytes_to_device = 0;
  std::int64_t peak_memory = 0;
};

class Device;

Found find();

// Throws Error(device) if it cannot be had.
std::shared_ptr<Device> open(int index);

}  // namespace emomedia::gpu
