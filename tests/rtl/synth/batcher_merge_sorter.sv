// What the engine is measured against: one merge step of a sorter, P items a cycle, built on Batcher's odd-even merge.
//
// Two sorted runs come in rows of P (key and index); each cycle the row whose head is larger enters, the 2P-input odd-even
// merge network puts the P largest in front, these leave, the other P wait in registers and leave with the first row of
// the next merge. A P-input odd-even sort, cut in its middle by a register, makes the first runs. Sorting n takes
// one pass to make runs of P and log2(n / P) merge passes, of n / P cycles each; tests/rtl/sorter runs it and counts.
// Runs' memories, their addresses and all control are not in it.
//
// A row that enters in a merge pushes one out two cycles later, one that is sorted comes out three cycles later. Where a
// run has ended, its head is of the smallest key and the largest index.
module batcher_merge_sorter #(
  parameter int unsigned Lanes = 16,
  parameter int unsigned KeyBits = 20,
  parameter int unsigned IndexBits = 10,
  localparam int unsigned Width = KeyBits + IndexBits
) (
  input  logic                        clk_i,
  input  logic                        sort_i,    // first pass: row_a_i is sorted; else merge
  input  logic                        first_i,   // first row of a merge: what waits belongs to the one before
  input  logic [Lanes-1:0][Width-1:0] row_a_i,
  input  logic [Lanes-1:0][Width-1:0] row_b_i,
  output logic                        take_a_o,  // the row that enters in this cycle
  output logic [Lanes-1:0][Width-1:0] row_o
);

  // Larger key first; among equals the smaller index.
  function automatic logic swaps(logic [Width-1:0] a, logic [Width-1:0] b);
    return {b[Width-1:IndexBits], ~b[IndexBits-1:0]} > {a[Width-1:IndexBits], ~a[IndexBits-1:0]};
  endfunction

  assign take_a_o = !swaps(row_a_i[0], row_b_i[0]);

  // Layers from..to - 1 of the odd-even sort of one row.
  localparam int unsigned Layers = $clog2(Lanes) * ($clog2(Lanes) + 1) / 2;

  function automatic logic [Lanes-1:0][Width-1:0] sort_layers(logic [Lanes-1:0][Width-1:0] row, int unsigned from,
                                                              int unsigned to);
    logic [Width-1:0] item[Lanes];
    logic [Width-1:0] held;
    int unsigned layer;
    held = '0;
    for (int unsigned i = 0; i < Lanes; i++) item[i] = row[i];
    for (int unsigned p = 1; p < Lanes; p = p * 2) begin
      for (int unsigned k = p; k >= 1; k = k / 2) begin
        layer = $clog2(p) * ($clog2(p) + 1) / 2 + $clog2(p) - $clog2(k);
        for (int unsigned j = k % p; j + k < Lanes; j = j + 2 * k) begin
          for (int unsigned i = 0; i < k; i++) begin
            if (layer >= from && layer < to && i + j + k < Lanes && (i + j) / (2 * p) == (i + j + k) / (2 * p)) begin
              if (swaps(item[i+j], item[i+j+k])) begin
                held = item[i+j];
                item[i+j] = item[i+j+k];
                item[i+j+k] = held;
              end
            end
          end
        end
      end
    end
    for (int unsigned i = 0; i < Lanes; i++) row[i] = item[i];
    return row;
  endfunction

  logic [Lanes-1:0][Width-1:0] half_sorted_q, sorted_q;

  // Odd-even merge of what waits with the row that entered.
  logic [Width-1:0] merged[2*Lanes];
  logic [Lanes-1:0][Width-1:0] enters_q, waiting_q, low;
  logic first_q, sort_q, sort_2_q;

  always_comb begin
    logic [Width-1:0] held;
    held = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      merged[i] = waiting_q[i];
      merged[Lanes+i] = enters_q[i];
    end
    for (int unsigned k = Lanes; k >= 1; k = k / 2) begin
      for (int unsigned j = k % Lanes; j + k < 2 * Lanes; j = j + 2 * k) begin
        for (int unsigned i = 0; i < k; i++) begin
          if (i + j + k < 2 * Lanes) begin
            if (swaps(merged[i+j], merged[i+j+k])) begin
              held = merged[i+j];
              merged[i+j] = merged[i+j+k];
              merged[i+j+k] = held;
            end
          end
        end
      end
    end
  end
  for (genvar i = 0; i < Lanes; i++) begin : gen_low
    assign low[i] = merged[Lanes+i];
  end

  always_ff @(posedge clk_i) begin
    first_q <= first_i;
    sort_q <= sort_i;
    sort_2_q <= sort_q;
    enters_q <= take_a_o ? row_a_i : row_b_i;
    waiting_q <= first_q ? enters_q : low;
    half_sorted_q <= sort_layers(row_a_i, 0, Layers / 2);
    sorted_q <= sort_layers(half_sorted_q, Layers / 2, Layers);
    for (int unsigned i = 0; i < Lanes; i++) begin
      row_o[i] <= sort_2_q ? sorted_q[i] : first_q ? waiting_q[i] : merged[i];
    end
  end

endmodule
