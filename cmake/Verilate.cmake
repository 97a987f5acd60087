# The RTL flow is optional: without Verilator, one line says what brings it, and everything else is built.
find_program(VERILATOR verilator)
set(WINNOW_RTL OFF)
set(WINNOW_PYTHON ${CMAKE_SOURCE_DIR}/.venv/bin/python)
if(NOT EXISTS ${WINNOW_PYTHON})
  set(WINNOW_PYTHON python3)
endif()
execute_process(COMMAND ${WINNOW_PYTHON} -c "import yaml" RESULT_VARIABLE no_yaml OUTPUT_QUIET ERROR_QUIET)
if(WINNOW_SANITIZE)
  message(STATUS "RTL is left out: Verilator's models are generated, and sanitizers are for this project's C++")
elseif(NOT VERILATOR)
  message(STATUS "RTL is left out: verilator is missing (apt-get install verilator); all else is built, and "
                 "scripts/rtl/prove and scripts/rtl/synth work without it")
elseif(no_yaml)
  message(STATUS "RTL is left out: Python's yaml is missing (apt-get install python3-yaml); all else is built")
else()
  set(WINNOW_RTL ON)
  execute_process(COMMAND ${VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE VERILATOR_ROOT
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  find_package(ZLIB REQUIRED)
  # Verilator's runtime, compiled once for all models.
  add_library(winnow_verilated STATIC EXCLUDE_FROM_ALL ${VERILATOR_ROOT}/include/verilated.cpp
              ${VERILATOR_ROOT}/include/verilated_fst_c.cpp ${VERILATOR_ROOT}/include/verilated_threads.cpp
              ${VERILATOR_ROOT}/include/verilated_cov.cpp ${CMAKE_SOURCE_DIR}/sim/rtl/verilated_stop.cpp)
  target_include_directories(winnow_verilated SYSTEM PUBLIC ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
  target_include_directories(winnow_verilated PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(winnow_verilated PRIVATE -w -O2)
  target_compile_definitions(winnow_verilated PRIVATE VL_USER_STOP)
  target_link_libraries(winnow_verilated PUBLIC ZLIB::ZLIB)
  find_package(Threads REQUIRED)
  target_link_libraries(winnow_verilated PUBLIC Threads::Threads)
endif()

# winnow_machine_package(name): RTL parameters of sim/machines/<name>.yaml, in build/rtl/<name>/winnow_machine_pkg.sv.
function(winnow_machine_package name)
  set(yaml ${CMAKE_SOURCE_DIR}/sim/machines/${name}.yaml)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/rtl/${name}/winnow_machine_pkg.sv
    COMMAND ${WINNOW_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/rtl/package.py ${yaml}
            ${CMAKE_BINARY_DIR}/rtl/${name}/winnow_machine_pkg.sv
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/rtl/${name}/winnow_machine_pkg.sv
    DEPENDS ${yaml} ${CMAKE_SOURCE_DIR}/scripts/rtl/package.py ${CMAKE_SOURCE_DIR}/models/topk/ranges.h
    COMMENT "RTL parameters of machine ${name}" VERBATIM)
endfunction()

# winnow_verilate(name TOP t SOURCES ... [ARGS ...]): library `name` with class V<name>, from Verilator with warnings as
# errors. FST tracing is compiled in and off until asked for; registers start at zero, or (plusargs
# +verilator+rand+reset+2 +verilator+seed+N) at random. A build that fails leaves no library of an earlier one.
# --reloop-limit: no loops over a wide signal's words, whose counter Verilator 5.006 does not declare where an assertion
# samples 40 words or more (a row of P 64).
function(winnow_verilate name)
  cmake_parse_arguments(V "" "TOP" "SOURCES;ARGS" ${ARGN})
  set(dir ${CMAKE_BINARY_DIR}/rtl/${name})
  add_custom_command(
    OUTPUT ${dir}/V${name}__ALL.a
    COMMAND ${CMAKE_COMMAND} -E rm -f ${dir}/V${name}__ALL.a ${dir}/V${name}__verFiles.dat
    COMMAND ${CMAKE_COMMAND} -E env OBJCACHE=${CCACHE} ${VERILATOR} --cc --build --build-jobs 2 -Wall --trace-fst
            --trace-structs -O3 --reloop-limit 100000 --x-assign unique --x-initial unique --assert --prefix V${name} --top-module ${V_TOP}
            --Mdir ${dir} -MAKEFLAGS "OPT_FAST=-O2 OPT_SLOW=-O1 OPT_GLOBAL=-O2" ${V_ARGS} ${V_SOURCES} > ${name}.log
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    DEPENDS ${V_SOURCES}
    COMMENT "Verilating ${name}" VERBATIM)
  add_custom_target(${name}_verilated DEPENDS ${dir}/V${name}__ALL.a)
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_verilated)
  target_include_directories(${name} SYSTEM INTERFACE ${dir})
  target_link_libraries(${name} INTERFACE ${dir}/V${name}__ALL.a winnow_verilated)
endfunction()

# winnow_lockstep_top(block PROBES file): build/rtl/<block>_lockstep/<block>_lockstep.sv and the C++ of its probes, made by
# the target <block>_lockstep_generated.
function(winnow_lockstep_top block probes)
  set(dir ${CMAKE_BINARY_DIR}/rtl/${block}_lockstep)
  set(files ${dir}/${block}_lockstep.sv ${dir}/${block}_probes.inc ${dir}/${block}_probe_names.inc
      ${dir}/${block}_probe_places.inc)
  add_custom_command(
    OUTPUT ${files}
    COMMAND ${WINNOW_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/rtl/lockstep_top.py ${probes} ${dir} ${CMAKE_SOURCE_DIR}/rtl
    COMMAND ${CMAKE_COMMAND} -E touch ${files}
    DEPENDS ${probes} ${CMAKE_SOURCE_DIR}/scripts/rtl/lockstep_top.py ${WINNOW_RTL_TOPK}
    COMMENT "Lockstep top of ${block}" VERBATIM)
  add_custom_target(${block}_lockstep_generated DEPENDS ${files})
endfunction()

# winnow_lockstep_program(program BLOCK b RTL library NAME n SOURCES ...): a program around the Verilated lockstep top of a
# block; WINNOW_RTL_CLASS is its class, WINNOW_RTL_NAME is n.
function(winnow_lockstep_program program)
  cmake_parse_arguments(L "" "BLOCK;RTL;NAME" "SOURCES" ${ARGN})
  add_executable(${program} ${L_SOURCES})
  add_dependencies(${program} ${L_BLOCK}_lockstep_generated)
  target_include_directories(${program} PRIVATE ${CMAKE_BINARY_DIR}/rtl/${L_BLOCK}_lockstep)
  target_compile_definitions(${program} PRIVATE WINNOW_RTL_CLASS=V${L_RTL} WINNOW_RTL_NAME="${L_NAME}")
  target_compile_options(${program} PRIVATE -include V${L_RTL}.h)
  target_link_libraries(${program} PRIVATE ${L_RTL} winnow_topk winnow_rtl_difference winnow_flags CLI11::CLI11)
endfunction()
