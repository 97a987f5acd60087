#pragma once
namespace winnow::shim {

// In which order the threads of a block run between two barriers.
enum class Order { forward, backward, shuffled };

}  // namespace winnow::shim
