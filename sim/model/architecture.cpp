// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.h"

#include <fmt/format.h>

#include "model/architectures/architectures.h"
#include "model/architectures/parts.h"

namespace tokencycle::model {

LlamaModel::LlamaModel(GgufFile file, std::optional<RopePairs> rope_pairs) : file_(std::move(file)) {
  const Architecture& architecture = architecture_of(file_);
  shape_ = read_hyperparameters(file_, architecture, rope_pairs);
  WeightLoader loader(file_);
  const std::vector<float> factors = loader.rope_factors(shape_.rope_dims / 2);
  GraphBuilder builder(graph_, loader);
  architecture.build(builder, shape_);
  loader.refuse_unused(architecture.name);
  verify(graph_);
  if (file_.data() == TensorData::present) rope_table_ = make_rope_table(shape_, factors);
  file_.check_whole();
}

Format LlamaModel::matrix_format() const {
  for (const Operator& op : graph_.operators) {
    if (op.kind == OperatorKind::linear) return op.weight->format;
  }
  return Format::f32;
}

}  // namespace tokencycle::model
