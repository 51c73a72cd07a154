#include <doctest/doctest.h>

#include <vector>

#include "fake_gpu.h"
#include "python/dlpack.h"

using namespace emomedia;
using tests::FakeGpu;

// Two rows of three samples of ten bits, as a consumer finds them, until it calls the deleter.
TEST_CASE_TEMPLATE("DLPack describes memory of a GPU and holds it", Managed, python::DlManaged, python::DlVersioned) {
  const auto gpu = std::make_shared<FakeGpu>();
  gpu::Memory memory = gpu->allocate(12);
  void* const first = memory.get();
  Managed* managed = python::describe<Managed>(std::move(memory), {python::kDlCuda, 3}, 2, {2, 3});
  const python::DlTensor& tensor = managed->tensor;
  CHECK(tensor.data == first);
  CHECK(tensor.byte_offset == 0);
  CHECK((tensor.device.type == 2 && tensor.device.id == 3));
  CHECK((tensor.type.code == 1 && tensor.type.bits == 16 && tensor.type.lanes == 1));
  REQUIRE(tensor.dimensions == 2);
  CHECK((tensor.shape[0] == 2 && tensor.shape[1] == 3));
  CHECK((tensor.strides[0] == 3 && tensor.strides[1] == 1));
  if constexpr (std::is_same_v<Managed, python::DlVersioned>) {
    CHECK((managed->major == 1 && managed->minor == 0));
    CHECK(managed->flags == 0);
  }
  CHECK(gpu->bytes_held() == 12);
  managed->deleter(managed);
  CHECK(gpu->bytes_held() == 0);
}
