// Progressive decision: do the MSBs suffice, or are K's LSBs fetched for all live tokens? One verdict a group, to both that
// wait for it; any flat row of the group asks for LSBs.
//
// row_*         the sum of a query head's exponentials; last_row ends its group
// group_*       read port of the group table, in the same cycle: only an undecided group gets a verdict; a forced one is
//               given (shape-only runs)
// softmax_*, controller_*  the verdict, in the last row's cycle, to both at once or to neither: each valid waits for the
//               other's ready
// theta16_i     65536 * theta; a row is flat when e_max * 65536 < theta16 * sum, e_max = 2^20. No divider.
// State: whether a row of the group at hand was flat. Model: models/progressive/progressive.h, equal in every cycle.

module progressive
  import winnow_links_pkg::*;
(
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic [16:0]             theta16_i,
  input  logic                    row_valid_i,
  output logic                    row_ready_o,
  input  row_sums_t               row_i,
  output logic [3:0]              group_addr_o,
  input  group_table_t            group_i,
  output logic                    softmax_valid_o,
  input  logic                    softmax_ready_i,
  output verdicts_to_softmax_t    softmax_o,
  output logic                    controller_valid_o,
  input  logic                    controller_ready_i,
  output verdicts_to_controller_t controller_o
);

  localparam int unsigned ThresholdBits = 20 + 16;  // e_max * 65536 = 2^36
  localparam int unsigned ProductBits = $bits(theta16_i) + $bits(row_i.denominator);

  logic flat, any_flat_d, any_flat_q, verdict, take;
  logic [ProductBits-1:0] product;

  assign group_addr_o = row_i.store;

  assign product = ProductBits'(theta16_i) * ProductBits'(row_i.denominator);
  assign flat = group_i.forced ? group_i.forced_refetch : product > (ProductBits'(1) << ThresholdBits);

  assign verdict = row_valid_i & group_i.undecided & row_i.last_row;
  assign row_ready_o = ~verdict | (softmax_ready_i & controller_ready_i);
  assign take = row_valid_i & row_ready_o & group_i.undecided;

  assign softmax_valid_o = verdict & controller_ready_i;
  assign softmax_o = '{store: row_i.store, refetch: any_flat_q | flat};
  assign controller_valid_o = verdict & softmax_ready_i;
  assign controller_o = '{store: row_i.store, refetch: any_flat_q | flat};

  assign any_flat_d = take ? ~row_i.last_row & (any_flat_q | flat) : any_flat_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) any_flat_q <= 1'b0;
    else any_flat_q <= any_flat_d;
  end

  // The tag is for reports, and the rest of a group's word for other blocks.
  logic unused;
  assign unused = ^{row_i, group_i};

endmodule
