// SPDX-License-Identifier: Apache-2.0
// What a model asks of a machine, as a few numbers: the input of the scratchpad plan.
#pragma once

#include <cstdint>

#include "config/machine.h"
#include "model/architecture.h"

namespace tokencycle::compiler {

struct Demands {
  model::Hyperparameters shape;
  Format kv_format = Format::f16;
  std::uint32_t group = 1;  // query heads of one KV head

  // Activation formats that the projections behind each of these fp32 rows ask for.
  FormatSet attention_input;             // q, k, v
  FormatSet attention_result;            // attn_output
  FormatSet feed_input;                  // gate, up
  FormatSet feed_result;                 // down
  std::uint32_t feed_cut = kPlainGroup;  // columns of it that can be encoded apart: a multiple of this
  FormatSet head_input;                  // output

  std::uint32_t embedding_row_bytes = 0;  // of the table as stored
  Format embedding_format = Format::f32;
  std::uint32_t gain_bytes = 0;          // the largest norm gain as stored
  bool gains_converted = false;          // some gain is not fp32
  std::uint32_t smallest_rectangle = 0;  // bytes: the least part of one row of the weight that needs most
  std::uint32_t widest_tile = 0;         // bytes: whole rows, one for each array column, of that weight

  // From the machine.
  std::uint32_t columns = 0;           // output columns that a chunk of a weight should have
  std::uint32_t pass_rows = 0;         // k values that a pass can have
  std::uint32_t accumulator_half = 0;  // fp32 sums of half the accumulator memory
};

Demands demands_of(const model::LlamaModel& model, const config::Machine& machine, Format kv_format);

}  // namespace tokencycle::compiler
