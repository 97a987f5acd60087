// The engine's own rules: its links hold, rows meet no flush, and a refused job says why (plusarg +refusals=1).
//
// The texts of a refusal are those of models/topk/types.cpp.

module topk_engine_checker
  import topk_pkg::*;
#(
  parameter int unsigned Capacity = 1024,
  parameter int unsigned ItemsBits = 11,
  parameter int unsigned AmountBits = 17,
  parameter int unsigned OutBits = 1
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  out_valid_i,
  input logic                  out_ready_i,
  input logic [OutBits-1:0]    out_i,
  input logic                  part_valid_i,
  input state_e                state_i,
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

  DrainedAtDecision :
  assert property (@(posedge clk_i) disable iff (!rst_ni) state_i == Decide |-> !part_valid_i)
  else $error("%m: a row is under way while the pass is decided");

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
