#pragma once
// Where the machines that have a name lie: sim/machines of the sources, unless a package has brought them along.
#include <filesystem>

namespace winnow {

const std::filesystem::path& machine_folder();
// For all that is loaded by name from now on.
void set_machine_folder(const std::filesystem::path& folder);

}  // namespace winnow
