// A query's code shifted right, rounded and saturated at so many signed bits. golden: crude_query.

module arith_crude_query
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 2
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                enable_i,
  input  logic                valid_i,
  input  logic [WordBits-1:0] query_i,
  input  logic [3:0]          shift_i,
  input  logic [3:0]          bits_i,
  output logic                valid_o,
  output logic [WordBits-1:0] query_out_o
);

  logic [WordBits:0] shifted_q;  // one bit more, for the rounding
  logic [WordBits-1:0] most_q, rounded;

  assign rounded = shifted_q[WordBits:1] + WordBits'(shifted_q[0]);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      shifted_q <= signed'({query_i, 1'b0}) >>> shift_i;
      most_q <= ~({WordBits{1'b1}} << (bits_i - 4'd1));
      if (signed'(rounded) > signed'(most_q)) query_out_o <= most_q;
      else if (signed'(rounded) < signed'(-most_q)) query_out_o <= -most_q;
      else query_out_o <= rounded;
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
