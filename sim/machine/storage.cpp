#include "sim/machine/storage.h"

#include <algorithm>

#include "sim/machine/inventory.h"

namespace winnow {

std::vector<Stored> storage_of(const Inventory& parts) {
  std::vector<Stored> all;
  for (const MemoryBase* m : parts.all.memories) {
    const MemoryShape s = m->shape();
    if (s.words == 0) continue;  // V in a pool, whose words K's buffer counts
    const std::string readers = m->info().read_by;
    all.push_back({readers.substr(0, readers.find(',')), m->name(), "memory", s.words, s.bits, s.banks, s.read_ports,
                   s.write_ports, s.port_words});
  }
  for (const LinkBase* l : parts.all.links) {
    if (l->depth() == 0) continue;  // of a block that this machine does not have
    const auto copies = static_cast<std::uint64_t>(l->copies());
    all.push_back({l->info().consumer, l->info().name, "fifo", copies * l->depth(), l->bits(), l->copies(), 1, 1, 1});
  }
  for (const Block* b : parts.all.blocks)
    for (const StoredWords& r : b->registers())
      all.push_back({b->name(), r.name, "registers", r.words, r.bits, 1, 1, 1, 1});
  std::stable_sort(all.begin(), all.end(), [](const Stored& a, const Stored& b) { return a.block < b.block; });
  return all;
}

}  // namespace winnow
