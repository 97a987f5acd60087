#pragma once
// The ports that every top-k engine has in RTL, given a model's inputs. `Ports` is the class that Verilator makes.
#include "models/topk/engine_base.h"

namespace winnow::rtl {

template <class Ports>
void drive_ports(Ports& rtl, const topk::Inputs& in, unsigned lanes) {
  rtl.job_valid_i = in.job_valid;
  rtl.job_n_i = in.job.n;
  rtl.job_mass_i = in.job.rule == topk::Rule::mass;
  rtl.job_amount_i = in.job.amount;
  rtl.row_valid_i = in.row != nullptr;
  if (in.row)
    for (unsigned i = 0; i < lanes; ++i) rtl.row_i[i] = (*in.row)[i];
  rtl.out_ready_i = in.out_ready;
}

}  // namespace winnow::rtl
