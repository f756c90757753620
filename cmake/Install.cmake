# SPDX-License-Identifier: Apache-2.0
# `cmake --install BUILD --prefix FOLDER`: a tree that runs from anywhere (sim/host/home.h finds share/ beside bin/).
# `cpack -B FOLDER --config BUILD/CPackConfig.cmake`: the same as a Debian package and as a tarball.
# A Debian package names the packages of the libraries that it needs; the tarball brings them along in lib/tokencycle, all
# but those of the C library, so that it runs wherever that is as new as here.
set_target_properties(tokencycle PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/tokencycle")
install(TARGETS tokencycle RUNTIME_DEPENDENCY_SET tokencycle_libraries RUNTIME DESTINATION bin)
install(RUNTIME_DEPENDENCY_SET tokencycle_libraries
        PRE_EXCLUDE_REGEXES "^ld-linux" "^libc\\.so" "^libm\\.so" "^libpthread" "^libdl" "^librt"
        LIBRARY DESTINATION lib/tokencycle COMPONENT libraries EXCLUDE_FROM_ALL)
# Made by the program itself, from the table of its options.
set(generated ${CMAKE_BINARY_DIR}/generated)
add_custom_command(OUTPUT ${generated}/tokencycle.1 ${generated}/tokencycle.bash ${generated}/_tokencycle
  COMMAND $<TARGET_FILE:tokencycle> man > ${generated}/tokencycle.1
  COMMAND $<TARGET_FILE:tokencycle> completion bash > ${generated}/tokencycle.bash
  COMMAND $<TARGET_FILE:tokencycle> completion zsh > ${generated}/_tokencycle
  DEPENDS tokencycle VERBATIM)
add_custom_target(tokencycle_pages ALL DEPENDS ${generated}/tokencycle.1)
install(FILES ${generated}/tokencycle.1 DESTINATION share/man/man1)
install(FILES ${generated}/tokencycle.bash DESTINATION share/bash-completion/completions RENAME tokencycle)
install(FILES ${generated}/_tokencycle DESTINATION share/zsh/site-functions)
install(DIRECTORY configs models DESTINATION share/tokencycle FILES_MATCHING PATTERN "*.json" PATTERN "*.gguf"
        PATTERN "*.txt" PATTERN "*.md")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/tokencycle)

# The DRAM's TLM socket for SystemC models of others: one header, and the libraries below it.
set(tlm_libraries tlm memory observe config isa numerics base)
list(TRANSFORM tlm_libraries PREPEND tokencycle_ OUTPUT_VARIABLE tlm_targets)
list(APPEND tlm_targets tokencycle_fst)
if(TARGET tokencycle_fst_library)
  list(APPEND tlm_targets tokencycle_fst_library)
endif()
install(TARGETS ${tlm_targets} ARCHIVE DESTINATION lib COMPONENT development)
list(TRANSFORM tlm_targets PREPEND -l)
list(JOIN tlm_targets " " TLM_LIBRARIES)
install(FILES sim/tlm/dram_target_shell.h DESTINATION include/tokencycle/tlm COMPONENT development)
configure_file(cmake/tokencycle-tlm.pc.in ${generated}/tokencycle-tlm.pc @ONLY)
install(FILES ${generated}/tokencycle-tlm.pc DESTINATION lib/pkgconfig COMPONENT development)

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME tokencycle)
set(CPACK_PACKAGE_CONTACT "the tokencycle maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "cycle-accurate simulator of an accelerator for language models")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION electronics)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/CPackGenerators.cmake)
set(CPACK_TOKENCYCLE_BUILD ${CMAKE_BINARY_DIR})
include(CPack)
