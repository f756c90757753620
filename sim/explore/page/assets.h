// SPDX-License-Identifier: Apache-2.0
// The files that every report's page holds as they are (cmake/Report.cmake compiles them in). Each throws
// UsageError where the program was built without the chart library.
#pragma once

#include <string_view>

namespace tokencycle::explore {

// sim/explore/assets/
std::string_view page_css();
std::string_view charts_css();
std::string_view print_css();
std::string_view sweep_css();
std::string_view page_js();
std::string_view timeline_js();
std::string_view pipeline_view_js();
std::string_view pipeline_js();
std::string_view sweep_js();
// uPlot, the chart library
std::string_view uplot_css();
std::string_view uplot_js();
std::string_view uplot_licence();

}  // namespace tokencycle::explore
