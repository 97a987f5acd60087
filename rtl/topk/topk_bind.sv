// Binds the checkers of the top-k engine.

bind topk_row_fifo topk_row_fifo_checker #(
  .Depth(Depth),
  .LevelBits(LevelBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .clear_i,
  .push_i,
  .pop_i,
  .level_i(level_q)
);

bind topk_engine topk_engine_checker #(
  .Capacity  (Parallelism * FifoDepth),
  .ItemsBits (ItemsBits),
  .AmountBits(AmountBits),
  .OutBits   (1 + CountBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .out_valid_i (out_valid_o),
  .out_ready_i,
  .out_i       ({out_last_o, out_count_o}),
  .part_valid_i(part_valid_q),
  .state_i     (state_q),
  .job_taken_i (job_taken),
  .job_error_i (job_error),
  .job_n_i,
  .job_amount_i
);
