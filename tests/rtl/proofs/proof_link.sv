// A FIFO or a skid buffer: order, no loss, nothing invented, valid and data hold until ready. The entry number which_i,
// any of the first four since the FIFO was cleared last, is followed from the way in to the way out; offers, taker and
// clear are free.
module proof_link #(
  parameter bit Skid = 1'b0,
  parameter int unsigned Depth = 4,
  parameter int unsigned Width = 2
) (
  input logic             clk_i,
  input logic             valid_i,
  input logic [Width-1:0] data_i,
  input logic             ready_i,
  input logic             clear_i,
  input logic [1:0]       which_i
);

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  logic [1:0] which;  // free, then constant
  always_ff @(posedge clk_i) if (!started_q) which <= which_i;

  logic ready, valid, clear;
  logic [Width-1:0] data;
  assign clear = Skid ? 1'b0 : clear_i;

  if (Skid) begin : gen_skid
    prim_skid_buffer #(
      .Width(Width)
    ) u_dut (
      .clk_i,
      .rst_ni(started_q),
      .valid_i,
      .ready_o(ready),
      .data_i,
      .valid_o(valid),
      .ready_i,
      .data_o(data)
    );
  end else begin : gen_fifo
    logic [$clog2(Depth + 1)-1:0] unused_level;
    prim_fifo #(
      .Width(Width),
      .Depth(Depth)
    ) u_dut (
      .clk_i,
      .rst_ni(started_q),
      .clear_i(clear),
      .valid_i,
      .ready_o(ready),
      .data_i,
      .valid_o(valid),
      .ready_i,
      .data_o(data),
      .level_o(unused_level)
    );
  end

  logic [3:0] pushed_q, popped_q;
  logic [Width-1:0] followed_q, last_data_q;
  logic waited_q;

  always_ff @(posedge clk_i) begin
    if (!started_q || clear) begin
      pushed_q <= '0;
      popped_q <= '0;
      waited_q <= 1'b0;
    end else begin
      if (valid_i && ready && !pushed_q[3]) begin
        pushed_q <= pushed_q + 4'd1;
        if (pushed_q == {2'b0, which}) followed_q <= data_i;
      end
      if (valid && ready_i && !popped_q[3]) popped_q <= popped_q + 4'd1;
      waited_q <= valid && !ready_i;
      last_data_q <= data;
    end
  end

  always_comb begin
    if (started_q) begin
      if (!pushed_q[3]) begin
        assert (popped_q <= pushed_q);
        assert (valid == (popped_q != pushed_q));  // nothing is lost and nothing invented
        if (!Skid) assert (ready == (pushed_q - popped_q != 4'(Depth)));
      end
      if (valid && popped_q == {2'b0, which} && !pushed_q[3]) assert (data == followed_q);
      if (waited_q) begin
        assert (valid);
        assert (data == last_data_q);
      end
    end
  end

endmodule
