// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"

#include <fmt/format.h>

#include "base/error.h"
#include "model/architectures/architectures.h"
#include "model/architectures/parts.h"

namespace tokencycle::model {

LlamaModel::LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs, std::uint32_t context)
    : file_(std::move(file)) {
  const Architecture& architecture = architecture_of(file_);
  shape_ = read_hyperparameters(file_, architecture, rope_pairs, context);
  WeightLoader loader(file_);
  set_rotary_angles(shape_, loader.rope_factors(shape_));
  GraphBuilder builder(graph_, loader);
  architecture.build(builder, shape_);
  loader.refuse_unused(architecture.name, shape_.layers, shape_.layers_beside);
  verify(graph_);
  for (const auto& [constant, table] : graph_.rotary_tables) {
    rotary_tables_[constant] = file_.data() == TensorData::present
                                   ? make_rotary_table(table, shape_.run_context)
                                   : std::vector<float>();
  }
  file_.check_whole();
}

Format LlamaModel::matrix_format() const {
  for (const Operator& op : graph_.operators) {
    if (op.kind == OperatorKind::linear) return op.weight->format;
  }
  return Format::f32;
}

void require_generative(const LlamaModel& model) {
  if (!model.graph().bidirectional()) return;
  throw UsageError(fmt::format(
      "{}: a model of architecture {} generates nothing; give its input to the command that is for it: see "
      "(images) or classify (texts)",
      model.file().path().string(), model.shape().architecture));
}

}  // namespace tokencycle::model
