// What V's sum is multiplied with: the mean cut to a mantissa of 16 bits, in units of the row's sum of weight * v.
// golden: sum_scale.

module arith_sum_scale
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 3
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [MeanBits-1:0]         mean_i,
  input  logic [3:0]                  v_bits_i,
  input  logic [ExponentBits-1:0]     exponent_i,
  output logic                        valid_o,
  output logic [MantissaBits-1:0]     mantissa_o,
  output logic signed [ShiftBits-1:0] shift_o
);

  // A word of V's sum has 10 - v_bits fraction bits (golden: sum_fraction); of a mean all but 16 bits are cut.
  localparam int unsigned Offset = MantissaBits + 9;

  logic [5:0] top, top_q;  // the highest bit that is set
  logic [MeanBits-1:0] mean_q;
  logic [MeanBits-1:0] normal_q;
  logic [1:0][ShiftBits-1:0] shift_q;
  logic none_q;
  logic unused_bits;

  always_comb begin
    top = '0;
    for (int unsigned i = 0; i < MeanBits; i++) begin
      if (mean_i[i]) top = 6'(i);
    end
  end
  assign unused_bits = ^normal_q[MeanBits-MantissaBits-1:0];

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      top_q <= top;
      mean_q <= mean_i;
      shift_q[0] <= ShiftBits'(exponent_i) - ShiftBits'(v_bits_i);
      normal_q <= mean_q << (6'(MeanBits - 1) - top_q);
      none_q <= mean_q == '0;
      shift_q[1] <= shift_q[0] + ShiftBits'(Offset) - ShiftBits'(top_q);
      mantissa_o <= normal_q[MeanBits-1-:MantissaBits];
      shift_o <= none_q ? '0 : signed'(shift_q[1]);
    end
  end

  arith_valid #(
    .Depth(Depth)
  ) u_valid (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i,
    .valid_o
  );

endmodule
