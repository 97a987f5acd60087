// The query's normaliser: the shift that brings the largest of a query's magnitudes to so many signed bits. golden: crude_shift.

module arith_crude_shift
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                enable_i,
  input  logic                valid_i,
  input  logic [WordBits-2:0] largest_i,
  input  logic [3:0]          bits_i,
  output logic                valid_o,
  output logic [3:0]          shift_o
);

  logic [3:0] length;

  always_comb begin
    length = '0;
    for (int unsigned i = 0; i < WordBits - 1; i++) begin
      if (largest_i[i]) length = 4'(i + 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) shift_o <= (length >= bits_i) ? length - bits_i + 4'd1 : '0;
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
