// A bit of a crossbar's output: one of 16 inputs. Fifteen multiplexers of two inputs.

module cost_select16 (
  input  logic        clk_i,
  input  logic        enable_i,
  input  logic [15:0] data_i,
  input  logic [3:0]  select_i,
  output logic        data_o
);

  logic unused_clock;
  assign unused_clock = clk_i & enable_i;
  assign data_o = data_i[select_i];

endmodule
