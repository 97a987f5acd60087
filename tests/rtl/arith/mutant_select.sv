// Sets the mutant from plusarg +mutant=N; bound into the test's top of the mutated copy.
module mutant_select;
  initial begin
    if ($value$plusargs("mutant=%d", mutant_pkg::selected) == 0) mutant_pkg::selected = 0;
  end
endmodule

bind arith_top mutant_select u_mutant_select ();
