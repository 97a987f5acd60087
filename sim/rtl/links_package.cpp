// links_package: prints rtl/links/winnow_links_pkg.sv, the types of every link's payload, and of the words of memories
// that RTL reads, as the models have them.
//   build/links_package > rtl/links/winnow_links_pkg.sv
#include <fmt/format.h>

#include <set>

#include "sim/machine/parts_only.h"
#include "sim/rtl/memory_tap.h"

namespace {

using winnow::Field;

std::string ranged(const Field& f) {
  return fmt::format("logic {}{}", f.count > 1 ? fmt::format("[{}:0]", f.count - 1) : "",
                     f.bits > 1 || f.count > 1 ? fmt::format("[{}:0] ", f.bits - 1) : "");
}

void print_struct(const std::string& name, const std::string& what, const std::vector<std::string>& members) {
  fmt::print("\n  // {}\n", what);
  if (members.size() == 1) {  // as scripts/format has it
    fmt::print("  typedef struct packed {{{};}} {}_t;\n", members[0], name);
    return;
  }
  fmt::print("  typedef struct packed {{\n");
  for (const std::string& m : members) fmt::print("    {};\n", m);
  fmt::print("  }} {}_t;\n", name);
}

// Fields of a part, "tag.step", become a struct of their own, which is printed once.
void print_type(const std::string& name, const std::string& what, const std::vector<Field>& fields) {
  static std::set<std::string> printed;
  std::vector<std::string> members;
  for (std::size_t i = 0; i < fields.size();) {
    const std::string part = fields[i].name.substr(0, fields[i].name.find('.') + 1);
    if (part.empty()) {
      members.push_back(ranged(fields[i]) + fields[i].name);
      ++i;
      continue;
    }
    const std::string of = part.substr(0, part.size() - 1);
    std::vector<std::string> inner;
    for (; i < fields.size() && fields[i].name.starts_with(part); ++i)
      inner.push_back(ranged(fields[i]) + fields[i].name.substr(part.size()));
    if (printed.insert(of).second) print_struct(of, "Part of several.", inner);
    members.push_back(fmt::format("{0}_t {0}", of));
  }
  print_struct(name, fmt::format("{}: {} bits.", what, winnow::width_of(fields)), members);
}

}  // namespace

int main() {
  const auto parts = winnow::parts_only(winnow::load_machine("tiny"), 8, 64);
  fmt::print(
      "// Payloads of the machine's links, and words of memories that RTL reads. Written by build/links_package from\n"
      "// models/links and sim/rtl/memory_tap.h; not to be edited.\n\npackage winnow_links_pkg;\n");
  for (const winnow::LinkBase* link : parts->all.links)
    if (const auto* tap = dynamic_cast<const winnow::LinkTap*>(link); tap && link->depth())  // of a block that is there
      print_type(link->info().name, fmt::format("{} -> {}", link->info().producer, link->info().consumer),
                 tap->fields());
  for (const winnow::rtl::MemoryTap& m : winnow::rtl::memory_taps(*parts))
    print_type(m.memory, "A word of this memory", m.fields);
  for (const winnow::rtl::WriteTap& w : winnow::rtl::write_taps(*parts))
    print_type(w.name, "What goes through a memory's port", w.fields);
  fmt::print("\nendpackage\n");
}
