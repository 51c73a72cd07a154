// Small takes with known frames, and folders that vanish, for the tests.
#pragma once

#include <cstdint>
#include <string>

#include "av/handles.h"
#include "emomedia/frame.h"
#include "emomedia/job.h"

namespace emomedia::tests {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Footage {
  int width = 128, height = 96;
  int frames = 60;
  int gop = 20;
  Rational rate{25, 1};
  std::string preset = "medium";
  bool still = false;  // every frame the same
};

// Draws `index`, which read_index() gives back, into an 8-bit picture.
void draw_index(const MutablePicture& picture, int index);

// Writes an MP4 whose frame n carries n in its luma, with silence beside it.
void write_footage(const std::string& path, const Footage& footage);

// Makes all samples of such a file zeros, its size and date as they were.
void blank_samples(const std::string& path);

// The index that a picture carries, anywhere within columns x .. x + width - 1 of its luma.
int read_index(const PictureView& picture, int x, int width);
int read_index(const AVFrame& frame);

std::string bytes_of(const std::string& path);

// Raw 16-bit mono samples: n-th sample is n modulo 1000.
void write_pcm(const std::string& path, int samples);

// How many frames of a file with closed GOPs have to be decoded to show first .. last: those from the key
// frame before them up to the last one of them in decoding order, by the order of its packets.
std::int64_t frames_demanded(const TakeFile& file, std::int64_t first, std::int64_t last);

// A take over files that write_footage() made.
Take make_take(const std::string& path);

}  // namespace emomedia::tests
