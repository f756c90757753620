// SPDX-License-Identifier: Apache-2.0
// What the generations of Gemma share.
#pragma once

#include "model/architectures/architectures.h"

namespace tokencycle::model {

// Norms before and behind attention and feed-forward; head_norm: also of each head of queries and keys.
void build_gemma_layers(GraphBuilder& g, const Hyperparameters& shape, bool head_norm);
float gemma_attention_scale(const Hyperparameters& shape, std::uint32_t layers_of_27b);
// Refuses a query_pre_attn_scalar other than the one that a converted file implies.
void check_gemma_scale(const ConfigObject& config, const Hyperparameters& shape, std::uint32_t layers_of_27b);

}  // namespace tokencycle::model
