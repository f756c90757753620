# SPDX-License-Identifier: Apache-2.0
# TOKENCYCLE_BUILT: what another build folder installs, component by component, is what this one installs. A wheel can so
# have the program that is built anyway.
if(NOT EXISTS ${TOKENCYCLE_BUILT}/cmake_install.cmake)
  message(FATAL_ERROR "TOKENCYCLE_BUILT is ${TOKENCYCLE_BUILT}, which is no build folder; name one, such as build/release")
endif()
add_custom_target(tokencycle)
add_custom_target(tokencycle_pages)
foreach(component Unspecified libraries)
  install(CODE "execute_process(COMMAND ${CMAKE_COMMAND} --install ${TOKENCYCLE_BUILT} --strip
    --prefix \${CMAKE_INSTALL_PREFIX} --component ${component} COMMAND_ERROR_IS_FATAL ANY)" COMPONENT ${component})
endforeach()
