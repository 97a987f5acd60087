// The engine's own rules: its links hold, what it works on is known, events that write the same registers exclude each
// other, and a refused job says why (plusarg +refusals=1). And its user's: jobs and rows hold until they are taken, seed
// and pivot rule change while it is idle.
//
// Quiet in reset. The texts of a refusal are those of models/topk/types.cpp.

module topk_engine_checker
  import topk_pkg::*;
#(
  parameter int unsigned Capacity = 1024,
  parameter int unsigned ItemsBits = 11,
  parameter int unsigned AmountBits = 17,
  parameter int unsigned RowBits = 320,
  parameter int unsigned OutBits = 1,
  parameter bit WithSampler = 1'b1
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  sampled_i,
  input logic                  seed_en_i,
  input logic                  job_valid_i,
  input logic                  job_ready_i,
  input logic                  job_mass_i,
  input logic                  row_valid_i,
  input logic                  row_ready_i,
  input logic [RowBits-1:0]    row_i,
  input logic                  out_valid_i,
  input logic                  out_ready_i,
  input logic [OutBits-1:0]    out_i,
  input logic                  part_valid_i,
  input state_e                state_i,
  input logic                  start_i,
  input logic                  load_row_i,
  input logic                  read_pass_i,
  input logic                  read_store_i,
  input logic                  done_i,
  input logic                  job_taken_i,
  input error_e                job_error_i,
  input logic [ItemsBits-1:0]  job_n_i,
  input logic [AmountBits-1:0] job_amount_i
);

  prim_handshake_checker #(
    .Width(OutBits)
  ) u_out (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(out_valid_i),
    .ready_i(out_ready_i),
    .data_i (out_i)
  );

  // The user's side.
  prim_handshake_checker #(
    .Width(ItemsBits + AmountBits + 1)
  ) u_job (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(job_valid_i),
    .ready_i(job_ready_i),
    .data_i ({job_n_i, job_mass_i, job_amount_i})
  );

  prim_handshake_checker #(
    .Width(RowBits)
  ) u_row (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(row_valid_i),
    .ready_i(row_ready_i),
    .data_i (row_i)
  );

  SeedWhileIdle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) seed_en_i |-> state_i == Idle)
  else $error("%m: seeded while there is a job");

  RuleWhileIdle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) state_i != Idle |-> $stable(sampled_i))
  else $error("%m: the pivot rule changed while there is a job");

  if (!WithSampler) begin : gen_no_sampler
    NoSamples :
    assert property (@(posedge clk_i) disable iff (!rst_ni) state_i != Idle |-> !sampled_i)
    else $error("%m: sampled pivots asked of an engine without samplers");
  end

  // The engine's.
  DrainedAtDecision :
  assert property (@(posedge clk_i) disable iff (!rst_ni) state_i == Decide |-> !part_valid_i)
  else $error("%m: a row is under way while the pass is decided");

  EventsExclude :
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0(
    {start_i, load_row_i, read_pass_i, read_store_i, state_i == Decide, done_i}
  ))
  else $error("%m: two events in one cycle that write the rows' counter");

  Known :
  assert property (@(posedge clk_i) disable iff (!rst_ni) !$isunknown(
    {state_i, job_ready_i, row_ready_i, out_valid_i, part_valid_i}
  ))
  else $error("%m: control is unknown");

  int unsigned show;
  initial begin
    if ($value$plusargs("refusals=%d", show) == 0) show = 0;
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && job_taken_i && job_error_i != ErrNone && show != 0) begin
      unique case (job_error_i)
        ErrN: $display("topk.n %0d is not in 1..parallelism * fifo = %0d", job_n_i, Capacity);
        ErrK: $display("topk.k %0d is not in 1..n = %0d", job_amount_i, job_n_i);
        default: $display("topk.mu16 %0d is not in 1..65536", job_amount_i);
      endcase
    end
  end

endmodule
