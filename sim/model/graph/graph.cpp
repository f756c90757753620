// SPDX-License-Identifier: Apache-2.0
#include "model/graph/graph.h"

#include <algorithm>
#include <stdexcept>

namespace tokencycle::model {

std::string_view name_of(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::gather_rows:
      return "gather_rows";
    case OperatorKind::position_rows:
      return "position_rows";
    case OperatorKind::linear:
      return "linear";
    case OperatorKind::norm:
      return "norm";
    case OperatorKind::map:
      return "map";
    case OperatorKind::zip:
      return "zip";
    case OperatorKind::rotary:
      return "rotary";
    case OperatorKind::append:
      return "append";
    case OperatorKind::attention:
      return "attention";
    case OperatorKind::softmax:
      return "softmax";
    case OperatorKind::top_k:
      return "top_k";
    case OperatorKind::take:
      return "take";
    case OperatorKind::normalize:
      return "normalize";
    case OperatorKind::expert_linear:
      return "expert_linear";
    case OperatorKind::weighted_sum:
      return "weighted_sum";
    case OperatorKind::convolution:
      return "convolution";
    case OperatorKind::zip_row:
      return "zip_row";
    case OperatorKind::delta_rule:
      return "delta_rule";
    case OperatorKind::columns:
      return "columns";
    case OperatorKind::join:
      return "join";
    case OperatorKind::part_linear:
      return "part_linear";
    case OperatorKind::keep_groups:
      return "keep_groups";
    case OperatorKind::cell:
      return "cell";
    case OperatorKind::take_row:
      return "take_row";
    case OperatorKind::scale_parts:
      return "scale_parts";
    case OperatorKind::read_rows:
      return "read_rows";
  }
  return "?";
}

Weight Weight::slice(std::uint32_t first, std::uint32_t count) const {
  const std::uint64_t bytes = row_bytes(format, cols);
  Weight part{name, format, count, cols, offset + first * bytes, {}, experts};
  if (experts > 1) part.stride = matrix_stride();
  const std::uint64_t before_last = (experts - 1) * part.stride;
  if (!data.empty()) part.data = data.subspan(first * bytes, before_last + count * bytes);
  return part;
}

Weight Weight::columns(std::uint32_t first, std::uint32_t count) const {
  const std::uint64_t bytes = block_bytes(format);
  Weight part{name, format, rows, count, offset + first * bytes, {}};
  if (!data.empty()) part.data = data.subspan(first * bytes, count * bytes);
  return part;
}

ValueId Graph::input() const {
  for (ValueId v = 0; v < values.size(); ++v) {
    if (values[v].kind == ValueKind::input) return v;
  }
  throw std::out_of_range("the graph has no input");
}

bool Graph::bidirectional() const {
  return std::any_of(operators.begin(), operators.end(), [](const Operator& op) {
    return op.kind == OperatorKind::attention && !op.attention.causal;
  });
}

const Operator& Graph::find(std::string_view name) const {
  const auto at = std::find_if(operators.begin(), operators.end(),
                               [name](const Operator& op) { return op.name == name; });
  if (at == operators.end()) throw std::out_of_range("no operator of this name: " + std::string(name));
  return *at;
}

std::vector<std::uint32_t> Graph::readers(ValueId value) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < operators.size(); ++i) {
    const std::vector<ValueId>& inputs = operators[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) found.push_back(i);
  }
  return found;
}

}  // namespace tokencycle::model
