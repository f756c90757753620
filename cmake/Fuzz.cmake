# SPDX-License-Identifier: Apache-2.0
# tests/fuzz: the readers under libFuzzer (option TOKENCYCLE_FUZZ, clang), and in every build with tests fuzz_replay,
# which feeds the same functions without it.

set(fuzz_folder ${CMAKE_SOURCE_DIR}/tests/fuzz)
# Of sim/memory, sim/explore and sim/observe the readers alone: what is around them belongs to the machine and to pages.
set(fuzz_sources target target_gguf target_tokenizer target_configuration target_program target_trace target_result target_image target_mail
  support gguf_document gguf_changes json_changes)
list(TRANSFORM fuzz_sources REPLACE "(.+)" "${fuzz_folder}/\\1.cpp")
list(APPEND fuzz_sources ${CMAKE_SOURCE_DIR}/tests/support/gguf_writer.cpp
  ${CMAKE_SOURCE_DIR}/tests/support/random_blocks.cpp ${CMAKE_SOURCE_DIR}/tests/support/synthetic_model.cpp
  ${CMAKE_SOURCE_DIR}/tests/isa/random_program.cpp
  ${CMAKE_SOURCE_DIR}/sim/memory/dram/trace.cpp ${CMAKE_SOURCE_DIR}/sim/memory/dram/trace_form.cpp
  ${CMAKE_SOURCE_DIR}/sim/observe/event.cpp
  ${CMAKE_SOURCE_DIR}/sim/observe/analysis/cycle_stack.cpp)
foreach(name document node series technology text tokens)
  list(APPEND fuzz_sources ${CMAKE_SOURCE_DIR}/sim/explore/result/${name}.cpp)
endforeach()

add_library(tokencycle_fuzz_targets STATIC EXCLUDE_FROM_ALL ${fuzz_sources})
target_link_libraries(tokencycle_fuzz_targets PUBLIC tokencycle_model tokencycle_config tokencycle_isa ZLIB::ZLIB)
target_include_directories(tokencycle_fuzz_targets PUBLIC ${CMAKE_SOURCE_DIR}/tests)
target_compile_definitions(tokencycle_fuzz_targets PRIVATE TOKENCYCLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

add_executable(fuzz_replay EXCLUDE_FROM_ALL ${fuzz_folder}/replay.cpp)
target_link_libraries(fuzz_replay PRIVATE tokencycle_fuzz_targets)

if(TOKENCYCLE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TOKENCYCLE_FUZZ needs clang (Debian: clang-16, libclang-rt-16-dev); "
      "configure with `cmake --preset fuzz`")
  endif()
  set(fuzz_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # What a search has to see: every branch of the readers, and no leaks of a run that was cut off.
  target_compile_options(tokencycle_options INTERFACE ${fuzz_flags} -fsanitize=fuzzer-no-link)
  target_link_options(tokencycle_options INTERFACE ${fuzz_flags})

  add_executable(fuzz_seeds ${fuzz_folder}/seeds.cpp)
  target_link_libraries(fuzz_seeds PRIVATE tokencycle_fuzz_targets)
  add_custom_target(fuzz DEPENDS fuzz_seeds fuzz_replay)
  foreach(name gguf tokenizer configuration assembler program trace result image mail)
    add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${fuzz_folder}/engine.cpp)
    target_link_libraries(fuzz_${name} PRIVATE tokencycle_fuzz_targets)
    target_compile_definitions(fuzz_${name} PRIVATE TOKENCYCLE_FUZZ_TARGET="${name}")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz fuzz_${name})
  endforeach()
endif()

if(TOKENCYCLE_TESTS)
  set_target_properties(fuzz_replay PROPERTIES EXCLUDE_FROM_ALL OFF)
  # What was found once, then always the same changes; the bound on the time is for slow machines.
  add_test(NAME fuzz_replay COMMAND fuzz_replay --mutations 2000 --seconds 60 ${fuzz_folder}/found)
  tokencycle_schedule()
endif()
