// A spool file, whole, broken or made up: refused, or all that it gives out lies within it.
//
// Input: the file, then at its end one byte that says which C++ allocation fails.
#include "engine/spool.h"

#include "allocations.h"
#include "check.h"
#include "memory_file.h"

using namespace emomedia;

namespace {

void run(const std::string& path, std::size_t size, unsigned failing_allocation) {
  const fuzz::FailingAllocations failing(failing_allocation, std::size_t{1} << 30);
  const Spool spool(path);
  const auto sets = spool.parameter_sets();
  const MappedFile file(path);
  fuzz::require(sets.size() + 12 <= size, "the parameter sets lie within the file");
  for (const SpoolRecord& record : spool.packets()) {
    const auto packet = spool.bytes(record);
    const auto begin = static_cast<std::size_t>(packet.data() - (sets.data() - 12));
    fuzz::require(begin <= size && packet.size() <= size - begin, "a packet lies within the file");
  }
  const auto frames = static_cast<std::int64_t>(spool.packets().size());
  const bool paired = spool.damage().size() == spool.packets().size() && spool.measures().empty();
  fuzz::require(is_spool(path, frames, 0, sets) == paired, "a spool with a damage byte for each packet and no measures is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Tail tail(data, size);
  const unsigned failing_allocation = tail.byte();
  const fuzz::MemoryFile file(data, tail.left());
  fuzz::allow_errors([&] { run(file.path(), tail.left(), failing_allocation); });
  return 0;
}
