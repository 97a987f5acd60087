#pragma once
// What the device reports of a layer, as a LayerResult; and errors against the float reference.
#include "cuda_ref/engine/engine.h"

namespace winnow::cuda_ref::WINNOW_BACKEND {

inline void DeviceWalk::fetch(golden::LayerResult& r, u32 positions) {
  const golden::Shape& s = shape();
  const u64 n = count(s.tokens), H = count(s.heads), D = count(s.head_dim), G = count(s.group());
  const u64 out_values = count(static_cast<int>(positions)) * H * D;
  report_.download(host_.data(), at_.out + out_values * 2);

  LayerCounts c;
  std::memcpy(&c, host_.data() + at_.counts, sizeof c);
  for (std::size_t i = 0; i < golden::kKinds; ++i) r.accesses.useful[i] = c.useful[i];
  for (std::size_t i = 0; i < golden::kStreams; ++i) r.accesses.stream_bursts[i] = c.bursts[i];
  // A layer's descriptors are read once, whatever else is: there is nothing in it that a kernel would know better.
  if (std::any_of(head_bits_.begin(), head_bits_.end(), [](u32 bits) { return bits != 0; })) {
    const golden::Region& d = descriptors_[count(r.layer)];
    r.accesses.stream_bursts[static_cast<std::size_t>(golden::Stream::descriptor)] +=
        golden::bursts_of(d.items * d.item_bytes);
    r.accesses.useful[static_cast<std::size_t>(golden::Kind::descriptor)] +=
        count(static_cast<int>(d.items)) * d.item_bytes;
  }
  r.accesses.write_bursts = c.write_bursts;
  r.row_heads = c.row_heads, r.flat = c.flat, r.row_groups = c.row_groups, r.refetched = c.refetched;
  r.keys_seen = c.keys_seen, r.survivors = c.survivors, r.values = c.values;
  r.out.assign(host<i16>(at_.out), host<i16>(at_.out) + out_values);
  r.importance.assign(host<u64>(at_.importance), host<u64>(at_.rows));
  if (!plan_.importance_per_head())
    r.importance.resize(n);
  else
    r.importance.resize(count(s.layers) * count(s.kv_heads) * n);
  r.head_importance.assign(host<u64>(at_.head_importance), host<u64>(at_.head_importance) + H);

  if (!plan_.whole(step_ == 0, r.tokens))
    for (int kv = 0; kv < s.kv_heads; ++kv) {
      if (!head_bits_[count(kv)]) continue;
      RowReport report;
      std::memcpy(&report, host_.data() + at_.rows + count(kv) * sizeof report, sizeof report);
      golden::RowRecord record;
      record.position = r.positions[0], record.kv_head = static_cast<u16>(kv);
      golden::GroupRow& row = record.row;
      row.keys = static_cast<int>(report.keys), row.refetched = report.refetched != 0;
      row.flat = static_cast<int>(report.flat), row.stages = static_cast<int>(report.stages);
      const u32* lists = host<u32>(at_.row_lists) + count(kv) * (kMaxStages + 1) * n;
      for (u32 i = 0; i < report.stages; ++i)
        row.survivors[i].assign(lists + i * n, lists + i * n + report.survivors[i]);
      row.values.assign(lists + kMaxStages * n, lists + kMaxStages * n + report.values);
      for (u64 g = 0; g < G; ++g) {
        const u16* p = host<u16>(at_.row_p) + (count(kv) * G + g) * n;
        row.p.insert(row.p.end(), p, p + report.keys);
        row.denominator.push_back(report.denominator[g]);
      }
      const i16* out = &r.out[count(kv) * G * D];
      row.out.assign(out, out + G * D);
      r.rows.push_back(std::move(record));
    }

  if (layer_ + 1 >= s.layers) return;
  const u32* heads = host<u32>(at_.live_heads);
  live_heads_.assign(heads, heads + heads[H]);
  head_bits_.assign(host<u32>(at_.head_bits), host<u32>(at_.head_bits) + s.kv_heads);
  if (!per_head_) {
    const std::size_t keep = schedule_.tokens(step_, layer_ + 1).keep;
    const u32* live = host<u32>(at_.live);
    live_.assign(live, live + (keep < live_.size() ? keep : live_.size()));
  }
  r.next_live = live_, r.next_heads = live_heads_;
}

inline std::vector<std::uint8_t> DeviceWalk::image() const {
  std::vector<std::uint8_t> bytes(image_bytes_);
  image_.download(bytes.data(), bytes.size());
  return bytes;
}

inline void DeviceWalk::corrupt(std::uint64_t byte, std::uint8_t mask) {
  if (byte >= image_bytes_)
    throw Error("image: byte " + std::to_string(byte) + ": must be below " + std::to_string(image_bytes_));
  std::uint8_t x = 0;
  image_.download(&x, 1, byte);
  x ^= mask;
  image_.upload(&x, 1, byte);
}

// Errors against the float reference, summed in the order of positions, heads, dimensions.
inline void DeviceWalk::measure(golden::LayerResult& r) const {
  const golden::Shape& s = shape();
  const u64 D = count(s.head_dim), H = count(s.heads), G = count(s.group());
  const u64 first = step_ == 0 ? 0 : count(r.tokens - 1), seen = count(r.tokens) - first;
  std::vector<float> reference(H * seen * D);
  for (u64 head = 0; head < H; ++head)
    model_.out.download(&reference[head * seen * D], seen * D,
                        ((count(r.layer) * H + head) * count(s.tokens) + first) * D);
  u64 index = 0;
  for (u64 i = 0; i < seen; ++i) {
    const bool ran = index < r.positions.size() && r.positions[index] == first + i;
    for (u64 head = 0; head < H; ++head) {
      const bool kept = ran && ((r.heads[head / G] >> (head % G)) & 1);
      const double unit = host_scales_[count(r.layer) * H + head].out_unit;
      double difference = 0, energy = 0;
      const float weight =
          plan_.weighs_heads ? s.tensors->weights[(count(r.layer) * H + head) * count(s.tokens) + first + i] : 1;
      for (u64 d = 0; d < D; ++d) {
        const double ref = weight * reference[(head * seen + i) * D + d];
        const double y = kept ? r.out[(index * H + head) * D + d] * unit : 0;
        difference += (y - ref) * (y - ref);
        energy += ref * ref;
      }
      r.error.difference_all += difference, r.error.reference_all += energy;
      if (!kept) continue;
      r.error.difference += difference, r.error.reference += energy;
      r.error.rows.push_back(static_cast<float>(energy > 0 ? std::sqrt(difference / energy) : 0));
    }
    index += ran;
  }
}

}  // namespace winnow::cuda_ref::WINNOW_BACKEND
