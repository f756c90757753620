# SPDX-License-Identifier: Apache-2.0
# What differs between packages (read by cpack): the tarball has the libraries too, and no /usr.
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_INSTALL_CMAKE_PROJECTS "${CPACK_TOKENCYCLE_BUILD};tokencycle;Unspecified;/"
                                   "${CPACK_TOKENCYCLE_BUILD};tokencycle;development;/"
                                   "${CPACK_TOKENCYCLE_BUILD};tokencycle;libraries;/")
  set(CPACK_PACKAGING_INSTALL_PREFIX "")
endif()
