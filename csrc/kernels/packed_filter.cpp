#include "kernels/packed_filter.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace emomedia {
namespace {

// Two coefficients as the int32 that a multiply-add of pairs takes.
std::int32_t pair_of(std::int16_t earlier, std::int16_t later) {
  const auto low = static_cast<std::uint16_t>(earlier);
  const auto high = static_cast<std::uint32_t>(static_cast<std::uint16_t>(later)) << 16;
  return static_cast<std::int32_t>(high | low);
}

// The coefficients of outputs first .. first + count - 1 of an axis, as pairs from the source sample
// origin[i] on: [pairs][count]. Outputs beyond the last have no weight.
std::vector<std::int32_t> paired(const AxisFilter& axis, int first, int count, const std::vector<int>& origin,
                                 int pairs) {
  std::vector<std::int32_t> packed(static_cast<std::size_t>(pairs * count), 0);
  for (int i = 0; i < count && first + i < axis.size(); ++i) {
    const auto o = static_cast<std::size_t>(first + i);
    const std::int16_t* coeff = axis.coeff.data() + static_cast<std::ptrdiff_t>(o) * axis.taps;
    const int lead = axis.start[o] - origin[static_cast<std::size_t>(i)];
    const auto tap = [&](int t) { return t >= lead && t < lead + axis.taps ? coeff[t - lead] : std::int16_t{0}; };
    for (int p = 0; p < pairs; ++p) {
      packed[static_cast<std::size_t>(p * count + i)] = pair_of(tap(2 * p), tap(2 * p + 1));
    }
  }
  return packed;
}

// Tables, equal ones kept once.
class Tables {
 public:
  // The number of the table equal to `table`, in order of first use.
  std::int32_t number(std::vector<std::int32_t> table) {
    const auto next = static_cast<std::int32_t>(number_of_.size());
    const auto [place, is_new] = number_of_.try_emplace(std::move(table), next);
    if (is_new) all_.push_back(place->first);
    return place->second;
  }
  const std::vector<std::vector<std::int32_t>>& all() const { return all_; }

 private:
  std::map<std::vector<std::int32_t>, std::int32_t> number_of_;
  std::vector<std::vector<std::int32_t>> all_;
};

int largest(std::span<const std::int32_t> values) { return *std::ranges::max_element(values); }
int smallest(std::span<const std::int32_t> values) { return *std::ranges::min_element(values); }

std::span<const std::int32_t> starts_of(const AxisFilter& axis, int first, int count) {
  const auto end = std::min(first + count, axis.size());
  return {axis.start.data() + first, static_cast<std::size_t>(end - first)};
}

// `axis` with its source samples counted from the other end of its `length`.
AxisFilter reversed(AxisFilter axis, int length) {
  for (int o = 0; o < axis.size(); ++o) {
    std::int32_t& start = axis.start[static_cast<std::size_t>(o)];
    start = length - start - axis.taps;
    const auto coeff = axis.coeff.begin() + static_cast<std::ptrdiff_t>(o) * axis.taps;
    std::reverse(coeff, coeff + axis.taps);
  }
  axis.first_source = std::exchange(axis.end_source, length - axis.first_source);
  axis.first_source = length - axis.first_source;
  return axis;
}

// `axis` with its source samples counted from the first that is read.
AxisFilter from_zero(AxisFilter axis) {
  for (std::int32_t& start : axis.start) start -= axis.first_source;
  axis.end_source -= std::exchange(axis.first_source, 0);
  return axis;
}

// `axis` with its outputs counted from the last.
AxisFilter flipped(AxisFilter axis) {
  std::vector<std::int16_t> coeff;
  for (int o = axis.size() - 1; o >= 0; --o) {
    const auto row = axis.coeff.begin() + static_cast<std::ptrdiff_t>(o) * axis.taps;
    coeff.insert(coeff.end(), row, row + axis.taps);
  }
  axis.coeff = std::move(coeff);
  std::reverse(axis.start.begin(), axis.start.end());
  return axis;
}

BandTable band_table(std::vector<std::int32_t> coeff, int pairs) {
  const auto needs = [&](int pair, int row) { return coeff[static_cast<std::size_t>(pair * kBandRows + row)] != 0; };
  BandTable table;
  while (table.lead < pairs && !needs(table.lead, 2) && !needs(table.lead, 3)) ++table.lead;
  table.tail = pairs;
  while (table.tail > table.lead && !needs(table.tail - 1, 0) && !needs(table.tail - 1, 1)) --table.tail;
  table.coeff = std::move(coeff);
  return table;
}

RowBands row_bands(const AxisFilter& axis) {
  const int count = (axis.size() + kBandRows - 1) / kBandRows;
  RowBands bands;
  bands.outputs = axis.size();
  bands.sources = axis.end_source;
  bands.first.resize(static_cast<std::size_t>(count));
  int next_first = axis.end_source;
  for (int band = count - 1; band >= 0; --band) {
    const auto starts = starts_of(axis, band * kBandRows, kBandRows);
    next_first = std::min(next_first, smallest(starts));
    bands.first[static_cast<std::size_t>(band)] = next_first;
    bands.pairs = std::max(bands.pairs, (largest(starts) + axis.taps - next_first + 1) / 2);
  }
  Tables tables;
  for (int band = 0; band < count; ++band) {
    const std::vector<int> origin(kBandRows, bands.first[static_cast<std::size_t>(band)]);
    bands.number.push_back(tables.number(paired(axis, band * kBandRows, kBandRows, origin, bands.pairs)));
  }
  for (const std::vector<std::int32_t>& coeff : tables.all()) bands.tables.push_back(band_table(coeff, bands.pairs));
  return bands;
}

// Blocks whose pairs begin at a multiple of `alignment` samples, in units of as many.
ColBlocks col_blocks(const AxisFilter& axis, int alignment) {
  ColBlocks blocks;
  blocks.pairs = (axis.taps + alignment) / 2;  // an odd start has an aligned pair begin one sample before it
  Tables tables;
  for (int col = 0; col < axis.size(); col += kBlockCols) {
    const auto starts = starts_of(axis, col, kBlockCols);
    const int base = smallest(starts) / alignment;
    std::vector<int> origin(kBlockCols, alignment * base);
    for (std::size_t i = 0; i < starts.size(); ++i) origin[i] = starts[i] / alignment * alignment;
    blocks.base.push_back(base);
    blocks.span = std::max(blocks.span, largest(origin) / alignment - base + 2 * blocks.pairs / alignment);
    std::vector<std::int32_t> table;
    for (int p = 0; p < blocks.pairs; ++p) {
      for (const int first : origin) {
        const int unit = first / alignment - base + 2 * p / alignment;
        table.push_back(alignment == 2 ? unit : unit | (unit + 1) << 16);
      }
    }
    const std::vector<std::int32_t> coeff = paired(axis, col, kBlockCols, origin, blocks.pairs);
    table.insert(table.end(), coeff.begin(), coeff.end());
    blocks.number.push_back(tables.number(std::move(table)));
  }
  for (const std::vector<std::int32_t>& table : tables.all()) {
    blocks.tables.insert(blocks.tables.end(), table.begin(), table.end());
  }
  return blocks;
}

ColDots col_dots(const AxisFilter& axis) {
  ColDots dots;
  dots.taps = (axis.taps + kDotTaps - 1) / kDotTaps * kDotTaps;
  const int cols = (axis.size() + kBlockCols - 1) / kBlockCols * kBlockCols;
  dots.coeff.assign(static_cast<std::size_t>(cols) * static_cast<std::size_t>(dots.taps), 0);
  for (int col = 0; col < cols; ++col) {
    dots.start.push_back(axis.start[static_cast<std::size_t>(std::min(col, axis.size() - 1))]);
    if (col >= axis.size()) continue;
    std::copy_n(axis.coeff.data() + static_cast<std::ptrdiff_t>(col) * axis.taps, axis.taps,
                dots.coeff.data() + static_cast<std::ptrdiff_t>(col) * dots.taps);
  }
  return dots;
}

// Upright x runs against the coded axis that it lies on where the picture is upside down, or lies with its top
// to the left; upright y where it is upside down, or lies with its top to the right. Mirroring turns x round.
bool x_runs_against(const Orientation& o) { return (o.rotate == 180 || o.rotate == 90) != o.mirrored; }
bool y_runs_against(const Orientation& o) { return o.rotate == 180 || o.rotate == 270; }

}  // namespace

int RowFilter::padded_sources() const {
  const int blocks_end = 2 * (largest(blocks.base) + std::max(blocks.span, kWindowPairs));
  return std::max({sources + kMostLanes, blocks_end, largest(dots.start) + dots.taps});
}

PackedFilter pack(const PlaneFilter& filter, const Orientation& orientation, int width, int height) {
  const bool swapped = orientation.swapped();
  const int x_length = swapped ? height : width, y_length = swapped ? width : height;
  const AxisFilter x = x_runs_against(orientation) ? reversed(filter.cols, x_length) : filter.cols;
  const AxisFilter y = y_runs_against(orientation) ? reversed(filter.rows, y_length) : filter.rows;
  const AxisFilter& along_rows = swapped ? y : x;
  const AxisFilter& along_cols = swapped ? x : y;
  const AxisFilter cols = from_zero(along_rows);
  PackedFilter packed;
  packed.swapped = swapped;
  packed.first_col = along_rows.first_source;
  packed.first_row = along_cols.first_source;
  const bool against = swapped ? x_runs_against(orientation) : y_runs_against(orientation);
  packed.bands = row_bands(from_zero(against ? flipped(along_cols) : along_cols));
  packed.bands.flipped = against;
  packed.cols = {cols.size(), cols.end_source, col_blocks(cols, 2), col_blocks(cols, 1), col_dots(cols)};
  return packed;
}

std::array<PackedFilter, 3> packed_filters(const HalfGeometry& geometry) {
  const std::array<PlaneFilter, 3> filters = compose_filters(geometry);
  std::array<PackedFilter, 3> packed;
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    packed[p] = pack(filters[p], {geometry.rotate, geometry.mirrored}, geometry.source.plane_width(plane),
                     geometry.source.plane_height(plane));
  }
  return packed;
}

}  // namespace emomedia
