// Shifts to the right, rounds to nearest, ties up, and saturates at Out bits. Two stages; with Split three, of which the
// first shifts by multiples of eight.
//
// A shift is amount_i - Left: below 0 it is one to the left. Signed results are symmetric.

module arith_shift_round #(
  parameter int unsigned In = 49,
  parameter int unsigned Out = 17,
  parameter int unsigned Left = 17,
  parameter logic [Out-1:0] Most = '1,
  parameter bit Signed = 1'b0,
  parameter bit Split = 1'b0,
  localparam int unsigned Depth = Split ? 3 : 2
) (
  input  logic           clk_i,
  input  logic           enable_i,
  input  logic [In-1:0]  x_i,
  input  logic [6:0]     amount_i,
  output logic [Out-1:0] y_o
);

  // One bit more than is kept, for the rounding.
  localparam int unsigned Wide = In + Left + 1;
  localparam int unsigned Shifted = (Wide > Out + 2) ? Wide : Out + 2;

  logic [Shifted-1:0] shifted_d, shifted_q;
  logic negative, over;
  logic [Out-1:0] rounded;

  logic [Shifted-1:0] coarse_d, coarse;
  logic [6:0] fine;

  if (Split) begin : gen_split
    logic [Shifted-1:0] coarse_q;
    logic [2:0] fine_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        coarse_q <= coarse_d;
        fine_q <= amount_i[2:0];
      end
    end
    assign coarse = coarse_q;
    assign fine = 7'(fine_q);
  end else begin : gen_whole
    assign coarse = coarse_d;
    assign fine = amount_i;
  end

  assign negative = Signed & coarse[Shifted-1];

  if (Signed) begin : gen_signed
    logic signed [Shifted-1:0] wide;
    assign wide = Shifted'(signed'({x_i, (Left + 1)'(0)}));
    assign coarse_d = Split ? wide >>> {amount_i[6:3], 3'd0} : wide;
    assign shifted_d = signed'(coarse) >>> fine;
  end else begin : gen_unsigned
    logic [Shifted-1:0] wide;
    assign wide = Shifted'({x_i, (Left + 1)'(0)});
    assign coarse_d = Split ? wide >> {amount_i[6:3], 3'd0} : wide;
    assign shifted_d = coarse >> fine;
  end

  always_ff @(posedge clk_i) begin
    if (enable_i) shifted_q <= shifted_d;
  end

  assign rounded = shifted_q[Out:1] + Out'(shifted_q[0]);

  if (Signed) begin : gen_saturate_signed
    localparam logic [Out-1:0] Largest = {1'b0, {(Out - 1) {1'b1}}};
    logic negative_q, fits;
    always_ff @(posedge clk_i) begin
      if (enable_i) negative_q <= negative;
    end
    // All upper bits are the sign, and rounding does not pass the largest.
    assign fits = shifted_q[Shifted-1:Out] == {(Shifted - Out) {negative_q}};
    assign over = ~fits | (shifted_q[Out:1] == Largest);
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        if (over) y_o <= negative_q ? -Largest : Largest;
        else y_o <= (rounded == {1'b1, (Out - 1)'(0)}) ? -Largest : rounded;
      end
    end
  end else begin : gen_saturate_unsigned
    logic unused_negative;
    assign unused_negative = negative;
    assign over = (shifted_q[Shifted-1:Out+1] != '0) | (shifted_q[Out:1] >= Most);
    always_ff @(posedge clk_i) begin
      if (enable_i) y_o <= over ? Most : rounded;
    end
  end

endmodule
