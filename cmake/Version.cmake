# SPDX-License-Identifier: Apache-2.0
# What `tokencycle --version` says: a source of its own, which alone is compiled again when it changes.
set(commit "")
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD
                  OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit " (commit ${hash})")
    # The reflog grows with each commit and each change of branch.
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} rev-parse --git-path logs/HEAD
                    OUTPUT_VARIABLE reflog OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    cmake_path(ABSOLUTE_PATH reflog BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
    if(EXISTS ${reflog})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${reflog})
    endif()
  endif()
endif()
string(CONCAT built_with "SystemC ${SYSTEMC_VERSION}, Boost ${Boost_VERSION_STRING}, {fmt} ${fmt_VERSION}, "
  "JSON for Modern C++ ${nlohmann_json_VERSION}, zlib ${ZLIB_VERSION_STRING}, PCRE2 ${PCRE2_VERSION}, "
  "xxHash ${XXHASH_VERSION}; ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}")
set(version_source ${CMAKE_BINARY_DIR}/generated/version.cpp)
configure_file(cmake/version.cpp.in ${version_source} @ONLY)
target_sources(tokencycle_cli PRIVATE ${version_source})
set_source_files_properties(${version_source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
