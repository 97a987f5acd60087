// What scripts/cost/technology measures of P x V behind a composable multiplier: a dimension's sum of 46 bits.

module cost_accumulator #(
  localparam int unsigned SumBits = 46,
  localparam int unsigned ProductBits = 25
) (
  input  logic                   clk_i,
  input  logic                   enable_i,
  input  logic                   first_i,
  input  logic [ProductBits-1:0] product_i,
  output logic [SumBits-1:0]     sum_o
);

  logic [SumBits-1:0] add;
  assign add = {{(SumBits - ProductBits) {product_i[ProductBits-1]}}, product_i};

  always_ff @(posedge clk_i) begin
    if (enable_i) sum_o <= (first_i ? '0 : sum_o) + add;
  end

endmodule
