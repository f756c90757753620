// SPDX-License-Identifier: Apache-2.0
// Parts that encoders share: models whose rows see each other in both directions and whose last row is read.
#pragma once

#include <string_view>
#include <vector>

#include "model/architectures/parts.h"

namespace tokencycle::model {

class Encoder {
 public:
  Encoder(GraphBuilder& g, const Hyperparameters& s) : g_(g), s_(s) {}

  // The states of all layers, which are behind the graph's input.
  void begin();
  // x and the learned position of each row; `input`: the graph's.
  ValueId positions(ValueId x, ValueId input);
  // Norm, attention, residual, norm, feed-forward network with GELU, residual.
  ValueId layer(std::uint32_t i, ValueId x);
  // Norm and the classes of the last row.
  void finish(ValueId x);

 private:
  ValueId add(std::string_view name, ValueId x, ValueId y) { return g_.zip(name, ZipFunction::add, x, y); }
  ValueId norm(std::string_view name, ValueId x) {
    return g_.norm(name, x, {NormKind::layer, 0, s_.norm_epsilon});
  }
  ValueId attend(std::uint32_t i, ValueId h);

  GraphBuilder& g_;
  const Hyperparameters& s_;
  std::vector<ValueId> keys_, values_;
};

// The classes, which are the rows of cls.output.weight, and their labels, "classifier.output_labels"; refuses
// heads that do not share the width.
void read_classes(const Metadata& m, Hyperparameters& s);

}  // namespace tokencycle::model
