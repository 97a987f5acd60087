#pragma once
// The memories of groups in flight, for tests of the blocks that work in them.
#include "models/memories/group_table.h"
#include "models/memories/head_constants.h"
#include "models/memories/lists.h"
#include "models/memories/ranking_items.h"
#include "models/memories/score_memories.h"

namespace winnow::test {

struct GroupMemories {
  // `width` slots a word.
  GroupMemories(int stores, int group, int slots, int width = 8)
      : sizes{.group = group,
              .longest = slots,
              .stores = stores,
              .score_width = width,
              .score_entries = stores * group * (slots + 4 * width)},
        groups(sizes),
        constants(group, 2),
        scores(sizes),
        exponentials(sizes),
        probabilities(sizes),
        selection_scores(sizes),
        kept(sizes),
        origins(sizes),
        lists(slots),
        ranking_items(slots) {}

  Sizes sizes;
  GroupTable groups;
  HeadConstants constants;
  Scores scores;
  Exponentials exponentials;
  Probabilities probabilities;
  SelectionScores selection_scores;
  KeptFlags kept;
  Origins origins;
  Lists lists;
  RankingItems ranking_items;
};

}  // namespace winnow::test
