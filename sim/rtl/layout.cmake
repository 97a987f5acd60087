# Writes rtl_layout.h with the hash of the headers that a library of RTL shares with winnow (scripts/rtl/library forms the
# same): cmake -DSOURCE=... -DOUTPUT=... -P layout.cmake
cmake_minimum_required(VERSION 3.25)
file(GLOB headers RELATIVE ${SOURCE} ${SOURCE}/models/prim/payload.h ${SOURCE}/sim/rtl/*_port.h
     ${SOURCE}/sim/rtl/stimuli.h)
list(SORT headers)
set(all "")
foreach(header ${headers})
  file(SHA256 ${SOURCE}/${header} one)
  string(APPEND all ${one})
endforeach()
string(SHA256 layout "${all}")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define WINNOW_RTL_LAYOUT \"@layout@\"\n" @ONLY)
