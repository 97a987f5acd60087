#pragma once
// A run at a glance: what did it save, at what cost, and bound by what? A dozen rows from a summary's statistics, and
// one sentence. `winnow run` ends in them, `winnow table` sets them side by side.
//
//   K and V read from memory     in bursts of 32 bytes, as the memory transfers them
//     of it used                 what the engine asked for of those bursts
//   clock cycles                 from the first request to the last output written
//     waiting for memory, ...    share of those cycles by what the Q x K multipliers did or stood still for; each cycle
//                                counts once (sim/machine/time_shares.h says how)
//   output error                 ||output - exact|| / ||exact|| against float attention, mean of the layers
//   tokens kept, heads kept      of the tokens and query heads that there are, mean over the layers
//   bits a number of K and V     bits read of K and V, divided by the elements of K and V of the tokens that are kept
#include <string>
#include <vector>

#include "sim/results/run_folder.h"
#include "sim/results/statistics.h"

namespace winnow {

inline constexpr std::size_t kLine = 100;  // columns

// Names of the rows, and their cells for one summary; "-" where the run has no such figure.
std::vector<std::string> answer_rows();
std::vector<std::string> answer_cells(const StatTree& summary);

// The same rows, were all of K and V read at 12 bits: what needs no run to be known.
std::vector<std::string> dense_cells(const StatTree& summary);

// "Bound by softmax: ...", one sentence of at most 100 characters.
std::string bound_by(const StatTree& summary);

// "reads 3.1 times fewer bytes of K and V than dense and takes 1.7 times more cycles, because ...", without a name in
// front.
std::string finding(const StatTree& summary, const std::string& other_name, const StatTree& other);
// The same of a run that has nothing beside it but the closed form.
std::string finding(const StatTree& summary);

// How the run compares to the other one, added to that one's part as figures.
void add_comparison(const StatTree& summary, StatTree& other);

// At most 14 lines of at most 100 columns: a heading, the rows, the sentence. Beside the run stands the one of
// --against, or what is known without it.
std::string answer_block(const StatTree& result, const Manifest& manifest);

// At most `most` characters; the middle goes.
std::string shortened(const std::string& text, std::size_t most);

}  // namespace winnow
