// What all instruction sets share: the walk over a plane, and the memory that it takes.
#include "kernels/compose.h"

#include <algorithm>

namespace emomedia {
namespace {

constexpr int kFetchedVertically = 5;  // of nine rows ahead, as the passes' times are; the others in the second pass
constexpr int kStaged = 64;  // output columns transposed at a time: a cache line of bytes of each output row

std::size_t size_of_sample(int depth) { return depth > 8 ? 2 : 1; }

// Bytes from one scratch row to the next: an odd number of cache lines, so that a column's samples do not all
// fall on the same few places of the cache.
std::ptrdiff_t row_stride(int samples, std::size_t sample_bytes) {
  const std::size_t lines = (static_cast<std::size_t>(samples) * sample_bytes + kCacheLine - 1) / kCacheLine;
  return static_cast<std::ptrdiff_t>((lines | 1) * kCacheLine);
}

// The rows of T that a band of outputs needs, and those that are made with them.
int ring_rows(const RowBands& bands) { return (2 * bands.pairs + 2 * kBandRows - 1) / kBandRows * kBandRows; }

Rounding to_t(const PlaneTask& task) { return {task.depth, 0}; }
Rounding to_samples(const PlaneTask& task) { return {28 - task.output_depth, (1 << task.output_depth) - 1}; }

// Where the rows lie that a band reads, and those that the next one will read besides. Rows beyond the last have
// no weight: the last stands for them.
class BandRows {
 public:
  BandRows(const RowBands& bands, const std::uint8_t** memory) noexcept : bands_(bands), rows_(memory) {}

  template <typename RowAt>
  VerticalTask task(int band, const RowAt& row_at) const noexcept {
    const int first = bands_.first[static_cast<std::size_t>(band)], end = first + 2 * bands_.pairs;
    for (int y = first; y < end; ++y) rows_[y - first] = row_at(std::min(y, bands_.sources - 1));
    int ahead_end = end;
    if (band + 1 < bands_.size()) {
      const int next_end = bands_.first[static_cast<std::size_t>(band) + 1] + 2 * bands_.pairs;
      ahead_end = std::min({next_end, end + kMostAhead, bands_.sources});
    }
    for (int y = end; y < ahead_end; ++y) rows_[y - first] = row_at(y);
    VerticalTask task{};
    task.rows = rows_;
    task.ahead = {rows_ + (end - first), std::max(0, ahead_end - end)};
    task.table = &bands_.table(band);
    task.pairs = bands_.pairs;
    return task;
  }

  static constexpr int kMostAhead = 16;

 private:
  const RowBands& bands_;
  const std::uint8_t** rows_;
};

// Upright rows are coded rows: each band goes down and then along.
void compose_upright(const PlaneTask& task, const ComposeKernels& kernels, ComposeScratch& scratch) noexcept {
  const PackedFilter& filter = *task.filter;
  const auto down = kernels.samples_down[size_of_sample(task.depth) - 1];
  const auto along = kernels.t_along[size_of_sample(task.output_depth) - 1];
  const std::ptrdiff_t t_stride = row_stride(filter.cols.padded_sources(), sizeof(std::int16_t));
  const std::uint8_t* source = task.source + filter.first_row * task.source_stride +
                               filter.first_col * static_cast<std::ptrdiff_t>(size_of_sample(task.depth));
  const int row_bytes = filter.cols.sources * static_cast<int>(size_of_sample(task.depth));
  const BandRows rows(filter.bands, scratch.rows.data());
  std::uint8_t* out = task.output;
  std::ptrdiff_t out_stride = task.output_stride;
  if (filter.bands.flipped) {
    out += (filter.bands.outputs - 1) * out_stride;
    out_stride = -out_stride;
  }
  for (int band = 0; band < filter.bands.size(); ++band) {
    const int row = band * kBandRows;
    VerticalTask vertical = rows.task(band, [&](int y) { return source + y * task.source_stride; });
    vertical.width = filter.cols.sources;
    vertical.rounding = to_t(task);
    vertical.out = scratch.t.data();
    vertical.out_stride = t_stride;
    const Ahead later = vertical.ahead.split_off(vertical.ahead.count * kFetchedVertically / 9);
    down(vertical);
    along({reinterpret_cast<const std::int16_t*>(scratch.t.data()), t_stride / 2, &filter.cols, later, row_bytes,
           std::min(kBandRows, filter.bands.outputs - row), to_samples(task), out + row * out_stride, out_stride});
  }
}

// Upright rows are coded columns: the coded rows are filtered along as they come up, into a ring of rows of T;
// bands of outputs come down from it, lying, and are transposed.
class LyingPlane {
 public:
  LyingPlane(const PlaneTask& task, const ComposeKernels& kernels, ComposeScratch& scratch) noexcept
      : task_(task),
        filter_(*task.filter),
        kernels_(kernels),
        scratch_(scratch),
        source_(task.source + filter_.first_row * task.source_stride +
                filter_.first_col * static_cast<std::ptrdiff_t>(size_of_sample(task.depth))),
        t_stride_(row_stride(filter_.cols.padded_outputs(), sizeof(std::int16_t))),
        widened_stride_(row_stride(filter_.cols.padded_sources(), sizeof(std::int16_t))),
        staged_stride_(row_stride(filter_.cols.padded_outputs(), size_of_sample(task.output_depth))),
        ring_(ring_rows(filter_.bands)) {}

  void compose() noexcept {
    const RowBands& bands = filter_.bands;
    const BandRows rows(bands, scratch_.rows.data());
    for (int band = 0; band < bands.size(); ++band) {
      const int output = band * kBandRows;
      make_rows_until(std::min(bands.first[static_cast<std::size_t>(band)] + 2 * bands.pairs, bands.sources));
      VerticalTask vertical = rows.task(band, [this](int y) { return ring_row(y); });
      vertical.ahead = {};  // they are in the cache
      vertical.width = filter_.cols.outputs;
      vertical.rounding = to_samples(task_);
      vertical.out = staged(output);
      vertical.out_stride = bands.flipped ? -staged_stride_ : staged_stride_;
      kernels_.t_down[size_of_sample(task_.output_depth) - 1](vertical);
      const bool group_ends = band + 1 == bands.size() || (output + kBandRows) % kStaged == 0;
      if (group_ends) transpose_group(output / kStaged * kStaged);
    }
  }

 private:
  std::uint8_t* ring_row(int y) const noexcept { return scratch_.t.data() + y % ring_ * t_stride_; }

  const std::uint8_t* source_row(int y) const noexcept {
    return source_ + std::min(y, filter_.bands.sources - 1) * task_.source_stride;
  }

  void make_rows_until(int end) noexcept {
    for (; made_ < end; made_ += kBandRows) {
      const std::uint8_t* ahead[kBandRows];
      SamplesAlongTask along{};
      for (int r = 0; r < kBandRows; ++r) {
        along.rows[r] = source_row(made_ + r);
        ahead[r] = source_row(made_ + r + kBandRows);
      }
      along.widened = reinterpret_cast<std::int16_t*>(scratch_.widened.data());
      along.widened_stride = widened_stride_ / 2;
      along.filter = &filter_.cols;
      along.ahead = {ahead, kBandRows};
      along.ahead_bytes = filter_.cols.sources * static_cast<int>(size_of_sample(task_.depth));
      along.rounding = to_t(task_);
      along.out = ring_row(made_);
      along.out_stride = t_stride_;
      kernels_.samples_along[size_of_sample(task_.depth) - 1](along);
    }
  }

  // Where an output waits: flipped ones from the bottom up.
  std::uint8_t* staged(int output) const noexcept {
    const int row = output % kStaged;
    return scratch_.staged.data() + (filter_.bands.flipped ? kStaged - 1 - row : row) * staged_stride_;
  }

  // The outputs from `first` on that wait become columns.
  void transpose_group(int first) noexcept {
    const std::size_t bytes = size_of_sample(task_.output_depth);
    const int count = std::min(kStaged, filter_.bands.outputs - first);
    const bool flipped = filter_.bands.flipped;
    const int column = flipped ? filter_.bands.outputs - first - count : first;
    kernels_.transpose[bytes - 1]({staged(flipped ? first + count - 1 : first), staged_stride_, filter_.cols.outputs,
                                   count, task_.output + static_cast<std::size_t>(column) * bytes,
                                   task_.output_stride});
  }

  const PlaneTask& task_;
  const PackedFilter& filter_;
  const ComposeKernels& kernels_;
  ComposeScratch& scratch_;
  const std::uint8_t* source_;
  std::ptrdiff_t t_stride_, widened_stride_, staged_stride_;
  int ring_;      // rows
  int made_ = 0;  // rows of T so far
};

}  // namespace

void ComposeScratch::reserve(const PlaneTask& task) {
  const PackedFilter& filter = *task.filter;
  const auto row_bytes = [](int samples, std::size_t sample_bytes) {
    return static_cast<std::size_t>(row_stride(samples, sample_bytes));
  };
  const std::size_t band_rows = static_cast<std::size_t>(filter.bands.pairs) * 2 + BandRows::kMostAhead;
  rows.resize(std::max(rows.size(), band_rows));
  if (!filter.swapped) {
    t.reserve(kBandRows * row_bytes(filter.cols.padded_sources(), sizeof(std::int16_t)));
    return;
  }
  t.reserve(static_cast<std::size_t>(ring_rows(filter.bands)) *
            row_bytes(filter.cols.padded_outputs(), sizeof(std::int16_t)));
  widened.reserve(kBandRows * row_bytes(filter.cols.padded_sources(), sizeof(std::int16_t)));
  staged.reserve(kStaged * row_bytes(filter.cols.padded_outputs(), size_of_sample(task.output_depth)));
}

void compose_plane(const PlaneTask& task, const ComposeKernels& kernels, ComposeScratch& scratch) noexcept {
  if (task.filter->swapped) {
    LyingPlane(task, kernels, scratch).compose();
  } else {
    compose_upright(task, kernels, scratch);
  }
}

}  // namespace emomedia
