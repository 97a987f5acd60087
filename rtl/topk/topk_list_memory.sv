// Memory of the lists: one write and one read port a list, of rows.
//
// One list is written, two are read in a cycle; no two of these are the same list. What a reader asked for comes in the
// next cycle and stays until it asks again; it asks for no other list in between. Model: models/topk/list_table.h.

module topk_list_memory #(
  parameter int unsigned Lists = 4,
  parameter int unsigned Width = 320,
  parameter int unsigned Depth = 64,
  localparam int unsigned ListBits = $clog2(Lists),
  localparam int unsigned AddrBits = $clog2(Depth)
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     write_i,
  input  logic [ListBits-1:0]      write_list_i,
  input  logic [AddrBits-1:0]      write_addr_i,
  input  logic [Width-1:0]         write_row_i,
  // Reader 0 is the pass, reader 1 the filter; shown_i: the list whose row row_o is.
  input  logic [1:0]               read_i,
  input  logic [1:0][ListBits-1:0] read_list_i,
  input  logic [1:0][AddrBits-1:0] read_addr_i,
  input  logic [1:0][ListBits-1:0] shown_i,
  output logic [1:0][Width-1:0]    row_o
);

  logic [Width-1:0] row[Lists];

  logic unused;  // the checker's
  assign unused = rst_ni;

  for (genvar l = 0; l < Lists; l++) begin : gen_list
    logic [1:0] mine;
    assign mine[0] = read_i[0] & (read_list_i[0] == ListBits'(l));
    assign mine[1] = read_i[1] & (read_list_i[1] == ListBits'(l));

    prim_ram_1r1w #(
      .Width(Width),
      .Depth(Depth)
    ) u_ram (
      .clk_i,
      .write_i(write_i & (write_list_i == ListBits'(l))),
      .waddr_i(write_addr_i),
      .wdata_i(write_row_i),
      .read_i (mine[0] | mine[1]),
      .raddr_i(mine[1] ? read_addr_i[1] : read_addr_i[0]),
      .rdata_o(row[l])
    );
  end

  for (genvar r = 0; r < 2; r++) begin : gen_reader
    always_comb begin
      row_o[r] = '0;
      for (int unsigned l = 0; l < Lists; l++) begin
        if (shown_i[r] == ListBits'(l)) row_o[r] = row_o[r] | row[l];
      end
    end
  end

endmodule
