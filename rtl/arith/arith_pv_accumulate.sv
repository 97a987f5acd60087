// P x V: a dimension's sum of weight * value, its upper half a stage after its lower. first_i begins a row with start_i, what a compensated row's sum of V gives, or 0.
// A weight is signed where rows are compensated, of 12 bits else; either fits 13.

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
  logic [1:0] first_q;
  logic [1:0][SumBits-1:0] start_q;
  logic [ProductBits-1:0] product_q;

  function automatic logic [ProductBits-1:0] place(logic [RowBits-1:0] row, int unsigned at);
    return ProductBits'({{ProductBits{row[RowBits-1]}}, row} << at);
  endfunction

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

  logic [3:0] valid_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= {valid_q[2:0], valid_i};
  end

  localparam int unsigned HalfBits = SumBits / 2;
  logic [SumBits-1:0] add;
  logic [HalfBits-1:0] low_before, high_before, low_q, add_high_q, start_high_q, high_q, out_low_q;
  logic [HalfBits:0] low_d;
  logic carry_q, first_high_q;

  // What comes in a gap adds nothing.
  assign add = {{(SumBits - ProductBits) {product_q[ProductBits-1]}}, product_q};
  assign low_before = first_q[1] ? start_q[1][HalfBits-1:0] : low_q;
  assign high_before = first_high_q ? start_high_q : high_q;
  assign low_d = (HalfBits + 1)'(low_before) + (HalfBits + 1)'(add[HalfBits-1:0]);

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      if (valid_q[1]) {carry_q, low_q} <= low_d;
      add_high_q <= add[SumBits-1:HalfBits];
      start_high_q <= start_q[1][SumBits-1:HalfBits];
      first_high_q <= first_q[1];
      if (valid_q[2]) begin
        high_q <= high_before + add_high_q + HalfBits'(carry_q);
        out_low_q <= low_q;
      end
      if (valid_q[3]) sum_o <= {high_q, out_low_q};
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
