// One write and one read port a list: no list is read twice, nor read and written, in a cycle.

module topk_list_memory_checker #(
  parameter int unsigned ListBits = 2
) (
  input logic                     clk_i,
  input logic                     rst_ni,
  input logic                     write_i,
  input logic [ListBits-1:0]      write_list_i,
  input logic [1:0]               read_i,
  input logic [1:0][ListBits-1:0] read_list_i
);

  ReadersApart :
  assert property (@(posedge clk_i) disable iff (!rst_ni) &read_i |-> read_list_i[0] != read_list_i[1])
  else $error("%m: two stages read the same list");

  for (genvar r = 0; r < 2; r++) begin : gen_reader
    NotAsWritten :
    assert property (@(posedge clk_i) disable iff (!rst_ni) read_i[r] && write_i |-> read_list_i[r] != write_list_i)
    else $error("%m: a list is read while it is loaded");
  end

endmodule
