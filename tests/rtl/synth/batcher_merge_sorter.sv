// What the engine is measured against: one merge step of a sorter, P items a cycle, built on Batcher's odd-even merge.
//
// Two sorted runs come in rows of P (key and index); each cycle the row whose head is larger enters, the 2P-input odd-even
// merge network puts the P largest in front, these leave, the other P wait in registers and leave with the first row of
// the next merge. A P-input odd-even sort, cut by a register before its last merge, makes the first runs. Sorting n takes
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

  // Odd-even sort of one row: its two halves, then their merge.
  logic [Width-1:0] halves[Lanes], sorted[Lanes];
  logic [Lanes-1:0][Width-1:0] halves_q, sorted_q;

  always_comb begin
    logic [Width-1:0] held;
    held = '0;
    for (int unsigned i = 0; i < Lanes; i++) halves[i] = row_a_i[i];
    for (int unsigned p = 1; p < Lanes / 2; p = p * 2) begin
      for (int unsigned k = p; k >= 1; k = k / 2) begin
        for (int unsigned j = k % p; j + k < Lanes; j = j + 2 * k) begin
          for (int unsigned i = 0; i < k; i++) begin
            if (i + j + k < Lanes && (i + j) / (2 * p) == (i + j + k) / (2 * p)) begin
              if (swaps(halves[i+j], halves[i+j+k])) begin
                held = halves[i+j];
                halves[i+j] = halves[i+j+k];
                halves[i+j+k] = held;
              end
            end
          end
        end
      end
    end
  end

  always_comb begin
    logic [Width-1:0] held;
    held = '0;
    for (int unsigned i = 0; i < Lanes; i++) sorted[i] = halves_q[i];
    for (int unsigned k = Lanes / 2; k >= 1; k = k / 2) begin
      for (int unsigned j = k % (Lanes / 2); j + k < Lanes; j = j + 2 * k) begin
        for (int unsigned i = 0; i < k; i++) begin
          if (i + j + k < Lanes) begin
            if (swaps(sorted[i+j], sorted[i+j+k])) begin
              held = sorted[i+j];
              sorted[i+j] = sorted[i+j+k];
              sorted[i+j+k] = held;
            end
          end
        end
      end
    end
  end

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
    for (int unsigned i = 0; i < Lanes; i++) halves_q[i] <= halves[i];
    for (int unsigned i = 0; i < Lanes; i++) sorted_q[i] <= sorted[i];
    for (int unsigned i = 0; i < Lanes; i++) begin
      row_o[i] <= sort_2_q ? sorted_q[i] : first_q ? waiting_q[i] : merged[i];
    end
  end

endmodule
