// 65536 / sum as a mantissa of 16 bits and a shift; 0 of 0. golden: renormaliser.
//
// The sum is shifted until its top bit is set; then it divides 2^47.

module arith_renormaliser
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 13
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    enable_i,
  input  logic                    valid_i,
  input  logic [KeptSumBits-1:0]  sum_i,
  output logic                    valid_o,
  output logic [MantissaBits-1:0] mantissa_o,
  output logic [4:0]              shift_o
);

  localparam int unsigned Steps = 9;

  logic [4:0] top, top_q;  // the highest bit that is set
  logic [KeptSumBits-1:0] sum_q, normal_q;
  logic [Steps+2:0][4:0] shift_q;
  logic [Steps+2:0] zero_q;
  logic [2*Steps-1:0] quotient;
  logic unused_top;

  always_comb begin
    top = '0;
    for (int unsigned i = 0; i < KeptSumBits; i++) begin
      if (sum_i[i]) top = 5'(i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      top_q <= top;
      sum_q <= sum_i;
      normal_q <= sum_q << ~top_q;  // 31 - top
      shift_q <= {shift_q[Steps+1:0], top};
      zero_q <= {zero_q[Steps+1:0], sum_i == '0};
      // A power of two gives 2^16, which is one too much.
      mantissa_o <= zero_q[Steps+2] ? '0 : quotient[MantissaBits] ? '1 : quotient[MantissaBits-1:0];
      shift_o <= shift_q[Steps+2];
    end
  end

  arith_divider #(
    .Bits(KeptSumBits),
    .StartBit(29),
    .Steps(Steps)
  ) u_divider (
    .clk_i,
    .enable_i,
    .divisor_i(normal_q),
    .quotient_o(quotient)
  );
  assign unused_top = quotient[2*Steps-1];

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
