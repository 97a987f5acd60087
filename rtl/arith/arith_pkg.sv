// Widths of golden/num.h, the table of powers of two, and how far a shifter shifts.

package arith_pkg;

  parameter int unsigned ScoreBits = 33;  // of a score below its row's largest
  parameter int unsigned MantissaBits = 16;
  parameter int unsigned ShiftBits = 8;  // signed
  parameter int unsigned DistanceBits = 17;  // log2 units of 2^-12; saturated, far beyond the last power
  parameter int unsigned LogFraction = 12;
  parameter int unsigned ExpFraction = 20;
  parameter int unsigned ExpBits = ExpFraction + 1;
  parameter int unsigned OctaveBits = 5;
  parameter int unsigned OctaveScaleBits = 5;
  parameter int unsigned MostOctaves = ExpFraction + 1;
  parameter int unsigned DenominatorBits = 40;
  parameter int unsigned ReciprocalBits = 33;
  parameter int unsigned ProbabilityBits = 16;
  parameter int unsigned WideBits = 33;  // p * v16
  parameter int unsigned WordBits = 12;
  parameter int unsigned ExponentBits = 5;  // of a row of weights
  parameter int unsigned SumBits = 46;  // of weight * value, signed
  parameter int unsigned KeptSumBits = 32;  // of the probabilities that are kept
  parameter int unsigned ImportanceBits = 48;
  parameter int unsigned SelectionBits = 21;  // of 32 query heads' probabilities
  parameter int unsigned BrickBits = 4;
  parameter int unsigned ScoreWordBits = 32;  // a score, signed
  parameter int unsigned QuerySumBits = 20;  // of 256 words of a query, signed
  parameter int unsigned MaximaBits = 35;  // twice a row's largest score below that of the pass before, signed
  parameter int unsigned RestDistanceBits = 19;  // as DistanceBits, signed
  parameter int unsigned MeanBits = 33;  // of the probabilities left out, 2^32 = 1
  parameter int unsigned SignedWideBits = 34;  // (p - mean) * v16
  parameter int unsigned ValueSumBits = 24;  // a word of V's sum, signed
  parameter int unsigned ColumnBits = 17;  // of a 12-bit number times a brick's digit, signed

  // 2^(20 - i/64), rounded to nearest; entry 0 is the last of the list. golden/exp2_table.inc.
  parameter int unsigned ExpTableBits = 6;
  parameter logic [2**ExpTableBits:0][ExpBits-1:0] ExpTable = {
    21'd524288,
    21'd529997,
    21'd535768,
    21'd541603,
    21'd547500,
    21'd553462,
    21'd559489,
    21'd565581,
    21'd571740,
    21'd577966,
    21'd584260,
    21'd590622,
    21'd597053,
    21'd603555,
    21'd610127,
    21'd616771,
    21'd623487,
    21'd630276,
    21'd637140,
    21'd644078,
    21'd651091,
    21'd658181,
    21'd665348,
    21'd672593,
    21'd679917,
    21'd687321,
    21'd694806,
    21'd702372,
    21'd710020,
    21'd717752,
    21'd725567,
    21'd733468,
    21'd741455,
    21'd749529,
    21'd757691,
    21'd765942,
    21'd774282,
    21'd782714,
    21'd791237,
    21'd799853,
    21'd808563,
    21'd817367,
    21'd826268,
    21'd835265,
    21'd844361,
    21'd853555,
    21'd862850,
    21'd872246,
    21'd881744,
    21'd891345,
    21'd901051,
    21'd910863,
    21'd920782,
    21'd930809,
    21'd940944,
    21'd951191,
    21'd961548,
    21'd972019,
    21'd982604,
    21'd993303,
    21'd1004120,
    21'd1015054,
    21'd1026107,
    21'd1037281,
    21'd1048576
  };

  // From an entry of the table down to the next: at most 11,295.
  parameter int unsigned SlopeBits = 14;
  typedef logic [2**ExpTableBits-1:0][SlopeBits-1:0] exp_slopes_t;
  function automatic exp_slopes_t exp_slopes();
    exp_slopes_t slopes;
    for (int unsigned i = 0; i < 2 ** ExpTableBits; i++) slopes[i] = SlopeBits'(ExpTable[i] - ExpTable[i+1]);
    return slopes;
  endfunction
  parameter exp_slopes_t ExpSlope = exp_slopes();

  // What arith_shift_round shifts by, 0..127, where it is built for `left` places to the left.
  function automatic logic [6:0] amount(logic signed [ShiftBits:0] shift, logic signed [ShiftBits:0] left);
    logic signed [ShiftBits+1:0] a;
    a = (ShiftBits + 2)'(shift) + (ShiftBits + 2)'(left);
    return (a < 0) ? 7'd0 : (a > 127) ? 7'd127 : a[6:0];
  endfunction

endpackage
