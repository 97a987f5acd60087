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

bind topk_side topk_side_checker u_checker (
  .clk_i,
  .rst_ni,
  .valid_i,
  .flush_i,
  .drop_i,
  .pop_i
);

bind topk_sampler topk_sampler_checker #(
  .Samples (Samples),
  .RankBits(RankBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .clear_i,
  .count_i(count_q),
  .rank_i (rank_q)
);

bind topk_quick_select topk_quick_select_checker u_checker (
  .clk_i,
  .rst_ni,
  .start_i,
  .valid_i,
  .decide_i,
  .divide_i,
  .target_known_i(target_known),
  .pop_i
);

bind topk_engine topk_engine_checker #(
  .Capacity   (Parallelism * FifoDepth),
  .ItemsBits  (ItemsBits),
  .AmountBits (AmountBits),
  .RowBits    (Parallelism * ItemBits),
  .OutBits    (1 + CountBits + ItemsBits + ItemBits + SumBits + Parallelism * IndexBits),
  .WithSampler(WithSampler)
) u_checker (
  .clk_i,
  .rst_ni,
  .sampled_i,
  .seed_en_i,
  .job_valid_i,
  .job_ready_i (job_ready_o),
  .job_mass_i,
  .row_valid_i,
  .row_ready_i (row_ready_o),
  .row_i,
  .out_valid_i (out_valid_o),
  .out_ready_i,
  .out_i       ({out_last_o, out_count_o, out_kept_o, out_boundary_o, out_kept_sum_o, out_indices_o}),
  .part_valid_i(part_valid_q),
  .state_i     (state_q),
  .start_i     (start),
  .load_row_i  (load_row),
  .read_pass_i (read_pass),
  .read_store_i(read_store),
  .done_i      (done),
  .job_taken_i (job_taken),
  .job_error_i (job_error),
  .job_n_i,
  .job_amount_i
);
