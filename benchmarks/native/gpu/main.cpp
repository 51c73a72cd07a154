#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "gpu_bench.h"

using namespace emomedia::bench;

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  try {
    const std::string what = arguments.empty() ? "" : arguments[0];
    if (what == "ceilings") {
      measure_ceilings();
    } else if (what == "kernel") {
      measure_kernel();
    } else if ((what == "decode" || what == "copy") && arguments.size() == 4) {
      measure_decoding(arguments[1], std::stoi(arguments[2]), std::stod(arguments[3]), what == "copy");
    } else if (what == "compose" && arguments.size() == 4) {
      measure_composing(arguments[1], std::stoi(arguments[2]), std::stod(arguments[3]));
    } else if (what == "check" && arguments.size() == 3) {
      check_composites(arguments[1], std::stoi(arguments[2]));
    } else {
      std::cerr << "emomedia_gpu_bench ceilings | kernel | decode FILE SESSIONS SECONDS | copy FILE SESSIONS SECONDS | "
                   "compose FILE SESSIONS SECONDS | check FILE FRAMES\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
