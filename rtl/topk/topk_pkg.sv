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

  // Bits of k or mu16.
  function automatic int unsigned amount_bits(int unsigned index_bits);
    return (index_bits + 1 > 17) ? index_bits + 1 : 17;
  endfunction

endpackage
