// Synchronous FIFO with ready/valid on both sides and no path from one side to the other.
//
// An entry pushed in a cycle can be popped from the next on, a place freed in a cycle can be filled from the next on.
// Depth >= 2 gives one transfer a cycle. Model: models/prim/fifo.h.

module prim_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4,
  localparam int unsigned PtrBits = (Depth > 1) ? $clog2(Depth) : 1,
  localparam int unsigned LevelBits = $clog2(Depth + 1)
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 clear_i,
  input  logic                 valid_i,
  output logic                 ready_o,
  input  logic [Width-1:0]     data_i,
  output logic                 valid_o,
  input  logic                 ready_i,
  output logic [Width-1:0]     data_o,
  output logic [LevelBits-1:0] level_o
);

  logic [Depth-1:0][Width-1:0] mem_q;
  logic [PtrBits-1:0] read_q, write_q;
  logic [LevelBits-1:0] level_q;
  logic push, pop;

  function automatic logic [PtrBits-1:0] next(logic [PtrBits-1:0] ptr);
    return (ptr == PtrBits'(Depth - 1)) ? '0 : ptr + PtrBits'(1);
  endfunction

  assign ready_o = level_q != LevelBits'(Depth);
  assign valid_o = level_q != '0;
  assign data_o = mem_q[read_q];
  assign level_o = level_q;
  assign push = valid_i & ready_o;
  assign pop = valid_o & ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q <= '0;
      write_q <= '0;
      level_q <= '0;
    end else if (clear_i) begin
      read_q <= '0;
      write_q <= '0;
      level_q <= '0;
    end else begin
      if (push) write_q <= next(write_q);
      if (pop) read_q <= next(read_q);
      level_q <= level_q + LevelBits'(push) - LevelBits'(pop);
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) mem_q[write_q] <= data_i;
  end

endmodule
