// Types that the modules of the top-k engine share. Model: models/topk/types.h, engine.h.

package topk_pkg;

  // Samples kept a side, and taken from one row at most.
  parameter int unsigned Samples = 32;
  parameter int unsigned SampleRate = 4;

  typedef enum logic [2:0] {
    Idle,
    Load,
    Pass,
    Drain,
    Decide,
    Divide,
    Filter
  } state_e;

  typedef enum logic [1:0] {
    NextPass,
    NextDivide,
    NextFilter
  } next_e;

  // Why a job was not taken; the texts are in topk_engine_checker.sv and models/topk/types.cpp.
  typedef enum logic [1:0] {
    ErrNone,
    ErrN,
    ErrK,
    ErrMu16
  } error_e;

  // The bracket engine: bins of a window; parts of an octave, the first octave that has bins.
  parameter int unsigned BinBits = 5;
  parameter int unsigned Bins = 2 ** BinBits;
  parameter int unsigned Quarters = 4;
  parameter int unsigned FirstOctave = 5;

  typedef enum logic [1:0] {
    ListFree,
    ListBusy,
    ListPass,
    ListFound
  } list_e;

  typedef enum logic [1:0] {
    LoadHeader,
    LoadRows,
    LoadDrain,
    LoadHand
  } load_e;

  typedef enum logic [1:0] {
    ScanIdle,
    ScanProduct,
    ScanSmall,
    ScanOctaves
  } scan_e;

  typedef enum logic [1:0] {
    PassIdle,
    PassRead,
    PassDrain,
    PassHand
  } pass_e;

  typedef enum logic [1:0] {
    SearchIdle,
    SearchAim,
    SearchHalve,
    SearchDivide
  } search_e;

  // Edges of the octave bins, and one beyond the last that nothing reaches. Without octaves that one alone, and four
  // more that are not looked at.
  function automatic int unsigned edges(int unsigned item_bits);
    return (item_bits > FirstOctave) ? (item_bits - FirstOctave) * Quarters + 1 : Quarters + 1;
  endfunction

  // Bits of a shift by up to as many places as a window's bins have bits.
  function automatic int unsigned shift_bits(int unsigned item_bits);
    return $clog2(item_bits + BinBits);
  endfunction

  // Bits of a list's target: a sum, k or mu16.
  function automatic int unsigned target_bits(int unsigned sum_bits);
    return (sum_bits > 18) ? sum_bits : 18;
  endfunction

  // Bits of k or mu16.
  function automatic int unsigned amount_bits(int unsigned index_bits);
    return (index_bits + 1 > 17) ? index_bits + 1 : 17;
  endfunction

endpackage
