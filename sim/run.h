#pragma once
// `winnow run`: one trace through one machine under one policy.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace winnow {

// First and last index, both included; last < 0: to the end.
struct IndexRange {
  int first = 0, last = -1;
  bool all() const { return first == 0 && last < 0; }
};

struct RunOptions {
  std::string trace;                // a .safetensors file, a .csv workload, or synthetic:...
  std::vector<std::string> with;    // further traces, a sequence of the batch each
  int batch = 1;                    // sequences of the one trace that run together
  int batch_stagger = 1;            // steps by which each of them is ahead of the one before
  std::string machine = "spatten";  // a name, or a .yaml file
  std::string policy = "spatten";
  std::string engine = "systemc";      // or golden, cuda
  std::string rtl;                     // blocks of the machine that run in RTL: "topk,writeback", "topk=FOLDER"
  std::optional<std::uint64_t> stall;  // seed of stalls at the links of these blocks
  IndexRange layers, steps;            // what lies before is computed untimed
  std::vector<std::string> set;        // key=value of the machine or the policy, in order
  std::uint64_t seed = 1;
  std::string against;   // another policy that is run too, to compare with; empty: none
  bool details = false;  // print every figure of the summary, the layers and the blocks
  std::string output;    // the run's folder; never empty
  bool force = false;
  std::string dump_requests;  // file for the request stream; empty: none
  std::string timeline;       // file for a timeline; empty: none
  std::uint64_t timeline_events = 250'000;
  std::string technology;  // of the energy; empty: the default
  bool sources = false;    // print where its figures come from
  std::string accelergy;   // file for action counts; empty: none
  std::string command;     // as typed, for the manifest
  std::string version;
};

// The command that does the same again, into the same folder.
std::string repeat_of(const RunOptions& options);

// Simulates, checks every output against golden, prints and writes the results. Returns the exit code: 0, or 1 on a
// mismatch. Throws Error on bad input.
int run_command(const RunOptions& options);

}  // namespace winnow
