#include "models/links/topk_jobs.h"

namespace winnow {

const char* name_of(Candidates candidates) {
  switch (candidates) {
    case Candidates::tokens: return "tokens";
    case Candidates::values: return "values";
    case Candidates::heads: return "heads";
  }
  return "";
}

}  // namespace winnow
