// The unit's rules: no job is refused or too long, nothing comes out for nobody, scores are read as they were claimed, and
// done holds until taken.

module topk_unit_checker
  import winnow_links_pkg::*;
#(
  parameter int unsigned Capacity = 1024
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             job_taken_i,
  input logic [     16:0] job_n_i,
  input topk_pkg::error_e refused_i,
  input logic             reads_scores_i,
  input logic [     20:0] scores_addr_i,
  input logic             claim_valid_i,
  input logic [     20:0] claim_addr_i,
  input logic             out_valid_i,
  input logic             oldest_valid_i,
  input logic             done_valid_i,
  input logic             done_ready_i,
  input topk_answers_t    done_i
);

  prim_handshake_checker #(
    .Width($bits(done_i))
  ) u_done (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(done_valid_i),
    .ready_i(done_ready_i),
    .data_i (done_i)
  );

  Fits :
  assert property (@(posedge clk_i) disable iff (!rst_ni) job_taken_i |-> 32'(job_n_i) <= Capacity)
  else $error("%m: a job of %0d items, at most %0d", job_n_i, Capacity);

  NotRefused :
  assert property (@(posedge clk_i) disable iff (!rst_ni) refused_i == topk_pkg::ErrNone)
  else $error("%m: the engine refused a job");

  Claimed :
  assert property (@(posedge clk_i) disable iff (!rst_ni) reads_scores_i |-> $past(
    claim_valid_i
  ) && scores_addr_i == $past(
    claim_addr_i
  ))
  else $error("%m: scores are read that were not claimed");

  ForAJob :
  assert property (@(posedge clk_i) disable iff (!rst_ni) out_valid_i |-> oldest_valid_i)
  else $error("%m: indices of no job");

endmodule

bind topk_unit topk_unit_checker #(
  .Capacity(Parallelism * FifoDepth)
) u_unit_checker (
  .clk_i,
  .rst_ni,
  .job_taken_i   (job_taken),
  .job_n_i       (job_i.n),
  .refused_i     (refused),
  .reads_scores_i(loading & from_store_q & (have_q != row_items)),
  .scores_addr_i (scores_addr_o),
  .claim_valid_i (claim_valid_o),
  .claim_addr_i  ({claim_o.store, claim_o.from}),
  .out_valid_i   (out_valid),
  .oldest_valid_i(oldest_valid),
  .done_valid_i  (done_valid_o),
  .done_ready_i,
  .done_i        (done_o)
);
