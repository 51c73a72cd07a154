// Which instruction set composes: the widest that the processor runs, or the one that is asked for.
#include <cstdlib>
#include <string>
#include <vector>

#include "emomedia/error.h"
#include "kernels/compose_versions.h"

namespace emomedia {
namespace {

std::vector<const ComposeKernels*> found_runnable() {
  std::vector<const ComposeKernels*> found{&kScalarKernels};
#ifdef EMOMEDIA_X86
  const bool avx2 = __builtin_cpu_supports("avx2") != 0;
  const bool avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                      __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
  if (avx2) found.push_back(&kAvx2Kernels);
  if (avx2 && avx512) found.push_back(&kAvx512Kernels);
#endif
  return found;
}

}  // namespace

std::span<const ComposeKernels* const> runnable_compose_kernels() {
  static const std::vector<const ComposeKernels*> found = found_runnable();
  return found;
}

const ComposeKernels& compose_kernels(std::string_view name) {
  const auto runnable = runnable_compose_kernels();
  if (name.empty()) return *runnable.back();
  std::string names;
  for (const ComposeKernels* kernels : runnable) {
    if (name == kernels->name) return *kernels;
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  throw Error(Cause::description, "EMOMEDIA_CPU", "an instruction set that this processor runs: " + names,
              std::string(name), "correct the variable, or unset it to have the widest");
}

const ComposeKernels& compose_kernels() {
  const char* name = std::getenv("EMOMEDIA_CPU");
  return compose_kernels(name == nullptr ? "" : name);
}

}  // namespace emomedia
