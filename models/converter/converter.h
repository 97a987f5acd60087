#pragma once
// Bitwidth converter: bursts in, on-chip words out.
//
// In:   the fetcher's data FIFOs (one burst a lane and cycle) and its jobs in the same order.
// Out:  K buffer and V buffer (at most vectors_per_cycle vectors each a cycle, one a bank), scale store
//       (at most scales_per_cycle words a cycle), query registers (one vector a cycle), head constants (those of
//       four query heads a cycle, a burst).
// Words: width w = 2..12 bits, little-endian: word i of an item is bits [i*w, i*w + w) of its bytes, least
//       significant bit first; sign-extended to int16 unless the job says unsigned. Scales are 16 bit unsigned.
//       slot = the item's place in the job's list.
//       With FetchJob::held a K word is put behind the digits that its slot holds: word = (digits << w) + word.
// Streams (query, key, value, scale): bursts are taken in order across lanes (burst i from lane i mod lanes) into
//       the shifter's window; a burst that two items share is taken once. Vectors leave in order.
// Records: each lane assembles its own record, one burst a cycle, and hands it over whole, K and V in one cycle;
//       lanes may overtake each other. One record a bank and cycle: the others wait (bank_conflicts()),
//       those that waited are first in the next cycle.
// Latency: a burst taken in cycle c is shifted from c+1 on, written from c + latency on, and can be read a cycle later.
//       The stages hold descriptors that were located ahead (window place and offset of the next items: a prefix sum
//       over vectors_per_cycle items), then words on their way; nothing in them can stall, since a target is armed
//       before its first burst is taken and a query's register is reserved. Jobs follow each other without a bubble; a
//       job starts only when the one before is shifted whole. A merge reads the slot in its last stage
//       (counted), and may not begin before the digit ahead of it is written.
// State: job, window (lanes + one item's bursts), records of the lanes (one each), `latency` - 1 stages of words.
// Waits for: fetcher (bursts), K buffer, V buffer, scale store to be armed by begin(), query registers' space.
// Paper: IV.D, 4/8/12-bit DRAM words to 12-bit on-chip words, unaligned shifter.
#include <cstdint>

#include "models/converter/params.h"
#include "models/converter/record_unit.h"
#include "models/converter/stream_unit.h"
#include "models/links/data_fifos.h"
#include "models/links/started_jobs.h"
#include "models/memories/head_constants.h"
#include "models/memories/kv_buffer.h"
#include "models/memories/query_registers.h"
#include "models/memories/value_scales.h"
#include "models/memories/value_sums.h"
#include "models/prim/block.h"

namespace winnow {

// Where vectors go.
struct ConverterTargets {
  KvBuffer& key;
  KvBuffer& value;
  ScaleStore& scales;
  ValueSums& sums;
  QueryRegisters& queries;
  HeadConstants& constants;
};

class Converter : public Block {
 public:
  // Throws winnow::Error if a parameter is out of range or does not fit the targets.
  Converter(const ConverterParams& params, const Lists& lists, StartedJobs& jobs, DataFifos& data,
            ConverterTargets targets);

  void tick(Cycle now) override;

  bool idle() const override { return !active_ && jobs_.drained(); }
  void report(StatSink& sink) const override;
  // Jobs delivered whole in earlier cycles, counted in order of arrival at the fetcher: the list of job n (from 0)
  // is no longer read once this is > n.
  std::uint64_t jobs_done(Cycle now) const { return jobs_done_ - (done_cycle_ == now ? 1 : 0); }

  std::uint64_t bursts() const { return streams_.bursts() + records_.bursts(); }  // taken from the data FIFOs
  std::uint64_t vectors() const { return vectors_; }                              // K, V and query vectors delivered
  std::uint64_t words() const { return words_; }                                  // words converted, scales too
  std::uint64_t bank_conflicts() const { return records_.bank_conflicts(); }      // record-cycles

  const Wait kFetcher = stats_.waits_for("fetcher", "fetcher"),
             kKeyBuffer = stats_.waits_for("key_buffer", "key buffer"),
             kValueBuffer = stats_.waits_for("value_buffer", "value buffer"),
             kScaleStore = stats_.waits_for("value_scales", "scale store"),
             kQueryRegisters = stats_.waits_for("query_registers", "query registers");

 private:
  void start(Cycle now);
  int deliver(Cycle now);
  int deliver_sum(Cycle now);
  int deliver_vectors(KvBuffer& target, int bits, bool is_signed, Cycle now);
  int deliver_scales(Cycle now);
  int deliver_query(Cycle now);
  int deliver_descriptor(Cycle now);
  const Wait* closed_by(Cycle now) const;
  // When what is shifted now is written.
  Cycle written(Cycle now) const { return now + static_cast<Cycle>(params_.latency - 1); }

  ConverterParams params_;
  StartedJobs& jobs_;
  ConverterTargets targets_;
  converter::StreamUnit streams_;
  converter::RecordUnit records_;

  FetchJob job_;
  bool active_ = false, open_ = false;  // a job is held; its target was armed, bursts may be taken
  std::uint64_t number_ = 0;            // of the job held, in order of arrival
  std::uint64_t jobs_done_ = 0, vectors_ = 0, words_ = 0;
  Cycle done_cycle_ = ~Cycle{0};  // of the job finished last
};

}  // namespace winnow
