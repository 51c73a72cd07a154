// DLPack's structures as its specification has them (dlpack.h 1.0), and memory described with them. No Python here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace emomedia::python {

struct DlDevice {
  std::int32_t type, id;
};
struct DlType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  std::int32_t dimensions;
  DlType type;
  std::int64_t* shape;
  std::int64_t* strides;  // items
  std::uint64_t byte_offset;
};

// What a capsule holds for consumers that name no version of DLPack or one before 1.0, and for all others.
struct DlManaged {
  static constexpr const char* kName = "dltensor";

  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged*);
};
struct DlVersioned {
  static constexpr const char* kName = "dltensor_versioned";

  std::uint32_t major, minor;
  void* context;
  void (*deleter)(DlVersioned*);
  std::uint64_t flags;  // 1: read only, 2: copied
  DlTensor tensor;
};
static_assert(sizeof(DlTensor) == 48 && offsetof(DlManaged, deleter) == 56);
static_assert(offsetof(DlVersioned, flags) == 24 && offsetof(DlVersioned, tensor) == 32);

inline constexpr std::int32_t kDlCuda = 2;
inline constexpr std::uint8_t kDlUnsigned = 1;

// Unsigned integers in C order, which whoever has the structure may write to. Its deleter lets go of the memory.
template <typename Managed>
Managed* describe(std::shared_ptr<std::uint8_t> memory, DlDevice device, int item_bytes, std::vector<std::int64_t> shape) {
  struct Held {
    Managed managed;
    std::shared_ptr<std::uint8_t> memory;
    std::vector<std::int64_t> shape, strides;
  };
  auto held = std::make_unique<Held>();
  held->memory = std::move(memory);
  held->shape = std::move(shape);
  held->strides.assign(held->shape.size(), 1);
  for (std::size_t d = held->shape.size(); d-- > 1;) held->strides[d - 1] = held->strides[d] * held->shape[d];
  Managed& managed = held->managed;
  managed.tensor = {held->memory.get(), device, static_cast<std::int32_t>(held->shape.size()),
                    {kDlUnsigned, static_cast<std::uint8_t>(8 * item_bytes), 1}, held->shape.data(), held->strides.data(), 0};
  managed.context = held.get();
  managed.deleter = [](Managed* done) { delete static_cast<Held*>(done->context); };
  if constexpr (requires { managed.major; }) managed.major = 1;
  return &held.release()->managed;
}

}  // namespace emomedia::python
