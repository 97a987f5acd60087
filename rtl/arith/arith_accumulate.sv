// A row's sum of products, its upper half a stage after its lower. first_i begins a row with start_i. What comes in a gap
// (valid_i is 0) adds nothing. Three stages.

module arith_accumulate
  import arith_pkg::*;
#(
  parameter int unsigned Bits = 25,
  localparam int unsigned Depth = 3
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               enable_i,
  input  logic               valid_i,
  input  logic               first_i,
  input  logic [SumBits-1:0] start_i,
  input  logic [Bits-1:0]    add_i,
  output logic [SumBits-1:0] sum_o
);

  localparam int unsigned HalfBits = SumBits / 2;

  logic [1:0] valid_q;
  logic [SumBits-1:0] add;
  logic [HalfBits-1:0] low_before, high_before, low_q, add_high_q, start_high_q, high_q, out_low_q;
  logic [HalfBits:0] low_d;
  logic carry_q, first_high_q;

  assign add = {{(SumBits - Bits) {add_i[Bits-1]}}, add_i};
  assign low_before = first_i ? start_i[HalfBits-1:0] : low_q;
  assign high_before = first_high_q ? start_high_q : high_q;
  assign low_d = (HalfBits + 1)'(low_before) + (HalfBits + 1)'(add[HalfBits-1:0]);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      if (valid_i) {carry_q, low_q} <= low_d;
      add_high_q <= add[SumBits-1:HalfBits];
      start_high_q <= start_i[SumBits-1:HalfBits];
      first_high_q <= first_i;
      if (valid_q[0]) begin
        high_q <= high_before + add_high_q + HalfBits'(carry_q);
        out_low_q <= low_q;
      end
      if (valid_q[1]) sum_o <= {high_q, out_low_q};
    end
  end

endmodule
