// A filter ends: the last index that stays comes no later than the list's last row.

module topk_list_filter_checker #(
  parameter int unsigned LevelBits = 7
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic                 start_i,
  input logic                 idle_i,
  input logic [LevelBits-1:0] rows_left_i,
  input logic                 compared_valid_i,
  input logic                 part_valid_i
);

  StartsIdle :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> idle_i)
  else $error("%m: a list comes while another is filtered");

  Ends :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
    !idle_i |-> rows_left_i != '0 || compared_valid_i || part_valid_i)
  else $error("%m: the list has ended and not all that stays was found");

endmodule
