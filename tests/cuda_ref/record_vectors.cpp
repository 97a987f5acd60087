// record_vectors FILE COMMIT DRIVER TOOLKIT: runs every case on the GPU and writes the digests with their provenance.
// scripts/gpu_check calls it. Without a GPU it writes nothing and ends with code 2.
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "golden/error.h"
#include "tests/cuda_ref/cases.h"
#include "tests/cuda_ref/common.h"
#include "tests/cuda_ref/vectors.h"

int main(int argc, char** argv) {
  using namespace winnow;
  using namespace winnow::cuda_ref;
  if (argc != 5) {
    std::cerr << "record_vectors: needs FILE COMMIT DRIVER TOOLKIT\n";
    return 2;
  }
  try {
    const Backend backend = Backend::gpu;
    nlohmann::ordered_json file;
    std::time_t now = std::time(nullptr);
    char date[32];
    std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
    file["device"] = describe(backend);
    file["driver"] = argv[3], file["toolkit"] = argv[4], file["date"] = date, file["commit"] = argv[2];
    file["descriptors"] = true;  // scales of heads are in the image and in the counts
    std::uint64_t values = 0;
    for (const test::Case& c : test::cases()) {
      const golden::FloatSource source = float_source(Trace::open(c.trace));
      const golden::Layout layout(source.shape, c.policy, test::kAlign);
      const auto model = load(backend, source);
      const auto walk = model->walk(c.policy, layout);
      test::Digest digest;
      digest.image(walk->image(), layout, source.shape.layers);
      golden::LayerResult r;
      while (walk->next(r)) digest.layer(r);
      file["cases"][c.name] = {{"values", digest.values()}, {"digest", std::to_string(digest.hash())}};
      values += digest.values();
    }
    std::ofstream out(argv[1]);
    out << file.dump(1) << "\n";
    if (!out.flush()) throw Error(std::string(argv[1]) + ": cannot be written");
    std::cout << "recorded " << values << " values of " << test::cases().size() << " cases on " << describe(backend)
              << "\n";
  } catch (const std::exception& e) {
    std::cerr << "record_vectors: " << e.what() << "\n";
    return 2;
  }
}
