// A row's power-of-two exponent, of its largest wide weight: bits beyond 12. golden: weight_exponent.

module arith_weight_exponent
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    enable_i,
  input  logic                    valid_i,
  input  logic [WideBits-1:0]     largest_i,
  output logic                    valid_o,
  output logic [ExponentBits-1:0] exponent_o
);

  logic [ExponentBits-1:0] exponent;

  always_comb begin
    exponent = '0;
    for (int unsigned i = WordBits; i < WideBits; i++) begin
      if (largest_i[i]) exponent = ExponentBits'(i - WordBits + 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) exponent_o <= exponent;
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
