// Skid buffer (register slice): cuts valid, data and ready, one transfer a cycle, two entries.
//
// ready_o is a function of state alone. The second entry takes what arrives in the cycle in which the taker stops.

module prim_skid_buffer #(
  parameter int unsigned Width = 8
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  output logic             ready_o,
  input  logic [Width-1:0] data_i,
  output logic             valid_o,
  input  logic             ready_i,
  output logic [Width-1:0] data_o
);

  logic out_valid_q, skid_valid_q;
  logic [Width-1:0] out_q, skid_q;
  logic advance;

  assign ready_o = ~skid_valid_q;
  assign valid_o = out_valid_q;
  assign data_o = out_q;
  assign advance = ready_i | ~out_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      out_valid_q <= 1'b0;
      skid_valid_q <= 1'b0;
    end else if (advance) begin
      out_valid_q <= skid_valid_q | valid_i;
      skid_valid_q <= 1'b0;
    end else if (valid_i & ready_o) begin
      skid_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (advance) out_q <= skid_valid_q ? skid_q : data_i;
    if (ready_o) skid_q <= data_i;
  end

endmodule
