// Pipelined division of 2^StartBit * 4^Steps by a number above 2^StartBit: a digit of two bits a stage, of which three multiples of the
// divisor are taken away at once. Steps + 1 stages.

module arith_divider #(
  parameter int unsigned Bits = 40,
  parameter int unsigned StartBit = 18,
  parameter int unsigned Steps = 17,
  localparam int unsigned Depth = Steps + 1
) (
  input  logic               clk_i,
  input  logic               enable_i,
  input  logic [Bits-1:0]    divisor_i,
  output logic [2*Steps-1:0] quotient_o
);

  logic [Steps-1:0][Bits-1:0] divisor_q;
  logic [Steps-1:0][Bits+1:0] triple_q;
  logic [Steps:1][Bits-1:0] rest_q;
  logic [Steps:1][2*Steps-1:0] quotient_q;
  logic unused_last;  // of the last stage only the quotient is read

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      divisor_q[0] <= divisor_i;
      triple_q[0] <= (Bits + 2)'(divisor_i) + ((Bits + 2)'(divisor_i) << 1);
    end
  end

  for (genvar k = 1; k <= Steps; k++) begin : gen_step
    // What is left cannot be more than what was there at the start, four times as much a stage.
    localparam int unsigned RestBits = (StartBit + 2 * k - 1 < Bits) ? StartBit + 2 * k - 1 : Bits;
    logic [Bits+2:0] four, less_1, less_2, less_3;
    logic [Bits-1:0] rest_before, rest;
    logic [2*Steps-1:0] quotient_before;
    logic [1:0] digit;
    if (k == 1) begin : gen_first
      assign rest_before = Bits'(1) << StartBit;
      assign quotient_before = '0;
    end else begin : gen_later
      assign rest_before = rest_q[k-1];
      assign quotient_before = quotient_q[k-1];
    end
    assign four = (Bits + 3)'({rest_before[RestBits-1:0], 2'b00});
    assign less_1 = four - (Bits + 3)'(divisor_q[k-1]);
    assign less_2 = four - {2'b00, divisor_q[k-1], 1'b0};
    assign less_3 = four - {1'b0, triple_q[k-1]};
    // The sign says what was too much.
    assign digit[1] = ~less_2[Bits+2];
    assign digit[0] = digit[1] ? ~less_3[Bits+2] : ~less_1[Bits+2];
    always_comb begin
      unique case (digit)
        2'd0: rest = four[Bits-1:0];
        2'd1: rest = less_1[Bits-1:0];
        2'd2: rest = less_2[Bits-1:0];
        default: rest = less_3[Bits-1:0];
      endcase
    end
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        rest_q[k] <= rest;
        quotient_q[k] <= {quotient_before[2*Steps-3:0], digit};
      end
    end
    if (k < Steps) begin : gen_pass
      always_ff @(posedge clk_i) begin
        if (enable_i) begin
          divisor_q[k] <= divisor_q[k-1];
          triple_q[k] <= triple_q[k-1];
        end
      end
    end
    logic unused_bits;
    assign unused_bits = ^{rest_before, less_1[Bits+1:Bits], less_2[Bits+1:Bits], less_3[Bits+1:Bits]} ^
        ^quotient_before[2*Steps-1:2*Steps-2];
  end
  assign unused_last = ^rest_q[Steps];

  assign quotient_o = quotient_q[Steps];

endmodule
