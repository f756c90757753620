# SPDX-License-Identifier: Apache-2.0
# `cmake --install BUILD --prefix FOLDER`: a tree that runs from anywhere (sim/host/home.h finds share/ beside bin/).
# `cpack -B FOLDER --config BUILD/CPackConfig.cmake`: the same as a Debian package and as a tarball.
install(TARGETS tokencycle RUNTIME DESTINATION bin)
install(DIRECTORY configs models DESTINATION share/tokencycle FILES_MATCHING PATTERN "*.json" PATTERN "*.gguf"
        PATTERN "*.txt" PATTERN "*.md")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/tokencycle)

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
include(CPack)
