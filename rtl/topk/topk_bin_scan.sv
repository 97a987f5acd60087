// Bin scan: which octave bin the boundary lies in, and so where the first pass looks.
//
// start_i takes a loaded list's counts and sums, and its job: target_i is k or mu16. Values below 32 come first, then an
// octave a cycle, from the smallest items up. Count: exact. Mass: what lies below the boundary sums up to sum - target at
// most, a bin's sum being its count times its middle: an estimate. done_o: the cycle in which it ends; then found_o and
// limit, equals, kept (low is 0), or low and shift of the first window.
// Time: 1 cycle, 1 more an octave, 2 more for a mass's product, whose first digit comes as the list does. Model: models/topk/bin_scan.h.

module topk_bin_scan
  import topk_pkg::*;
#(
  parameter int unsigned ItemBits = 20,
  parameter int unsigned IndexBits = 10,
  localparam int unsigned SumBits = ItemBits + IndexBits,
  localparam int unsigned SmallBits = FirstOctave + IndexBits,
  localparam int unsigned TargetBits = target_bits(SumBits),
  localparam int unsigned ShiftBits = shift_bits(ItemBits),
  localparam int unsigned Edges = edges(ItemBits)
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          start_i,
  input  logic [Edges-1:0][IndexBits:0] at_least_i,
  input  logic [IndexBits:0]            nonzero_i,
  input  logic [SmallBits-1:0]          small_i,
  input  logic [SumBits-1:0]            total_i,
  input  logic [IndexBits:0]            n_i,
  input  logic                          mass_i,
  input  logic [TargetBits-1:0]         target_i,
  output logic                          idle_o,
  output logic                          done_o,
  output logic                          found_o,
  output logic [TargetBits-1:0]         target_o,
  output logic [ItemBits-1:0]           low_o,
  output logic [ShiftBits-1:0]          shift_o,
  output logic                          limit_o,
  output logic [IndexBits:0]            equals_o,
  output logic [IndexBits:0]            kept_o
);

  localparam int unsigned ItemsBits = IndexBits + 1;
  localparam int unsigned PartBits = ItemsBits + 4;  // of a bin's sum, in eighths
  localparam int unsigned BelowBits = (SumBits > PartBits) ? SumBits : PartBits;
  localparam int unsigned ProductBits = TargetBits + 6;
  localparam int unsigned OctaveBits = $clog2(ItemBits + FirstOctave + BinBits);
  // A quarter of the first octave has 8 values, one of the second 16; on either side a window has half of the rest.
  localparam int unsigned FirstMargin = (Bins - 8) / 2;
  localparam int unsigned SecondMargin = (Bins - 16) / 2;

  scan_e state_q;
  logic [Edges-1:0][IndexBits:0] at_least_q;  // from this octave's lowest edge on
  logic [ItemsBits-1:0] nonzero_q, n_q;
  logic [SmallBits-1:0] small_q;
  logic [SumBits-1:0] total_q;
  logic mass_q;
  logic [TargetBits-1:0] target_q;
  logic [OctaveBits-1:0] octave_q;
  logic [BelowBits-1:0] below_q;

  // Target of a mass: (mu16 * total + 65535) >> 16, from three 6-bit digits. Each step drops the six bits below the next.
  logic [1:0] digit_q;
  logic [17:0] mu16_q;
  logic [ProductBits-1:0] product_d, product_q;
  logic [TargetBits-1:0] mass_target;

  logic idle;
  assign product_d = idle ? ProductBits'(65535) + ProductBits'(total_i) * ProductBits'(target_i[5:0])
                          : (product_q >> 6) + ProductBits'(total_q) * ProductBits'(mu16_q[5:0]);
  assign mass_target = TargetBits'(product_d >> 4);

  // The octave at hand ------------------------------------------------------------------------------------------------

  logic [ItemsBits-1:0] k, above;
  logic [PartBits-1:0] part[Quarters];  // sums of the bins up to each quarter's end: counts times 9, 11, 13, 15 eighths
  logic [Quarters-1:0] over;            // the boundary lies over the quarter
  logic here, last;
  logic [1:0] quarter;

  assign k = target_q[ItemsBits-1:0];
  assign above = at_least_q[4];
  assign last = octave_q == OctaveBits'(ItemBits - 1);

  always_comb begin
    logic [PartBits-1:0] e0, e1, e2, e3, e4;
    e0 = PartBits'(at_least_q[0]);
    e1 = PartBits'(at_least_q[1]);
    e2 = PartBits'(at_least_q[2]);
    e3 = PartBits'(at_least_q[3]);
    e4 = PartBits'(above);
    part[0] = PartBits'(9) * (e0 - e1);
    part[1] = PartBits'(9) * e0 + (e1 << 1) - PartBits'(11) * e2;
    part[2] = PartBits'(9) * e0 + ((e1 + e2) << 1) - PartBits'(13) * e3;
    part[3] = PartBits'(9) * e0 + ((e1 + e2 + e3) << 1) - PartBits'(15) * e4;
  end

  always_comb begin
    over[Quarters-1] = mass_q ? below_q >= BelowBits'(part[Quarters-1]) : above >= k;
    for (int unsigned q = 0; q < Quarters - 1; q++) begin
      over[q] = mass_q ? below_q >= BelowBits'(part[q]) : at_least_q[q+1] >= k;
    end
  end
  assign here = ~over[Quarters-1] | (mass_q & last);
  assign quarter = 2'(over[0]) + 2'(over[1]) + 2'(over[2]);

  // Below 32 ----------------------------------------------------------------------------------------------------------

  logic all, none, zero, low_values;

  assign all = ~mass_q & (k == n_q);
  assign none = mass_q & (total_q == '0);
  assign zero = ~mass_q & (nonzero_q < k);
  assign low_values = mass_q ? below_q < BelowBits'(small_q) : at_least_q[0] < k;

  // Result ------------------------------------------------------------------------------------------------------------

  assign idle = state_q == ScanIdle;
  assign idle_o = idle;
  assign found_o = state_q == ScanSmall && (all | none | zero);
  assign done_o = found_o || (state_q == ScanSmall && low_values) || (state_q == ScanOctaves && here);
  assign target_o = target_q;
  assign limit_o = ~all;
  assign equals_o = mass_q ? ItemsBits'(1) : (all ? '0 : k - nonzero_q);
  assign kept_o = mass_q ? ItemsBits'(1) : k;

  // The window: the quarter, or around it where it is narrower than 32; or the values below 32.
  logic [ItemBits+1:0] edge_value, margin;

  always_comb begin
    edge_value = (ItemBits + 2)'({1'b1, quarter}) << (octave_q - OctaveBits'(2));
    margin = '0;
    if (octave_q == OctaveBits'(FirstOctave)) margin = (ItemBits + 2)'(FirstMargin);
    if (octave_q == OctaveBits'(FirstOctave + 1)) margin = (ItemBits + 2)'(SecondMargin);
    shift_o = '0;
    if (octave_q > OctaveBits'(BinBits + 2)) shift_o = ShiftBits'(octave_q - OctaveBits'(BinBits + 2));
    low_o = (state_q == ScanOctaves) ? ItemBits'(edge_value - margin) : '0;
  end

  // Registers ---------------------------------------------------------------------------------------------------------

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= ScanIdle;
      at_least_q <= '0;
      nonzero_q <= '0;
      n_q <= '0;
      small_q <= '0;
      total_q <= '0;
      mass_q <= 1'b0;
      target_q <= '0;
      octave_q <= OctaveBits'(FirstOctave);
      below_q <= '0;
      digit_q <= '0;
      mu16_q <= '0;
      product_q <= '0;
    end else begin
      unique case (state_q)
        ScanIdle: begin
          if (start_i) begin
            state_q <= mass_i ? ScanProduct : ScanSmall;
            at_least_q <= at_least_i;
            nonzero_q <= nonzero_i;
            n_q <= n_i;
            small_q <= small_i;
            total_q <= total_i;
            mass_q <= mass_i;
            target_q <= target_i;
            octave_q <= OctaveBits'(FirstOctave);
            below_q <= '0;
            digit_q <= 2'd1;
            mu16_q <= 18'(target_i >> 6);
            product_q <= product_d;
          end
        end
        ScanProduct: begin
          digit_q <= digit_q + 2'd1;
          mu16_q <= mu16_q >> 6;
          product_q <= product_d;
          if (digit_q == 2'd2) begin
            state_q <= ScanSmall;
            target_q <= mass_target;
            below_q <= BelowBits'(total_q) - BelowBits'(mass_target);
          end
        end
        ScanSmall: begin
          state_q <= done_o ? ScanIdle : ScanOctaves;
          if (mass_q && !done_o) below_q <= (below_q - BelowBits'(small_q)) >> 2;
        end
        default: begin
          if (here) begin
            state_q <= ScanIdle;
          end else begin
            octave_q <= octave_q + OctaveBits'(1);
            at_least_q <= at_least_q >> (Quarters * ItemsBits);
            if (mass_q) below_q <= (below_q - BelowBits'(part[Quarters-1])) >> 1;
          end
        end
      endcase
    end
  end

endmodule
