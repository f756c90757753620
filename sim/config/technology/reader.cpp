// SPDX-License-Identifier: Apache-2.0
// A technology's file, over those that it is based on, to figures at one node.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/read_file.h"
#include "config/dram/device.h"
#include "config/dram/json.h"
#include "config/json_text.h"
#include "config/technology/scaling.h"
#include "config/technology/technology.h"

namespace tokencycle::config {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMostLayers = 4, kMostNodes = 32, kMostFigures = 16, kMostSources = 16;
constexpr RealRange kNode{3, 250, "nm"}, kVoltage{0.3, 5, "V"}, kFigure{1e-9, 1e9, ""};
constexpr std::array<std::string_view, 1> kSchema = {"tokencycle-technology-1"};
constexpr std::array<std::string_view, 2> kProcesses = {"high-performance", "low-power"};

// One published figure, at its own node.
struct Figure {
  Range value;
  double node_nm = 0, voltage_v = 0;
  std::vector<std::string> sources;
};

fs::path base_of(const Json& base, const fs::path& file, const fs::path& bundled, Violations& violations) {
  const std::string name = base.is_string() ? base.get<std::string>() : "";
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (name.ends_with(".json") || name.find('/') != std::string::npos) return folder / name;
  for (const fs::path& place : {folder, bundled}) {
    std::error_code ignored;
    const fs::path at = place / (name + ".json");
    if (!name.empty() && fs::is_regular_file(at, ignored) && !fs::equivalent(at, file, ignored)) return at;
  }
  violations.add("/base",
                 fmt::format("{} is not allowed; allowed: the name of a technology beside the file "
                             "or in {}, or a path that ends in .json; {}",
                             shown_json(base), bundled.string(), suggest(name, dram_presets(bundled))));
  violations.throw_if_any();
  return {};
}

// The file's tree over its bases'.
Json tree_of(const fs::path& path, const fs::path& bundled, std::size_t depth) {
  Violations violations(shown_name(path));
  Json own = parse_text(read_description(path, "a technology", "configs/technology/"), violations);
  violations.throw_if_any();
  if (!own.is_object()) {
    violations.add("", fmt::format("the text is of type {}; it must be a technology", own.type_name()));
    violations.throw_if_any();
  }
  if (const auto schema = own.find("schema"); schema != own.end() && *schema != Json(kSchema[0])) {
    violations.add("/schema",
                   fmt::format("{} is not allowed; allowed: \"{}\"; name a technology, for example "
                               "one of configs/technology/",
                               shown_json(*schema), kSchema[0]));
    violations.throw_if_any();
  }
  if (!own.contains("base")) return own;
  if (depth == kMostLayers) {
    violations.add(
        "/base", fmt::format("more than {} bases one upon the other, or a circle; merge some", kMostLayers));
    violations.throw_if_any();
  }
  Json tree = tree_of(base_of(own["base"], path, bundled, violations), bundled, depth + 1);
  own.erase("base");
  tree.merge_patch(own);
  return tree;
}

class TechnologyReader {
 public:
  TechnologyReader(const Json& tree, Violations& violations)
      : violations_(violations), root_(&tree, "", violations) {}

  Technology read() {
    root_.take_choice("schema", kSchema);
    technology_.name = root_.take_text("name", 64).value_or("");
    technology_.description = root_.take_text("description", kLongestText).value_or("");
    technology_.node_nm = root_.take_real("node_nm", kNode).value_or(45);
    technology_.voltage_v = root_.take_real("voltage_v", kVoltage).value_or(1);
    const std::size_t process = root_.take_choice("process", kProcesses).value_or(0);
    read_sources();
    read_scaling(process);
    JsonObject figures = root_.take_object("figures");
    std::vector<std::pair<const QuantityRow*, std::vector<Figure>>> all;
    for (const QuantityRow& row : quantities()) all.emplace_back(&row, read_figures(figures, row));
    figures.finish();
    root_.finish();
    violations_.throw_if_any();
    check_operating_point();
    std::set<std::string> used;
    for (const auto& [row, list] : all) {
      technology_.values[static_cast<std::size_t>(row->quantity)] = at_node(*row, list, used);
    }
    violations_.throw_if_any();
    for (const std::string& name : used) technology_.sources.push_back(name + ": " + sources_.at(name));
    return technology_;
  }

 private:
  void read_sources() {
    JsonObject sources = root_.take_object("sources");
    for (const std::string& name : sources.take_names()) {
      JsonObject source = sources.take_object(name);
      const std::string text = source.take_text("text", kLongestText).value_or("");
      const std::string licence = source.take_text("licence", kLongestText).value_or("");
      source.finish();
      sources_[name] = fmt::format("{} ({})", text, licence);
    }
  }

  // Names of sources, each of which is there.
  std::vector<std::string> take_sources(JsonObject& object) {
    std::vector<std::string> names;
    for (const Json* value : object.take_array("sources", kMostSources)) {
      const std::string name = value->is_string() ? value->get<std::string>() : "";
      if (sources_.contains(name)) {
        names.push_back(name);
        continue;
      }
      std::vector<std::string> known;
      for (const auto& [source, text] : sources_) known.push_back(source);
      object.complain("sources",
                      fmt::format("{} is none of /sources; {}", shown_json(*value), suggest(name, known)));
    }
    return names;
  }

  void read_scaling(std::size_t process) {
    JsonObject scaling = root_.take_object("scaling");
    take_sources(scaling);
    scaling.take_text("note", kLongestText, Need::optional);
    std::vector<NodeRow> rows;
    const auto values = scaling.take_array("nodes", kMostNodes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      JsonObject object(values[i], fmt::format("/scaling/nodes/{}", i), violations_);
      NodeRow row;
      row.node_nm = object.take_real("node_nm", kNode).value_or(45);
      row.area = object.take_real("area", {1e-4, 1e4, "of the same gate, relative"}).value_or(1);
      JsonObject energy = object.take_object("energy");
      for (std::size_t p = 0; p < kProcesses.size(); ++p) {
        const auto terms = energy.take_array(std::string(kProcesses[p]), 3);
        bool three = terms.size() == 3;
        for (const Json* term : terms) three = three && term->is_number();
        if (!three) {
          energy.complain(kProcesses[p], "must be three numbers: a, b and c of a V^2 + b V + c");
        } else if (p == process) {
          for (std::size_t t = 0; t < 3; ++t) row.energy[t] = terms[t]->get<double>();
        }
      }
      energy.finish();
      object.finish();
      rows.push_back(row);
    }
    if (!rows.empty()) nodes_ = NodeTable(std::move(rows));
    JsonObject exponent = scaling.take_object("energy_exponent");
    exponent_ = exponent.take_real("value", {0, 4, ""}).value_or(1);
    take_sources(exponent);
    exponent.take_text("note", kLongestText, Need::optional);
    exponent.finish();
    scaling.finish();
  }

  std::vector<Figure> read_figures(JsonObject& figures, const QuantityRow& row) {
    std::vector<Figure> list;
    const auto values = figures.take_array(std::string(row.name), kMostFigures);
    for (std::size_t i = 0; i < values.size(); ++i) {
      JsonObject object(values[i], fmt::format("/figures/{}/{}", row.name, i), violations_);
      Figure f;
      f.node_nm = object.take_real("node_nm", kNode).value_or(45);
      f.voltage_v = object.take_real("voltage_v", kVoltage).value_or(1);
      const RealRange allowed{kFigure.min, kFigure.max, row.unit};
      f.value.low = object.take_real("low", allowed).value_or(1);
      f.value.typical = object.take_real("typical", allowed).value_or(1);
      f.value.high = object.take_real("high", allowed).value_or(2);
      f.sources = take_sources(object);
      object.take_text("range", kLongestText);
      object.finish();
      const bool ordered = f.value.low <= f.value.typical && f.value.typical <= f.value.high;
      if (!ordered || f.value.low == f.value.high) {
        object.complain("low", fmt::format("low {}, typical {}, high {} is no range; low is at most typical, "
                                           "typical at most high, and low below high",
                                           f.value.low, f.value.typical, f.value.high));
      }
      for (const Figure& other : list) {
        if (other.node_nm != f.node_nm) continue;
        object.complain(
            "node_nm",
            fmt::format("{} nm is another figure's of this list; make one range of both", f.node_nm));
      }
      list.push_back(std::move(f));
    }
    std::sort(list.begin(), list.end(),
              [](const Figure& a, const Figure& b) { return a.node_nm < b.node_nm; });
    return list;
  }

  void check_operating_point() {
    const double node = technology_.node_nm;
    if (node < nodes_.smallest() || node > nodes_.largest()) {
      violations_.add("/node_nm",
                      fmt::format("{} is not allowed; allowed: {} .. {} nm, for which /scaling has "
                                  "rows",
                                  node, nodes_.smallest(), nodes_.largest()));
    } else if (nodes_.energy(node, technology_.voltage_v) <= 0) {
      violations_.add("/voltage_v", fmt::format("{} V are outside what /scaling holds for at {} nm; use a "
                                                "voltage nearer to the node's usual one",
                                                technology_.voltage_v, node));
    }
    violations_.throw_if_any();
  }

  // What energies change by between two voltages of this node.
  double by_voltage(double from_v) const {
    const double before = nodes_.energy(technology_.node_nm, from_v);
    return before <= 0 ? 1 : nodes_.energy(technology_.node_nm, technology_.voltage_v) / before;
  }

  // Published figures on both sides: between them, both axes logarithmic.
  Range between(const Figure& below, const Figure& above, Scaling scaling) const {
    const double at = std::log(technology_.node_nm / below.node_nm) / std::log(above.node_nm / below.node_nm);
    const auto mix = [at](double a, double b) { return a * std::pow(b / a, at); };
    const Range r{mix(below.value.low, above.value.low), mix(below.value.typical, above.value.typical),
                  mix(below.value.high, above.value.high)};
    const bool energy = scaling == Scaling::energy || scaling == Scaling::leakage;
    return energy ? r * by_voltage(mix(below.voltage_v, above.voltage_v)) : r;
  }

  // Of energies: by the equations, and by the exponent that published operations show; typical between them.
  Range energy_factor(const Figure& from) const {
    const double equations = nodes_.energy(technology_.node_nm, technology_.voltage_v) /
                             nodes_.energy(from.node_nm, from.voltage_v);
    const double exponent = std::pow(technology_.node_nm / from.node_nm, exponent_);
    return {std::min(equations, exponent), std::sqrt(equations * exponent), std::max(equations, exponent)};
  }

  Range scaled(const Figure& from, Scaling scaling) const {
    const double area = nodes_.area(technology_.node_nm) / nodes_.area(from.node_nm);
    switch (scaling) {
      case Scaling::none:
        return from.value;
      case Scaling::area:
        return from.value * area;
      case Scaling::energy:
      case Scaling::leakage:
        return from.value * energy_factor(from);
      case Scaling::leakage_density:
        return from.value * (energy_factor(from) * (1 / area));
    }
    return from.value;
  }

  Range at_node(const QuantityRow& row, const std::vector<Figure>& list, std::set<std::string>& used) {
    const auto use = [&used](const Figure& f) { used.insert(f.sources.begin(), f.sources.end()); };
    const double node = technology_.node_nm;
    const auto above =
        std::find_if(list.begin(), list.end(), [&](const Figure& f) { return f.node_nm >= node; });
    if (above != list.end() && above->node_nm == node) {
      use(*above);
      const bool energy = row.scaling == Scaling::energy || row.scaling == Scaling::leakage;
      return energy ? above->value * by_voltage(above->voltage_v) : above->value;
    }
    if (above != list.begin() && above != list.end()) {
      use(*above);
      use(*std::prev(above));
      return between(*std::prev(above), *above, row.scaling);
    }
    const Figure& nearest = above == list.end() ? list.back() : *above;
    use(nearest);
    const bool scales = row.scaling != Scaling::none;
    if (scales && (nearest.node_nm < nodes_.smallest() || nearest.node_nm > nodes_.largest() ||
                   nodes_.energy(nearest.node_nm, nearest.voltage_v) <= 0)) {
      violations_.add(fmt::format("/figures/{}", row.name),
                      fmt::format("its figure at {} nm and {} V is outside what /scaling holds for",
                                  nearest.node_nm, nearest.voltage_v));
      return nearest.value;
    }
    return scaled(nearest, row.scaling);
  }

  Violations& violations_;
  JsonObject root_;
  Technology technology_;
  NodeTable nodes_;
  double exponent_ = 1;
  std::map<std::string, std::string> sources_;
};

}  // namespace

Technology read_technology(const fs::path& path, const fs::path& bundled) {
  const Json tree = tree_of(path, bundled, 0);
  Violations violations(shown_name(path));
  Technology technology = TechnologyReader(tree, violations).read();
  technology.digest = json_digest(tree);
  return technology;
}

}  // namespace tokencycle::config
