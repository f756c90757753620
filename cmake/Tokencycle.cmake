# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the rule "one library per folder of sim/", in one place.

# Paths relative to the tree, so that a second clone or work tree finds the objects of the first.
find_program(CCACHE_PROGRAM ccache)
if(TOKENCYCLE_CCACHE AND CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                  ${CCACHE_PROGRAM})
endif()

add_library(tokencycle_options INTERFACE)
target_compile_options(tokencycle_options INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion
  # The numerics are defined operation by operation: no contraction into fused multiply-adds.
  -ffp-contract=off)
target_include_directories(tokencycle_options INTERFACE ${CMAKE_SOURCE_DIR}/sim)
if(TOKENCYCLE_SANITIZE)
  target_compile_options(tokencycle_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    # A sixth of the compiler's time, for what the address sanitizer reports too when it happens.
    -fno-sanitize=vptr,object-size
    # GCC 12 sees uninitialised values inside <regex> when it instruments (GCC bug 105562).
    -Wno-maybe-uninitialized)
  target_link_options(tokencycle_options INTERFACE -fsanitize=address,undefined)
endif()
if(TOKENCYCLE_COVERAGE)
  # Tests too: of a header's function the linker keeps one copy, which may be a test's.
  target_compile_options(tokencycle_options INTERFACE --coverage)
  target_link_options(tokencycle_options INTERFACE --coverage)
endif()

# SystemC: the Debian library exports only its C++17 API-version symbol, so the headers are told so.
add_library(tokencycle_systemc INTERFACE)
target_link_libraries(tokencycle_systemc INTERFACE PkgConfig::SYSTEMC Threads::Threads)
target_compile_definitions(tokencycle_systemc INTERFACE SC_CPLUSPLUS=201703L)
target_include_directories(tokencycle_systemc SYSTEM INTERFACE ${SYSTEMC_INCLUDE_DIRS})

# tokencycle_library(NAME LIBS ...): the library of folder sim/NAME from all sources in and below it, except those that
# stand for a library that may be absent (cmake/Fst.cmake, cmake/Report.cmake). COLD: its code runs once a command or step, so that
# compiling it fast is worth more than running it fast.
function(tokencycle_library name)
  cmake_parse_arguments(ARG "COLD" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sim/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "sim/cli/main\\.cpp$|/waves/fst/|/absent\\.cpp$|/example/")
  list(TRANSFORM ARG_LIBS REPLACE "^SYSTEMC$" "tokencycle_systemc")
  set(target tokencycle_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC tokencycle_options ${ARG_LIBS})
    # Sources of a folder together: most of a compiler's time goes to headers and templates that all of them use.
    set_target_properties(${target} PROPERTIES UNITY_BUILD ${TOKENCYCLE_UNITY} UNITY_BUILD_BATCH_SIZE 24)
    if(TOKENCYCLE_PCH AND name STREQUAL "base")
      target_precompile_headers(${target} PRIVATE <fmt/format.h> <algorithm> <array> <cmath> <cstring> <filesystem>
        <functional> <map> <memory> <optional> <span> <stdexcept> <string> <vector>)
    elseif(TOKENCYCLE_PCH)
      target_precompile_headers(${target} REUSE_FROM tokencycle_base)  # so that all must have the same options
    elseif(ARG_COLD)
      target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE tokencycle_options ${ARG_LIBS})
  endif()
endfunction()

include(${CMAKE_SOURCE_DIR}/tests/seconds.cmake)

# tokencycle_schedule(): how ctest treats the tests of this folder, by the seconds that tests/seconds.cmake knows of each:
# the longest start first, what takes moments has the label "quick" too, and one that hangs ends.
function(tokencycle_schedule)
  get_property(tests DIRECTORY PROPERTY TESTS)
  foreach(test IN LISTS tests)
    set(seconds 1)
    foreach(entry IN LISTS TOKENCYCLE_SECONDS)
      if(entry MATCHES "^(.+)=([0-9]+)$" AND CMAKE_MATCH_1 STREQUAL test)
        set(seconds ${CMAKE_MATCH_2})
      endif()
    endforeach()
    set(labels full)
    if(seconds LESS_EQUAL TOKENCYCLE_QUICK_SECONDS)
      list(APPEND labels quick)
    endif()
    # Seconds of an idle machine; sanitizers are several times slower, and a busy machine too.
    math(EXPR timeout "600 + 20 * ${seconds}")
    set_tests_properties(${test} PROPERTIES LABELS "${labels}" COST ${seconds} TIMEOUT ${timeout})
  endforeach()
endfunction()

# tokencycle_test(NAME LIBS ...): one Catch2 program from all sources of tests/NAME. SPLIT: a test of ctest for each
# source with test cases, NAME.SOURCE, so that they run side by side; NAME.rest runs what is in none of them, so that no
# case can be left out.
function(tokencycle_test name)
  cmake_parse_arguments(ARG "SPLIT" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  set(target test_${name})
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE tokencycle_test_main ${ARG_LIBS} tokencycle_test_options)  # last: after -Wall
  target_precompile_headers(${target} REUSE_FROM tokencycle_test_headers)
  target_compile_definitions(${target} PRIVATE
    TOKENCYCLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TOKENCYCLE_BINARY="$<TARGET_FILE:tokencycle>")
  if(NOT ARG_SPLIT)
    add_test(NAME ${name} COMMAND ${target})
    return()
  endif()
  set(others "~[.]")  # cases for hand use only
  foreach(source IN LISTS sources)
    file(STRINGS ${source} cases REGEX "^TEST_CASE" LIMIT_COUNT 1)
    if(cases)
      # Catch2's -# makes the source's name a tag.
      get_filename_component(stem ${source} NAME_WE)
      string(REGEX REPLACE "_test$" "" part ${stem})
      add_test(NAME ${name}.${part} COMMAND ${target} "-#" -w NoTests "[#${stem}]~[.]")
      string(APPEND others "~[#${stem}]")
    endif()
  endforeach()
  add_test(NAME ${name}.rest COMMAND ${target} "-#" ${others})
endfunction()
