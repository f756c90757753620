# SPDX-License-Identifier: Apache-2.0
# cmake -DFILES="NAME=FILE;..." -DOUT=FILE -P Embed.cmake: writes a C++ source with a function for each file's text.
set(source "// Written by cmake/Embed.cmake.\n#include \"explore/page/assets.h\"\n\nnamespace tokencycle::explore {\n")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([a-z_]+)=(.*)$" matched "${entry}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" text)
  if(text MATCHES "</[sS][cCtT][rRyY]|\\)embedded\"")
    message(FATAL_ERROR "${CMAKE_MATCH_2}: holds the end of a script, a style or a literal, so it cannot be embedded")
  endif()
  string(APPEND source "\nstd::string_view ${name}() {\n  return R\"embedded(${text})embedded\";\n}\n")
endforeach()
string(APPEND source "\n}  // namespace tokencycle::explore\n")
file(WRITE ${OUT} "${source}")
