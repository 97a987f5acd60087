// P x V: a dimension's sum of weight * value, a product a cycle. first_i begins a row with start_i, what a compensated row's
// sum of V gives, or 0. A weight is signed where rows are compensated, of 12 bits else; either fits 13.

module arith_pv_accumulate
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 5
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                enable_i,
  input  logic                valid_i,
  input  logic                first_i,
  input  logic [SumBits-1:0]  start_i,
  input  logic [WordBits:0]   weight_i,
  input  logic [WordBits-1:0] value_i,
  output logic                valid_o,
  output logic [SumBits-1:0]  sum_o
);

  localparam int unsigned RowBits = WordBits + 5;
  localparam int unsigned ProductBits = 2 * WordBits + 1;

  logic [2:0][RowBits-1:0] row_q;  // weight times a digit of value, the last of them signed
  logic [1:0] valid_q, first_q;
  logic [1:0][SumBits-1:0] start_q;
  logic [ProductBits-1:0] product_q;

  function automatic logic [ProductBits-1:0] place(logic [RowBits-1:0] row, int unsigned at);
    return ProductBits'({{ProductBits{row[RowBits-1]}}, row} << at);
  endfunction

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[0], valid_i};
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      for (int unsigned i = 0; i < 3; i++) begin
        row_q[i] <= {{4{weight_i[WordBits]}}, weight_i} *
                  {{(RowBits - 4) {i == 2 && value_i[WordBits-1]}}, value_i[4*i+:4]};
      end
      first_q <= {first_q[0], first_i};
      start_q <= {start_q[0], start_i};
      product_q <= place(row_q[0], 0) + place(row_q[1], 4) + place(row_q[2], 8);
    end
  end

  arith_accumulate #(
    .Bits(ProductBits)
  ) u_accumulate (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i(valid_q[1]),
    .first_i(first_q[1]),
    .start_i(start_q[1]),
    .add_i(product_q),
    .sum_o
  );

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
