#pragma once
// DRAM bytes as Nsight Compute counts them, out of what `ncu --csv` prints about launch_marked().
//
// Two marks in a row begin the next kernel, one begins another run of the same; a kernel that a library refused leaves
// its two marks alone.
#include <string>
#include <vector>

namespace winnow::cuda_ref {

struct NcuBytes {
  int runs = 0;
  double read = 0, write = 0;  // of all runs together
};

// An element a kernel of launch_marked, in its order. Throws Error with ncu's own reason when there is no table in it.
std::vector<NcuBytes> parse_ncu(const std::string& text);

// Arguments for ncu, before the program's.
std::vector<std::string> ncu_arguments(const std::string& log);

}  // namespace winnow::cuda_ref
