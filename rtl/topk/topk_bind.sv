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

// Those of the bracket engine.

bind topk_list_memory topk_list_memory_checker #(
  .ListBits(ListBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .write_i,
  .write_list_i,
  .read_i,
  .read_list_i
);

bind topk_window_search topk_window_search_checker #(
  .TargetBits(TargetBits),
  .ItemsBits (ItemsBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .start_i,
  .state_i      (state_q),
  .mass_i,
  .one_value_i  (shift_q == '0),
  .target_i,
  .over_window_i(over_window),
  .inside_i     (at_least_q[0]),
  .reached_i    (reached_q),
  .over_i       (over_q)
);

bind topk_list_filter topk_list_filter_checker #(
  .LevelBits(LevelBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .start_i,
  .idle_i          (idle_q),
  .rows_left_i     (rows_left_q),
  .compared_valid_i(compared_valid_q),
  .part_valid_i    (part_valid_q)
);

bind topk_bracket_engine topk_bracket_engine_checker #(
  .Lists     (Lists),
  .ListBits  (ListBits),
  .ItemsBits (ItemsBits),
  .AmountBits(AmountBits),
  .RowBits   (Parallelism * ItemBits),
  .OutBits   (1 + CountBits + ItemsBits + ItemBits + SumBits + Parallelism * IndexBits),
  .ItemBits  (ItemBits)
) u_checker (
  .clk_i,
  .rst_ni,
  .job_valid_i,
  .job_ready_i  (job_ready_o),
  .job_mass_i,
  .job_n_i,
  .job_amount_i,
  .row_valid_i,
  .row_ready_i  (row_ready_o),
  .row_i,
  .out_valid_i  (out_valid_o),
  .out_ready_i,
  .out_i        ({out_last_o, out_count_o, out_kept_o, out_boundary_o, out_kept_sum_o, out_indices_o}),
  .load_i       (load_q),
  .list_state_i (list_state_q),
  .list_low_i   (list_low_q),
  .list_least_i (list_least_q),
  .list_limit_i (list_limit_q),
  .loading_i    (loading_q),
  .start_i      (start),
  .oldest_i     (oldest_q),
  .scan_done_i  (scan_done),
  .scan_list_i  (scan_list_q),
  .pass_start_i (pass_start),
  .next_list_i  (next_list),
  .search_done_i(search_done),
  .search_list_i(search_list),
  .filter_done_i(filter_done)
);
