# Flags, libraries and the two helpers every room uses.
include(CheckCXXCompilerFlag)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(SYSTEMC REQUIRED IMPORTED_TARGET systemc)
include(GoogleTest)

# Programs that scripts/gpu_check --pack carries to another machine find their libraries beside them.
set(CMAKE_BUILD_RPATH "$ORIGIN" "$ORIGIN/lib")

find_program(CCACHE ccache)
if(CCACHE)
  # Relative to the checkout, so that another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

# One INTERFACE target carries what holds for every file. No FMA contraction: scales are computed in
# float64 and must come out the same on every machine.
add_library(winnow_flags INTERFACE)
# g++ 12 sees overlaps in std::string that are not there (its bug 105651).
target_compile_options(winnow_flags INTERFACE -Wall -Wextra -Wno-restrict -ffp-contract=off)
# Position-independent code may be inlined as freely as a program's: nobody replaces a function of ours at run time.
target_compile_options(winnow_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-semantic-interposition>)
target_include_directories(winnow_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(WINNOW_AVX2 AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(winnow_flags INTERFACE -march=x86-64-v3)
endif()
if(WINNOW_WERROR)
  target_compile_options(winnow_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(WINNOW_SANITIZE)
  # For everything, since ASan must see both sides of a container. SystemC is the system's and is not compiled so.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined> $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize-recover=all>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  add_link_options($<$<LINK_LANGUAGE:CXX>:-fsanitize=address,undefined>)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(WINNOW_COVERAGE)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:--coverage>)
  add_link_options($<$<LINK_LANGUAGE:CXX>:--coverage>)
endif()
# Debian's SystemC exports the C++17 ABI symbol only.
add_library(winnow_systemc INTERFACE)
target_link_libraries(winnow_systemc INTERFACE PkgConfig::SYSTEMC winnow_flags)
target_compile_definitions(winnow_systemc INTERFACE SC_CPLUSPLUS=201703L)

# winnow_test(name SOURCES a.cpp... LIBS x...): one GoogleTest binary, each case one ctest entry with the label `unit`; the
# target winnow_unit_tests builds them all. With sanitizers a case takes several times as long.
add_custom_target(winnow_unit_tests)
set(WINNOW_TEST_TIMEOUT 600)
if(WINNOW_SANITIZE)
  set(WINNOW_TEST_TIMEOUT 3600)
endif()
function(winnow_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE winnow_flags ${T_LIBS} GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE WINNOW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 120
                       PROPERTIES TIMEOUT ${WINNOW_TEST_TIMEOUT} LABELS unit)
  add_dependencies(winnow_unit_tests ${name})
endfunction()

# winnow_bench(name SOURCES a.cpp... LIBS x...): one Google Benchmark binary, built, not run by ctest.
function(winnow_bench name)
  cmake_parse_arguments(T "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE winnow_flags ${T_LIBS} benchmark::benchmark_main)
  target_compile_definitions(${name} PRIVATE WINNOW_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endfunction()
