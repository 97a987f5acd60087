// A side is flushed or dropped, not both, and never as a row comes or is read.

module topk_side_checker (
  input logic clk_i,
  input logic rst_ni,
  input logic valid_i,
  input logic flush_i,
  input logic drop_i,
  input logic pop_i
);

  EventsExclude :
  assert property (@(posedge clk_i) disable iff (!rst_ni) $onehot0({valid_i, flush_i, drop_i}))
  else $error("%m: two of row, flush and drop in one cycle");

  NoPopAtEnd :
  assert property (@(posedge clk_i) disable iff (!rst_ni) flush_i || drop_i |-> !pop_i)
  else $error("%m: read as the pass ends");

endmodule
