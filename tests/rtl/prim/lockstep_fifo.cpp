// lockstep_fifo_<depth>: prim_fifo and models/prim/fifo.h in lockstep; exit code 1 on a difference.
//   lockstep_fifo_3 --cycles 1000000 --seed 7 [--out FOLDER]
#include "tests/rtl/cli.h"
#include "tests/rtl/prim/fifo_block.h"

int main(int argc, char** argv) {
  using winnow::test::FifoBlock;
  CLI::App app{"RTL and model of the FIFO in lockstep"};
  std::uint64_t cycles = 300000, seed = 1;
  std::string out = winnow::lockstep::kWaves;
  app.add_option("--cycles", cycles);
  app.add_option("--seed", seed, "of stimuli");
  app.add_option("--out", out, "folder for waveforms of a difference");
  if (const auto code = winnow::test::parse(app, argc, argv)) return *code;
  const std::string name = std::string("fifo_") + WINNOW_RTL_NAME, number = std::to_string(seed);
  return winnow::lockstep::verdict([&] { return std::make_unique<FifoBlock>(seed); }, cycles, name + ", seed " + number,
                                   out + "/" + name + "-" + number, "lockstep_" + name + " --seed " + number,
                                   [](FifoBlock& b) { return std::to_string(b.popped()) + " entries, "; })
             ? 0
             : 1;
}
