// SPDX-License-Identifier: Apache-2.0
#include "compiler/layout.h"

namespace tokencycle::compiler {
namespace {

constexpr std::uint64_t kPage = 4096;  // regions start at multiples of it, and so at bursts and DRAM rows

class Regions {
 public:
  DramAddress add(std::uint64_t bytes) {
    const DramAddress at(next_);
    next_ = round_up(next_ + bytes, kPage);
    return at;
  }
  std::uint64_t end() const { return next_; }

 private:
  std::uint64_t next_ = 0;
};

}  // namespace

DramLayout assign_layout(const model::LlamaModel& model, const Demands& d, const Options& options,
                         std::uint32_t batch) {
  DramLayout l;
  Regions regions;
  const std::uint64_t context = options.context;
  l.weights = regions.add(model.file().data_bytes());
  l.rope_table = regions.add(context * d.shape.rope_dims * 4);
  l.kv_row_bytes = row_bytes(options.kv_format, d.shape.kv_width());
  l.kv_layer_bytes = context * l.kv_row_bytes;
  l.key_cache = regions.add(d.shape.layers * l.kv_layer_bytes);
  l.value_cache = regions.add(d.shape.layers * l.kv_layer_bytes);
  l.token_ids = regions.add(std::uint64_t{batch} * 4);
  l.logits = regions.add(std::uint64_t{batch} * d.shape.vocabulary * 4);
  l.program = DramAddress(regions.end());
  l.end = regions.end();
  return l;
}

void place_program(DramLayout& layout, std::uint64_t program_bytes) {
  layout.program_bytes = round_up(program_bytes, kPage);
  layout.end = layout.program.value + layout.program_bytes;
}

}  // namespace tokencycle::compiler
