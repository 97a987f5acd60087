#include "sim/rtl/topk_twin.h"

namespace winnow::rtl {

TopkTwin::~TopkTwin() {
  if (tracing_) port_->trace_close();
}

topk::Outputs TopkTwin::comb(const topk::EngineBase& base, const topk::Outputs& expected) {
  const auto& model = dynamic_cast<const topk::Engine&>(base);  // Blocks refuses others
  if (!stem_.empty() && cycle_ >= from_) {
    if (!tracing_) port_->trace_open((stem_ + ".fst").c_str()), tracing_ = true;
    port_->show(model, expected);
  }
  ProbeDifference first;
  compared_ += port_->compare(model, expected, first);
  if (first.name) {
    const std::string lane = first.lane < 0 ? "" : "[" + std::to_string(first.lane) + "]";
    const Difference d{cycle_, block_, first.name + lane, first.rtl, first.model, "", ""};
    if (tracing_) {
      port_->trace_dump(cycle_);
      close_trace(d);
    }
    throw Diverged{d};
  }
  return port_->outputs();
}

void TopkTwin::close_trace(const Difference& d) {
  port_->trace_close();
  tracing_ = false;
  write_save_file(stem_, port_->scope(), port_->probes(), d);
}

void TopkTwin::tick(const topk::Inputs& in) {
  jobs_ += in.job_valid;
  port_->drive(in);
  if (tracing_) port_->trace_dump(cycle_);
  if (const std::string assertion = port_->clock(); !assertion.empty()) {
    Difference d{cycle_, block_, "", 0, 0, "", assertion};
    if (tracing_) close_trace(d);
    throw Diverged{d};
  }
  ++cycle_;
}

}  // namespace winnow::rtl
