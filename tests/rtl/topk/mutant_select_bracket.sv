// Sets the mutant from plusarg +mutant=N; bound into the bracket engine of the mutated copy.
module mutant_select_bracket;
  initial begin
    if ($value$plusargs("mutant=%d", mutant_pkg::selected) == 0) mutant_pkg::selected = 0;
  end
endmodule

bind topk_bracket_engine mutant_select_bracket u_mutant_select ();
