// Payloads of the machine's links, and words of memories that RTL reads. Written by build/links_package from
// models/links and sim/rtl/memory_tap.h; not to be edited.

package winnow_links_pkg;

  // Part of several.
  typedef struct packed {
    logic [31:0] step;
    logic [15:0] layer;
    logic [15:0] head;
    logic [31:0] query;
    logic [4:0] group;
    logic [1:0] pass;
  } tag_t;

  // controller -> fetcher: 269 bits.
  typedef struct packed {
    tag_t tag;
    logic [2:0] stream;
    logic [5:0] key_bits;
    logic [5:0] value_bits;
    logic key_signed;
    logic value_signed;
    logic [3:0] held;
    logic shape_only;
    logic [5:0] epoch;
    logic second;
    logic sum;
    logic [5:0] half;
    logic [8:0] words;
    logic [10:0] item_bytes;
    logic [10:0] stride_bytes;
    logic [16:0] items;
    logic [35:0] base;
    logic [7:0] list;
    logic [15:0] heads;
    logic [4:0] group;
    logic [16:0] first;
  } fetch_jobs_t;

  // controller -> qk: 168 bits.
  typedef struct packed {
    tag_t tag;
    logic [3:0] store;
    logic [2:0] half;
    logic second;
    logic crude;
    logic pages;
    logic [3:0] shift;
    logic [3:0] key_bits;
    logic [16:0] keys;
    logic [15:0] query;
    logic add;
    logic [5:0] release_queries;
    logic release_half;
    logic [5:0] epoch;
  } first_passes_t;

  // controller -> qk: 168 bits.
  typedef struct packed {
    tag_t tag;
    logic [3:0] store;
    logic [2:0] half;
    logic second;
    logic crude;
    logic pages;
    logic [3:0] shift;
    logic [3:0] key_bits;
    logic [16:0] keys;
    logic [15:0] query;
    logic add;
    logic [5:0] release_queries;
    logic release_half;
    logic [5:0] epoch;
  } later_passes_t;

  // qk -> controller: 3 bits.
  typedef struct packed {logic [2:0] half;} key_released_t;

  // qk -> softmax: 2221 bits.
  typedef struct packed {
    tag_t tag;
    logic [3:0] store;
    logic add;
    logic last;
    logic [16:0] first;
    logic [6:0] count;
    logic [19:0] query_sum;
    logic [19:0] query_size;
    logic [63:0][31:0] value;
  } score_rows_t;

  // softmax -> progressive: 148 bits.
  typedef struct packed {
    tag_t tag;
    logic [3:0] store;
    logic [39:0] denominator;
    logic last_row;
  } row_sums_t;

  // progressive -> softmax: 5 bits.
  typedef struct packed {
    logic [3:0] store;
    logic refetch;
  } verdicts_to_softmax_t;

  // progressive -> controller: 5 bits.
  typedef struct packed {
    logic [3:0] store;
    logic refetch;
  } verdicts_to_controller_t;

  // softmax -> controller: 107 bits.
  typedef struct packed {
    tag_t tag;
    logic [3:0] store;
  } groups_done_t;

  // controller -> softmax: 4 bits.
  typedef struct packed {logic [3:0] store;} compactions_t;

  // softmax -> controller: 4 bits.
  typedef struct packed {logic [3:0] store;} compactions_done_t;

  // controller -> topk: 169 bits.
  typedef struct packed {
    logic [16:0] n;
    logic rule;
    logic [16:0] amount;
    logic [1:0] what;
    tag_t tag;
    logic [7:0] names;
    logic from_store;
    logic [3:0] store;
    logic [7:0] items;
    logic [7:0] kept;
  } topk_jobs_t;

  // topk -> controller: 21 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [16:0] kept;
  } topk_answers_t;

  // controller -> cascade: 285 bits.
  typedef struct packed {
    logic [1:0] kind;
    logic [16:0] n;
    logic rule;
    logic [16:0] amount;
    logic [1:0] what;
    tag_t tag;
    logic [7:0] names;
    logic from_store;
    logic [3:0] store;
    logic [7:0] items;
    logic [7:0] kept;
    logic [12:0] first_end;
    logic [16:0] newest_from;
    logic normalised;
    logic [6:0] shards;
    logic [12:0] shard_block;
    logic [5:0] shard;
    logic [6:0] block;
    logic [23:0] base;
    logic [23:0] chances_base;
    logic prompt;
    logic causal;
  } cascade_choices_t;

  // cascade -> cascade_topk: 169 bits.
  typedef struct packed {
    logic [16:0] n;
    logic rule;
    logic [16:0] amount;
    logic [1:0] what;
    tag_t tag;
    logic [7:0] names;
    logic from_store;
    logic [3:0] store;
    logic [7:0] items;
    logic [7:0] kept;
  } cascade_jobs_t;

  // cascade_topk -> controller: 21 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [16:0] kept;
  } cascade_answers_t;

  // controller -> importance: 44 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [7:0] tokens;
    logic [31:0] base;
  } importance_jobs_t;

  // importance -> controller: 4 bits.
  typedef struct packed {logic [3:0] store;} importance_answers_t;

  // pv -> importance: 52 bits.
  typedef struct packed {
    logic [15:0] head;
    logic [35:0] value;
  } magnitudes_t;

  // controller -> pv: 92 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [2:0] half;
    logic resident;
    logic compensated;
    logic all;
    logic last;
    logic [11:0] constants;
    logic [35:0] address;
    logic [10:0] address_stride;
    logic [15:0] first_head;
    logic [5:0] epoch;
  } pv_jobs_t;

  // pv -> controller: 4 bits.
  typedef struct packed {logic [3:0] store;} stores_released_t;

  // pv -> controller: 4 bits.
  typedef struct packed {
    logic [2:0] half;
    logic last;
  } pv_answers_t;

  // pv -> writeback: 3220 bits.
  typedef struct packed {
    tag_t tag;
    logic [35:0] address;
    logic [8:0] words;
    logic [255:0][11:0] data;
  } outputs_t;

  // writeback -> fetcher: 395 bits.
  typedef struct packed {
    tag_t tag;
    logic [35:0] address;
    logic [31:0][7:0] data;
  } write_bursts_t;

  // hbm2 -> controller: 6 bits.
  typedef struct packed {logic [5:0] count;} writes_accepted_t;

  // A word of this memory: 57 bits.
  typedef struct packed {
    logic [31:0] heads;
    logic [16:0] slots;
    logic [2:0] digit;
    logic last_pass;
    logic follow;
    logic undecided;
    logic forced;
    logic forced_refetch;
  } group_table_t;

  // A word of this memory: 21 bits.
  typedef struct packed {logic [20:0] score;} selection_scores_t;

  // A word of this memory: 49 bits.
  typedef struct packed {
    logic written;
    logic [47:0] item;
  } ranking_items_t;

  // A word of this memory: 17 bits.
  typedef struct packed {logic [16:0] entry;} lists_t;

  // What goes through a memory's port: 28 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [16:0] from;
    logic [6:0] n;
  } selection_scores_claim_t;

  // What goes through a memory's port: 4 bits.
  typedef struct packed {logic [3:0] store;} kept_flags_clear_t;

  // What goes through a memory's port: 21 bits.
  typedef struct packed {
    logic [3:0] store;
    logic [16:0] slot;
  } kept_flags_set_t;

  // What goes through a memory's port: 8 bits.
  typedef struct packed {logic [7:0] list;} lists_clear_t;

  // What goes through a memory's port: 25 bits.
  typedef struct packed {
    logic [7:0] list;
    logic [16:0] entry;
  } lists_append_t;

endpackage
