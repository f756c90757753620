// SPDX-License-Identifier: Apache-2.0
// tokencycle dram: a trace of memory requests on a DRAM.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/document.h"
#include "cli/options.h"
#include "cli/output_files.h"
#include "cli/print/dram.h"
#include "cli/print/dram_commands_csv.h"
#include "cli/standard_output.h"
#include "cli/terminal/live_view.h"
#include "config/json_text.h"
#include "host/places.h"
#include "memory/dram/trace.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

OptionParser dram_parser() {
  OptionParser parser(
      "dram -c DRAM [TRACE] [options]",
      "Sends the requests of a trace to a DRAM, as fast as its queues take them or at the clocks given.\n"
      "TRACE, plain or gzipped, or standard input, has one line \"R|W ADDRESS [CLOCK]\" per request, or\n"
      "is a text trace of Ramulator, DRAMsim3, DRAMSys or gem5 (traces/README.md).",
      "tokencycle dram -c ddr4-3200 traces/dram/sample.trace");
  auto add = parser.add();
  add("config,c", po::value<std::string>(), "memory: preset in configs/dram/, or a file");
  add("trace", po::value<std::string>(), "requests; - is standard input");
  add("request-bytes", po::value<long long>()->default_value(64),
      "of a request without a size: a power of two");
  add("wrap", po::bool_switch(), "take addresses beyond the memory modulo its size");
  add("commands", po::value<std::string>(), "write every command to this CSV file (.gz: gzipped)");
  add_output_forms(parser, "field");
  parser.more("Without a trace")("stride", po::value<std::string>(),
                                 "reads of every STRIDE-th byte, from 0 on")(
      "requests", po::value<std::string>(), "with --stride: how many (default: 16384)");
  parser.positional("trace", 1);
  return parser;
}

namespace {

// A machine has a memory of its own inside; what is asked for here is a description of a DRAM.
void refuse_machine(const std::filesystem::path& path) {
  const std::string text = config::read_description(path, "a memory's description", "configs/dram/");
  const auto tree = nlohmann::json::parse(text, nullptr, false);
  if (!tree.is_object() || tree.value("schema", nlohmann::json()) != "tokencycle-machine-1") return;
  throw ConfigurationError(fmt::format(
      "{}: that is a machine's description, not a memory's; give one of configs/dram/ (\"ddr4-3200\"), "
      "or a file as configs/dram/README.md describes it",
      path.string()));
}

config::DramSystem system_of(const OptionParser& parser) {
  const std::filesystem::path path = host::find_dram(parser.require("config"));
  refuse_machine(path);
  return config::read_dram_system(path, host::dram_presets_folder());
}

std::string trace_of(const OptionParser& parser) {
  if (parser.has("trace")) return parser.get<std::string>("trace");
  if (::isatty(STDIN_FILENO) == 0) return "-";
  throw UsageError("TRACE is missing: name a file of requests, or send them to standard input");
}

// Reads at 0, stride, 2 x stride ...
class StridedReads : public memory::DramRequestSource {
 public:
  StridedReads(std::uint64_t stride, std::uint64_t requests) : stride_(stride), left_(requests) {}
  bool next(memory::DramRequestAt& request) override {
    if (left_ == 0) return false;
    --left_;
    request = {};
    request.address = address_;
    address_ += stride_;
    return true;
  }

 private:
  std::uint64_t stride_, left_, address_ = 0;
};

StridedReads strided_reads(const OptionParser& parser, const config::DramSystem& system) {
  const std::uint64_t stride = parser.unsigned_number("stride");
  const std::uint64_t requests = parser.has("requests") ? parser.unsigned_number("requests") : 16384;
  const auto bytes = static_cast<std::uint64_t>(parser.count("request-bytes"));
  const std::uint64_t capacity = system.channels * system.device.channel_bytes();
  if (parser.has("trace"))
    throw UsageError("--stride says which requests there are; a trace does not go with it");
  if (requests == 0) throw UsageError("--requests is 0; it must be at least 1");
  if (stride % bytes != 0)
    throw UsageError(
        fmt::format("--stride is {}; it must be a multiple of --request-bytes, {}", stride, bytes));
  if (bytes > capacity || (stride != 0 && requests - 1 > (capacity - bytes) / stride))
    throw UsageError(fmt::format("--requests is {}: the memory of {} has no room for so many every {} bytes",
                                 with_separators(requests), bytes_text(capacity), with_separators(stride)));
  return {stride, requests};
}

// The requests of a trace, shown while they go by.
class ShownRequests : public memory::DramRequestSource {
 public:
  explicit ShownRequests(memory::DramRequestSource& source) : source_(source), live_(live_mode(false)) {
    live_.set_unit("requests");
  }
  bool next(memory::DramRequestAt& request) override {
    if (++requests_ % kEvery == 0) live_.update(requests_);
    if (source_.next(request)) return true;
    live_.end();
    return false;
  }

 private:
  static constexpr std::uint64_t kEvery = 4096;  // some milliseconds
  memory::DramRequestSource& source_;
  LiveView live_;
  std::uint64_t requests_ = 0;
};

}  // namespace

ExitCode dram_command(const Arguments& arguments) {
  OptionParser parser = dram_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const OutputForm form = output_form(parser);
  const bool strided = parser.has("stride");
  if (parser.has("requests") && !strided) throw UsageError("--requests goes with --stride; add it");
  config::DramSystem system = system_of(parser);
  std::optional<StridedReads> reads;
  if (strided) reads.emplace(strided_reads(parser, system));
  DramRun run{std::move(system), strided ? "" : trace_of(parser), {}, nullptr, 0, 0};
  check_outputs(named_outputs(parser, {"commands"}), {host::find_dram(parser.require("config")), run.trace});
  const memory::DramReplayOptions options{parser.count("request-bytes")};
  const auto begin = std::chrono::steady_clock::now();
  std::optional<memory::DramTraceReader> trace;
  if (!strided) {
    trace.emplace(run.trace, memory::DramTraceOptions{run.system.channels * run.system.device.channel_bytes(),
                                                      run.system.device.tck_ps, parser.get<bool>("wrap")});
  }
  std::optional<DramCommandsCsv> commands;
  if (parser.has("commands")) commands.emplace(parser.get<std::string>("commands"), run.system.device);
  memory::DramRequestSource* source = trace ? static_cast<memory::DramRequestSource*>(&*trace) : &*reads;
  ShownRequests shown(*source);
  run.result = memory::replay(run.system, shown, options, commands ? &*commands : nullptr);
  if (commands) commands->finish();
  if (trace) {
    run.form = &trace->form();
    run.wrapped = trace->wrapped();
  } else {
    run.trace = fmt::format("reads every {} bytes", with_separators(parser.unsigned_number("stride")));
    run.form = memory::dram_trace_forms().data();
  }
  run.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print_now(form == OutputForm::text ? dram_table(run) : document_text({dram_json(run), ""}, form));
  return ExitCode::success;
}

}  // namespace tokencycle::cli
