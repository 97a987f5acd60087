// FIFO of rows: the item store and the two FIFOs L and R. One row in and one row out a cycle.
//
// What is pushed in a cycle is at the head from the next on. The head row is the read register of a one-read-one-write
// memory, which reads ahead; a row pushed into the empty FIFO goes round the memory. The user never pushes into a full
// FIFO and never pops an empty one. clear_i empties it. Model: models/topk/row_fifo.h.

module topk_row_fifo #(
  parameter int unsigned Width = 320,
  parameter int unsigned Depth = 64,
  localparam int unsigned AddrBits = $clog2(Depth),
  localparam int unsigned LevelBits = AddrBits + 1
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic                 clear_i,
  input  logic                 push_i,
  input  logic [Width-1:0]     row_i,
  input  logic                 pop_i,
  output logic [Width-1:0]     head_o,
  output logic [LevelBits-1:0] level_o
);

  logic [AddrBits-1:0] read_q, write_q, next_read;
  logic [LevelBits-1:0] level_q;
  logic around, around_q;
  logic [Width-1:0] around_row_q, memory_row;

  assign next_read = read_q + AddrBits'(1);
  assign around = push_i & (level_q == LevelBits'(pop_i));

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
      if (push_i) write_q <= write_q + AddrBits'(1);
      if (pop_i) read_q <= next_read;
      level_q <= level_q + LevelBits'(push_i) - LevelBits'(pop_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (around | pop_i) around_q <= around;
    if (around) around_row_q <= row_i;
  end

  prim_ram_1r1w #(
    .Width(Width),
    .Depth(Depth)
  ) u_ram (
    .clk_i,
    .write_i(push_i),
    .waddr_i(write_q),
    .wdata_i(row_i),
    .read_i (pop_i & ~around),
    .raddr_i(next_read),
    .rdata_o(memory_row)
  );

  assign head_o = around_q ? around_row_q : memory_row;
  assign level_o = level_q;

endmodule
