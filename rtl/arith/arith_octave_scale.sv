// A head's scale for whole octaves, of the one for log2 units: its mantissa rounded to 5 bits. golden: octave_scale.

module arith_octave_scale
  import arith_pkg::*;
#(
  localparam int unsigned Depth = 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        enable_i,
  input  logic                        valid_i,
  input  logic [MantissaBits-1:0]     mantissa_i,
  input  logic signed [ShiftBits-1:0] shift_i,
  output logic                        valid_o,
  output logic [OctaveScaleBits-1:0]  mantissa_out_o,
  output logic signed [ShiftBits:0]   shift_out_o
);

  localparam int unsigned Drop = MantissaBits - OctaveScaleBits;

  logic [OctaveScaleBits:0] rounded;
  logic [ShiftBits:0] octave;
  logic carry;

  assign rounded = (OctaveScaleBits + 1)'(mantissa_i[MantissaBits-1:Drop]) + (OctaveScaleBits + 1)'(mantissa_i[Drop-1]);
  assign octave = carry ? (ShiftBits + 1)'(LogFraction - 1) : (ShiftBits + 1)'(LogFraction);
  assign carry = rounded[OctaveScaleBits];

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      mantissa_out_o <= carry ? rounded[OctaveScaleBits:1] : rounded[OctaveScaleBits-1:0];
      shift_out_o <= (ShiftBits + 1)'(shift_i) + octave;
    end
  end

  arith_valid #(
    .Depth(Depth)
  ) u_valid (
    .clk_i,
    .rst_ni,
    .enable_i,
    .valid_i,
    .valid_o
  );

endmodule
