// The valid bits beside a pipeline of Depth stages. A pipeline moves as a whole, where enable_i is set.

module arith_valid #(
  parameter int unsigned Depth = 1
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic enable_i,
  input  logic valid_i,
  output logic valid_o
);

  logic [Depth-1:0] valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable_i) valid_q <= Depth'({valid_q, valid_i});
  end

  assign valid_o = valid_q[Depth-1];

endmodule
