# SPDX-License-Identifier: Apache-2.0
# tokencycle_fst: GTKWave's FST library. Debian ships its sources with Verilator; without them FST files are
# refused at run time, by name.

find_path(GTKWAVE_FST_SOURCES fstapi.c PATHS /usr/share/verilator/include/gtkwave
  /usr/local/share/verilator/include/gtkwave NO_DEFAULT_PATH)
if(GTKWAVE_FST_SOURCES)
  # Foreign code: neither our warnings nor our sanitizers.
  add_library(tokencycle_fst_library STATIC ${CMAKE_SOURCE_DIR}/sim/observe/waves/fst/library.cpp)
  target_include_directories(tokencycle_fst_library SYSTEM PUBLIC ${GTKWAVE_FST_SOURCES})
  target_include_directories(tokencycle_fst_library PRIVATE ${CMAKE_SOURCE_DIR}/sim)
  target_compile_options(tokencycle_fst_library PRIVATE -w)
  target_link_libraries(tokencycle_fst_library PUBLIC ZLIB::ZLIB)
  add_library(tokencycle_fst STATIC ${CMAKE_SOURCE_DIR}/sim/observe/waves/fst/file.cpp)
  target_link_libraries(tokencycle_fst PUBLIC tokencycle_base PRIVATE tokencycle_fst_library)
else()
  message(STATUS "GTKWave's fstapi.c not found (Debian: verilator): traces in FST will be refused")
  add_library(tokencycle_fst STATIC ${CMAKE_SOURCE_DIR}/sim/observe/waves/fst/absent.cpp)
  target_link_libraries(tokencycle_fst PUBLIC tokencycle_base)
endif()
