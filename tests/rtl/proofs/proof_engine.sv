// The whole engine on Jobs jobs, one after the other without a reset: the indices that come out are exactly those that the rule keeps, in order, each once; the
// summary is right; and while it searches, the live side holds the boundary: #(> boundary) < target <= #(>= boundary)
// (count) or the same with sums (mass), with as many items as the side says. All inputs, all k or all targets, either
// pivot rule, any pivot lane; n <= MaxN.
// Without Flow rows are always offered and indices always taken. With Flow both sides are free, but that they make the engine
// wait for no more than Stalls cycles of each job; a job and its first row are offered at any time, while the job before
// runs, too, and held.
// With Cover it says instead what is false: no run of MaxN items ends in the last cycle of the bound. Its counterexample
// shows that the assumptions leave the longest run in.
module proof_engine #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Rows = 2,
  parameter int unsigned MaxN = 4,
  parameter int unsigned Width = 2,
  parameter bit Mass = 1'b0,
  parameter int unsigned Cycles = 32,
  parameter int unsigned Jobs = 1,
  parameter bit Flow = 1'b0,
  parameter int unsigned Stalls = 2,
  parameter bit FreeShare = 1'b0,  // every mu16, not steps of 1/16
  parameter bit Cover = 1'b0,
  // Items that rows can bring: the lanes behind the last item are free too.
  localparam int unsigned N = (MaxN + Lanes - 1) / Lanes * Lanes,
  localparam int unsigned IndexBits = $clog2(Lanes * Rows),
  localparam int unsigned SumBits = Width + IndexBits,
  localparam int unsigned AmountBits = topk_pkg::amount_bits(IndexBits)
) (
  input logic                 clk_i,
  input logic [15:0]          lfsr_i,      // this, offers and takes free in every cycle, the others in the first
  input logic                 sampled_i,
  input logic                 offer_job_i,
  input logic                 offer_row_i,
  input logic                 take_i,
  input logic [Jobs-1:0][IndexBits:0]   n_i,
  input logic [Jobs-1:0][IndexBits:0]   k_i,
  input logic [Jobs-1:0][4:0]           sixteenths_i,
  input logic [Jobs-1:0][11:0]          rest_i,
  input logic [Jobs-1:0][N-1:0][Width-1:0] item_i
);

  import topk_pkg::*;

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  // What the rule keeps, from the definition: an item stays if fewer than k items (or less than the target's sum) come
  // before it in the order value down, index up. Formed once, in the first cycle: the solver would not see that it is the
  // same in each. Then constant.
  logic [Jobs-1:0][IndexBits:0] all_n, all_k, all_count;
  logic [Jobs-1:0][16:0] all_mu16;
  logic [Jobs-1:0][N-1:0][Width-1:0] all_item;
  logic [Jobs-1:0][N-1:0] all_used, all_stays, all_above, all_from;
  logic [Jobs-1:0][SumBits-1:0] all_sum;
  logic [Jobs-1:0][Width-1:0] all_smallest;
  logic sampled;
  always_ff @(posedge clk_i) if (!started_q) sampled <= sampled_i;

  for (genvar j = 0; j < Jobs; j++) begin : gen_job
    // Steps of 1/16 give every target at sums of up to 15.
    logic [16:0] mu16_i;
    assign mu16_i = {sixteenths_i[j], FreeShare ? rest_i[j] : 12'd0};
    logic [N-1:0] used_d, stays_d;
    logic [SumBits-1:0] sum, target_d, stays_sum_d;
    logic [IndexBits:0] stays_count_d;
    logic [N-1:0][IndexBits:0] ahead;
    logic [N-1:0][SumBits-1:0] ahead_sum;
    logic [Width-1:0] smallest_d;

    always_comb begin
      sum = '0;
      stays_sum_d = '0;
      stays_count_d = '0;
      for (int unsigned i = 0; i < N; i++) begin
        used_d[i] = (IndexBits + 1)'(i) < n_i[j];
        if (used_d[i]) sum = sum + SumBits'(item_i[j][i]);
      end
      target_d = SumBits'(((SumBits + 18)'(sum) * (SumBits + 18)'(mu16_i) + (SumBits + 18)'(65535)) >> 16);
      for (int unsigned i = 0; i < N; i++) begin
        ahead[i] = '0;
        ahead_sum[i] = '0;
        for (int unsigned m = 0; m < N; m++) begin
          if (m != i && used_d[m] && (item_i[j][m] > item_i[j][i] || (item_i[j][m] == item_i[j][i] && m < i))) begin
            ahead[i] = ahead[i] + (IndexBits + 1)'(1);
            ahead_sum[i] = ahead_sum[i] + SumBits'(item_i[j][m]);
          end
        end
        stays_d[i] = used_d[i] && (Mass ? (ahead_sum[i] < target_d || ahead[i] == '0) : ahead[i] < k_i[j]);
        if (stays_d[i]) begin
          stays_sum_d = stays_sum_d + SumBits'(item_i[j][i]);
          stays_count_d = stays_count_d + (IndexBits + 1)'(1);
        end
      end
      // The smallest item that stays: the boundary, where one is searched for.
      smallest_d = '1;
      for (int unsigned i = 0; i < N; i++) begin
        if (stays_d[i] && item_i[j][i] < smallest_d) smallest_d = item_i[j][i];
      end
    end

    always_ff @(posedge clk_i) begin
      if (!started_q) begin
        all_n[j] <= n_i[j];
        all_k[j] <= k_i[j];
        all_mu16[j] <= mu16_i;
        all_item[j] <= item_i[j];
        all_used[j] <= used_d;
        all_stays[j] <= stays_d;
        all_count[j] <= stays_count_d;
        all_sum[j] <= stays_sum_d;
        all_smallest[j] <= smallest_d;
        for (int unsigned i = 0; i < N; i++) begin
          all_above[j][i] <= used_d[i] && item_i[j][i] > smallest_d;
          all_from[j][i] <= used_d[i] && item_i[j][i] >= smallest_d;
        end
      end
    end

    always_comb begin
      if (!started_q) begin
        assume (n_i[j] != '0 && n_i[j] <= (IndexBits + 1)'(MaxN));
        assume (k_i[j] != '0 && k_i[j] <= n_i[j]);
        assume (mu16_i != '0 && mu16_i <= 17'd65536);
      end
    end
  end

  // The job whose header is offered, whose rows are, and that is worked on.
  localparam int unsigned JobBits = $clog2(Jobs + 1);
  logic [JobBits-1:0] header_q, rows_q, job_q;
  logic [IndexBits:0] n, stays_count;
  logic [N-1:0][Width-1:0] item, row_item;
  logic [N-1:0] used, stays, above, from;
  logic [SumBits-1:0] stays_sum;
  logic [Width-1:0] smallest;
  if (Jobs == 1) begin : gen_one
    assign n = all_n[0];
    assign item = all_item[0];
    assign row_item = all_item[0];
    assign used = all_used[0];
    assign stays = all_stays[0];
    assign above = all_above[0];
    assign from = all_from[0];
    assign stays_count = all_count[0];
    assign stays_sum = all_sum[0];
    assign smallest = all_smallest[0];
  end else begin : gen_many
    logic [$clog2(Jobs)-1:0] at, row_at;
    assign at = job_q[$clog2(Jobs)-1:0];
    assign row_at = rows_q[$clog2(Jobs)-1:0];
    assign n = all_n[at];
    assign item = all_item[at];
    assign row_item = all_item[row_at];
    assign used = all_used[at];
    assign stays = all_stays[at];
    assign above = all_above[at];
    assign from = all_from[at];
    assign stays_count = all_count[at];
    assign stays_sum = all_sum[at];
    assign smallest = all_smallest[at];
  end

  logic [IndexBits:0] header_n, header_k, rows_n;
  logic [16:0] header_mu16;
  if (Jobs == 1) begin : gen_one_header
    assign header_n = all_n[0];
    assign header_k = all_k[0];
    assign header_mu16 = all_mu16[0];
    assign rows_n = all_n[0];
  end else begin : gen_headers
    assign header_n = all_n[header_q[$clog2(Jobs)-1:0]];
    assign header_k = all_k[header_q[$clog2(Jobs)-1:0]];
    assign header_mu16 = all_mu16[header_q[$clog2(Jobs)-1:0]];
    assign rows_n = all_n[rows_q[$clog2(Jobs)-1:0]];
  end

  logic [AmountBits-1:0] amount;
  assign amount = Mass ? AmountBits'(header_mu16) : AmountBits'(header_k);

  logic job_ready, row_ready, out_valid, out_last;
  logic [IndexBits:0] next_q;
  logic [Lanes-1:0][Width-1:0] row;
  logic [Lanes-1:0][IndexBits-1:0] indices;
  logic [$clog2(Lanes):0] count;
  logic [IndexBits:0] kept;
  logic [Width-1:0] boundary;
  logic [SumBits-1:0] kept_sum;
  error_e refused;

  for (genvar i = 0; i < Lanes; i++) begin : gen_row
    logic [IndexBits:0] at;
    assign at = next_q + (IndexBits + 1)'(i);
    assign row[i] = row_item[at[$clog2(N)-1:0]];
  end

  // Offers hold until they are taken; the engine waits for no more than Stalls cycles a job.
  logic job_valid, row_valid, out_ready, job_held_q, row_held_q, may_stall;
  logic [$clog2(Stalls + 1):0] stalls_q;
  assign may_stall = 32'(stalls_q) < Stalls;
  assign job_valid = started_q && 32'(header_q) < Jobs && (!Flow || job_held_q || offer_job_i || !may_stall);
  assign row_valid = started_q && 32'(rows_q) < Jobs && (!Flow || row_held_q || offer_row_i || !may_stall);
  assign out_ready = !Flow || take_i || !may_stall;
  always_ff @(posedge clk_i) begin
    if (!started_q) begin
      job_held_q <= 1'b0;
      row_held_q <= 1'b0;
      stalls_q <= '0;
    end else begin
      job_held_q <= job_valid && !job_ready;
      row_held_q <= row_valid && !row_ready;
      if (out_valid && out_ready && out_last) stalls_q <= '0;
      else if ((job_ready && !job_valid) || (row_ready && !row_valid) || (out_valid && !out_ready)) begin
        stalls_q <= stalls_q + 1'b1;
      end
    end
  end

  topk_engine #(
    .Parallelism(Lanes),
    .FifoDepth(Rows),
    .ItemBits(Width),
    .WithSampler(1'b1)
  ) u_dut (
    .clk_i,
    .rst_ni(started_q),
    .sampled_i(sampled),
    .seed_en_i(1'b0),
    .seed_i(lfsr_i),
    .job_valid_i(job_valid),
    .job_ready_o(job_ready),
    .job_n_i(header_n),
    .job_mass_i(Mass),
    .job_amount_i(amount),
    .refused_o(refused),
    .row_valid_i(row_valid),
    .row_ready_o(row_ready),
    .row_i(row),
    .out_valid_o(out_valid),
    .out_ready_i(out_ready),
    .out_indices_o(indices),
    .out_count_o(count),
    .out_last_o(out_last),
    .out_kept_o(kept),
    .out_boundary_o(boundary),
    .out_kept_sum_o(kept_sum)
  );

  // An index of an item that there is.
  logic [Lanes-1:0][$clog2(N)-1:0] index;
  for (genvar i = 0; i < Lanes; i++) begin : gen_index
    assign index[i] = indices[i][$clog2(N)-1:0];
  end

  // What has come out, and which items are still searched.
  logic [N-1:0] out_q, out_now, live_q;
  logic [IndexBits:0] last_index_q;
  logic finished_q, finished_before_q;

  always_comb begin
    out_now = out_q;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (32'(i) < 32'(count)) out_now[index[i]] = 1'b1;
    end
  end

  logic decided, searching;
  assign decided = u_dut.state_q == Decide;
  assign searching = u_dut.state_q == Pass && u_dut.u_select.product_step_q == 2'd0;

  logic job_ends;
  assign job_ends = out_valid && out_ready && out_last;

  always_ff @(posedge clk_i) begin
    if (!started_q) begin
      header_q <= '0;
      rows_q <= '0;
      job_q <= '0;
      next_q <= '0;
      out_q <= '0;
      live_q <= '1;
      last_index_q <= '1;
      finished_q <= 1'b0;
      finished_before_q <= 1'b0;
    end else begin
      if (job_valid && job_ready) header_q <= header_q + JobBits'(1);
      if (row_valid && row_ready) begin
        next_q <= next_q + (IndexBits + 1)'(Lanes);
        if (32'(next_q) + Lanes >= 32'(rows_n)) begin
          next_q <= '0;
          rows_q <= rows_q + JobBits'(1);
        end
      end
      if (out_valid && out_ready) begin
        out_q <= out_now;
        last_index_q <= {1'b0, indices[$clog2(Lanes)'(count-1)]};
      end
      if (decided && !u_dut.loading_q && u_dut.u_select.go_on) begin
        for (int unsigned i = 0; i < N; i++) begin
          live_q[i] <= live_q[i] && (u_dut.u_select.to_right ? item[i] > u_dut.pivot : item[i] < u_dut.pivot);
        end
      end
      if (job_ends) begin
        if (32'(job_q) == Jobs - 1) finished_q <= 1'b1;
        else begin
          job_q <= job_q + JobBits'(1);
          out_q <= '0;
          live_q <= '1;
          last_index_q <= '1;
        end
      end
      finished_before_q <= finished_q;
    end
  end

  always_comb begin
    logic [IndexBits:0] live, live_above, live_from;
    logic [SumBits-1:0] live_above_sum, live_from_sum;
    live = '0;
    live_above = '0;
    live_from = '0;
    live_above_sum = '0;
    live_from_sum = '0;
    for (int unsigned i = 0; i < N; i++) begin
      if (live_q[i] && used[i]) begin
        live = live + (IndexBits + 1)'(1);
        if (above[i]) begin
          live_above = live_above + (IndexBits + 1)'(1);
          live_above_sum = live_above_sum + SumBits'(item[i]);
        end
        if (from[i]) begin
          live_from = live_from + (IndexBits + 1)'(1);
          live_from_sum = live_from_sum + SumBits'(item[i]);
        end
      end
    end
    if (started_q && !Cover) begin
      assert (refused == ErrNone);
      if (searching) begin
        assert (u_dut.u_select.items_q == live);
        if (Mass) begin
          assert (live_above_sum < u_dut.u_select.target_q && u_dut.u_select.target_q <= live_from_sum);
        end else begin
          assert (SumBits'(live_above) < u_dut.u_select.target_q && u_dut.u_select.target_q <= SumBits'(live_from));
        end
      end
      if (out_valid) begin
        assert (32'(count) <= Lanes && count != '0);
        for (int unsigned i = 0; i < Lanes; i++) begin
          if (32'(i) < 32'(count)) begin
            assert (32'(indices[i]) < N);
            assert (stays[index[i]]);  // nothing that the rule drops
            assert (!out_q[index[i]]);  // nothing twice
            if (i > 0) assert (indices[i] > indices[i-1]);
          end
        end
        if (!last_index_q[IndexBits]) assert (indices[0] > last_index_q[IndexBits-1:0]);
        if (out_last) begin
          assert (out_now == stays);  // nothing is missing
          assert (kept == stays_count);
          assert (kept_sum == stays_sum);
          if (Mass || stays_count != n) assert (boundary == smallest);
        end
      end
      if (finished_q) assert (!out_valid);
    end
  end

  // The bound is long enough for the longest run: it has finished by then.
  logic [7:0] cycle_q = '0;
  always_ff @(posedge clk_i) cycle_q <= cycle_q + 8'd1;
  always_comb begin
    if (32'(cycle_q) == Cycles - 1) begin
      if (Cover) begin
        assert (!(finished_q && !finished_before_q && n == (IndexBits + 1)'(MaxN)));
      end else begin
        assert (finished_q);
      end
    end
  end

endmodule
