// SPDX-License-Identifier: Apache-2.0
// In place of the embedded files where the chart library is not there.
#include "base/error.h"
#include "explore/page/assets.h"

namespace tokencycle::explore {

namespace {

[[noreturn]] std::string_view refuse() {
  throw UsageError(
      "this program was built without uPlot, the chart library of reports; run scripts/npm_packages.sh, "
      "configure and build again; `tokencycle compare` prints its table without it");
}

}  // namespace

std::string_view page_css() {
  refuse();
}
std::string_view charts_css() {
  refuse();
}
std::string_view print_css() {
  refuse();
}
std::string_view page_js() {
  refuse();
}
std::string_view timeline_js() {
  refuse();
}
std::string_view pipeline_view_js() {
  refuse();
}
std::string_view pipeline_js() {
  refuse();
}
std::string_view sweep_css() {
  refuse();
}
std::string_view sweep_js() {
  refuse();
}
std::string_view uplot_css() {
  refuse();
}
std::string_view uplot_js() {
  refuse();
}
std::string_view uplot_licence() {
  refuse();
}

}  // namespace tokencycle::explore
