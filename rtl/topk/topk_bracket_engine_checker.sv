// Contract of the bracket engine: what its user keeps to, and what holds between its stages. Texts of a refusal are those of
// models/topk/types.cpp.

module topk_bracket_engine_checker
  import topk_pkg::*;
#(
  parameter int unsigned Lists = 4,
  parameter int unsigned ListBits = 2,
  parameter int unsigned ItemsBits = 11,
  parameter int unsigned AmountBits = 17,
  parameter int unsigned RowBits = 320,
  parameter int unsigned OutBits = 1,
  parameter int unsigned ItemBits = 20
) (
  input logic                           clk_i,
  input logic                           rst_ni,
  input logic                           job_valid_i,
  input logic                           job_ready_i,
  input logic                           job_mass_i,
  input logic [ItemsBits-1:0]           job_n_i,
  input logic [AmountBits-1:0]          job_amount_i,
  input logic                           row_valid_i,
  input logic                           row_ready_i,
  input logic [RowBits-1:0]             row_i,
  input logic                           out_valid_i,
  input logic                           out_ready_i,
  input logic [OutBits-1:0]             out_i,
  input load_e                          load_i,
  input list_e [Lists-1:0]              list_state_i,
  input logic [Lists-1:0][ItemBits-1:0] list_low_i,
  input logic [Lists-1:0][ItemBits-1:0] list_least_i,
  input logic [Lists-1:0][ItemBits:0]   list_limit_i,
  input logic [ListBits-1:0]            loading_i,
  input logic                           start_i,
  input logic [ListBits-1:0]            oldest_i,
  input logic                           scan_done_i,
  input logic [ListBits-1:0]            scan_list_i,
  input logic                           pass_start_i,
  input logic [ListBits-1:0]            next_list_i,
  input logic                           search_done_i,
  input logic [ListBits-1:0]            search_list_i,
  input logic                           filter_done_i
);

  prim_handshake_checker #(
    .Width(OutBits)
  ) u_out (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(out_valid_i),
    .ready_i(out_ready_i),
    .data_i (out_i)
  );

  // The user's side.
  prim_handshake_checker #(
    .Width(ItemsBits + AmountBits + 1)
  ) u_job (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(job_valid_i),
    .ready_i(job_ready_i),
    .data_i ({job_n_i, job_mass_i, job_amount_i})
  );

  prim_handshake_checker #(
    .Width(RowBits)
  ) u_row (
    .clk_i,
    .rst_ni,
    .clear_i(1'b0),
    .valid_i(row_valid_i),
    .ready_i(row_ready_i),
    .data_i (row_i)
  );

  // The engine's.
  Known :
  assert property (@(posedge clk_i) disable iff (!rst_ni) !$isunknown(
    {load_i, list_state_i, job_ready_i, row_ready_i, out_valid_i}
  ))
  else $error("%m: control is unknown");

  StartsFree :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> list_state_i[loading_i] == ListFree)
  else $error("%m: a job begins in a list that is not free");

  LoadsBusy :
  assert property (@(posedge clk_i) disable iff (!rst_ni) load_i != LoadHeader |-> list_state_i[loading_i] == ListBusy)
  else $error("%m: the list that is loaded is not busy");

  ScansBusy :
  assert property (@(posedge clk_i) disable iff (!rst_ni) scan_done_i |-> list_state_i[scan_list_i] == ListBusy)
  else $error("%m: a list is scanned that is not busy");

  SearchesBusy :
  assert property (@(posedge clk_i) disable iff (!rst_ni) search_done_i |-> list_state_i[search_list_i] == ListBusy)
  else $error("%m: a list is searched that is not busy");

  PassesPass :
  assert property (@(posedge clk_i) disable iff (!rst_ni) pass_start_i |-> list_state_i[next_list_i] == ListPass)
  else $error("%m: a list is passed that does not wait for it");

  FiltersFound :
  assert property (@(posedge clk_i) disable iff (!rst_ni) filter_done_i |-> list_state_i[oldest_i] == ListFound)
  else $error("%m: a list is filtered whose boundary is not found");

  OneStageAList :
  assert property (@(posedge clk_i) disable iff (!rst_ni) scan_done_i && search_done_i |-> scan_list_i != search_list_i)
  else $error("%m: two stages end with the same list");

  for (genvar l = 0; l < Lists; l++) begin : gen_list
    WindowInRange :
    assert property (@(posedge clk_i) disable iff (!rst_ni)
      list_state_i[l] == ListPass |-> {1'b0, list_least_i[l]} < list_limit_i[l]
        && list_low_i[l] >= list_least_i[l] && {1'b0, list_low_i[l]} < list_limit_i[l])
    else $error("%m: the next window begins where the boundary cannot be");
  end

endmodule
