// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: programs and checkpoints.
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "cli/print/inspect.h"
#include "host/checkpoint_file.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

Inspected inspect_program(const isa::Program& p, const std::string& source) {
  Inspected out;
  out.text =
      fmt::format("program    {}\n           {} words ({}), digest {}\n           machine: {}\n", source,
                  with_separators(p.words.size()), bytes_text(p.words.size() * isa::kWordBytes), p.digest(),
                  p.machine.empty() ? "any" : p.machine);
  Json instructions = Json::array(), operators = Json::array(), data = Json::array();
  std::map<std::string, std::uint64_t> by_opcode;
  for (const isa::Word& w : p.words) ++by_opcode[std::string(isa::name_of(isa::decode(w).op))];
  out.text += "\nwords by instruction\n";
  for (const auto& [name, count] : by_opcode) {
    out.text += fmt::format("  {:<14} {:>10}\n", name, with_separators(count));
    instructions.push_back({{"instruction", name}, {"words", count}});
  }
  std::vector<std::uint64_t> words(p.operators.size());
  for (const isa::Section& s : p.sections) words[s.operator_id] += s.count;
  if (!p.operators.empty()) out.text += "\nwords by operator\n";
  for (std::size_t i = 0; i < words.size(); ++i) {
    out.text += fmt::format("  {:<24} {:>10}\n", p.operators[i].name, with_separators(words[i]));
    operators.push_back(
        {{"name", p.operators[i].name}, {"layer", p.operators[i].layer}, {"words", words[i]}});
  }
  for (const isa::DataSegment& d : p.data) {
    out.text += fmt::format("data at 0x{:x}: {} bytes\n", d.address.value, with_separators(d.bytes.size()));
    data.push_back({{"address", d.address.value}, {"bytes", d.bytes.size()}});
  }
  out.document = {{{"schema", "tokencycle-inspection-1"},
                   {"kind", "program"},
                   {"file", source},
                   {"words", p.words.size()},
                   {"digest", p.digest()},
                   {"machine", p.machine.empty() ? Json() : Json(p.machine)},
                   {"instructions", instructions},
                   {"operators", operators},
                   {"data", data}},
                  "instructions"};
  return out;
}

Inspected inspect_checkpoint(const std::filesystem::path& path) {
  Inspected out;
  host::read_checkpoint(path, [&](const Json& header, std::istream&) {
    const Json& run = header.at("run");
    const Json& settings = run.at("settings");
    const auto text = [](const Json& value) { return printable(value.get<std::string>(), 200); };
    const auto number = [&](const char* key) { return with_separators(header.at(key).get<std::uint64_t>()); };
    const bool own = header.at("build") == host::program_file_digest();
    out.text = fmt::format("checkpoint {}\n           written by {} build of tokencycle (version {})\n",
                           path.string(), own ? "this" : "another", text(header.at("version")));
    out.text +=
        fmt::format("model      digest {}\nmachine    {}\nreached    step {}, {} new tokens, cycle {}\n",
                    text(run.at("model").at("digest")), text(run.at("configuration").at("name")),
                    number("steps"), number("tokens"), number("cycle"));
    out.text += "\nsettings\n";
    for (const auto& [key, value] : settings.items()) {
      out.text += fmt::format("  {:<26} {}\n", key, value.dump());
    }
    out.document.json = {{"schema", "tokencycle-inspection-1"},
                         {"kind", "checkpoint"},
                         {"file", path.string()},
                         {"version", header.at("version")},
                         {"this_build", own},
                         {"model_digest", run.at("model").at("digest")},
                         {"machine", run.at("configuration").at("name")},
                         {"steps", header.at("steps")},
                         {"new_tokens", header.at("tokens")},
                         {"cycle", header.at("cycle")},
                         {"settings", settings}};
  });
  return out;
}

}  // namespace tokencycle::cli
