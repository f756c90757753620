# SPDX-License-Identifier: Apache-2.0
# tokencycle_report_assets: the style, scripts and chart library of the report's page, compiled in. The chart library
# is uPlot from npm (scripts/npm_packages.sh); without it reports are refused at run time, by name.

set(TOKENCYCLE_UPLOT ${CMAKE_SOURCE_DIR}/build/npm/uplot CACHE PATH "Folder of the npm package uplot")
set(report_assets ${CMAKE_SOURCE_DIR}/sim/explore/page/assets)
if(EXISTS ${TOKENCYCLE_UPLOT}/dist/uPlot.iife.min.js)
  # NAME=FILE: each is a function of sim/explore/page/assets.h.
  set(embedded
    page_css=${report_assets}/page.css charts_css=${report_assets}/charts.css print_css=${report_assets}/print.css
    sweep_css=${report_assets}/sweep.css sweep_js=${report_assets}/sweep.js
    page_js=${report_assets}/page.js timeline_js=${report_assets}/timeline.js
    pipeline_view_js=${report_assets}/pipeline_view.js pipeline_js=${report_assets}/pipeline.js
    uplot_css=${TOKENCYCLE_UPLOT}/dist/uPlot.min.css uplot_js=${TOKENCYCLE_UPLOT}/dist/uPlot.iife.min.js
    uplot_licence=${TOKENCYCLE_UPLOT}/LICENSE)
  list(TRANSFORM embedded REPLACE "^[a-z_]*=" "" OUTPUT_VARIABLE embedded_files)
  set(embedded_source ${CMAKE_BINARY_DIR}/generated/report_assets.cpp)
  add_custom_command(OUTPUT ${embedded_source}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${embedded}" -DOUT=${embedded_source} -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${embedded_files} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake VERBATIM)
  add_library(tokencycle_report_assets STATIC ${embedded_source})
else()
  message(STATUS "uPlot not found in ${TOKENCYCLE_UPLOT} (scripts/npm_packages.sh fetches it): reports will be refused")
  add_library(tokencycle_report_assets STATIC ${CMAKE_SOURCE_DIR}/sim/explore/page/absent.cpp)
endif()
target_link_libraries(tokencycle_report_assets PUBLIC tokencycle_options tokencycle_base)
