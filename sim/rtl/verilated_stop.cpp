// What Verilator's runtime, built with VL_USER_STOP, calls when an assertion of a bound checker fails; it has printed
// which. A block in lockstep takes it as a difference (verilated_block.h); any other program ends.
#include <string>

#include "sim/rtl/verilated_block.h"

void vl_stop(const char* file, int line, const char* hierarchy) {
  VerilatedContext& context = *Verilated::threadContextp();
  context.gotError(true);
  if (context.fatalOnError()) vl_fatal(file, line, hierarchy, "an assertion failed");
  std::string& first = winnow::rtl::failed_assertion();
  const std::string path = file;
  if (first.empty()) first = path.substr(path.rfind('/') + 1) + ":" + std::to_string(line);
}
