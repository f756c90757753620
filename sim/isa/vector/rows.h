// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the vector functions, a row at a time, as sim/numerics/README.md defines it.
#pragma once

#include <cstddef>

#include "isa/vector/function.h"

namespace tokencycle::isa {

// d[c] = f(a[c])
template <float (*f)(float)>
void map_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = f(o.a[c]);
}

// d[c] = f(a[c], b[c]), or f(a[c], b[0]) with per_row
template <class F>
void zip_row(const RowOperands& o) {
  if (o.instruction.per_row) {
    for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = F{}(o.a[c], o.b[0]);
  } else {
    for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = F{}(o.a[c], o.b[c]);
  }
}

// d[c] = f(a[c], scalar)
template <class F>
void scalar_row(const RowOperands& o) {
  for (std::size_t c = 0; c < o.d.size(); ++c) o.d[c] = F{}(o.a[c], o.instruction.scalar);
}

void copy_row(const RowOperands& o);
void scale_row(const RowOperands& o);
void square_row(const RowOperands& o);
void sqrt_row(const RowOperands& o);
void rsqrt_row(const RowOperands& o);
void sum_row(const RowOperands& o);
void max_row(const RowOperands& o);
void min_row(const RowOperands& o);
void mean_row(const RowOperands& o);
void argmax_row(const RowOperands& o);
void top_k_row(const RowOperands& o);
void rms_norm_row(const RowOperands& o);
void layer_norm_row(const RowOperands& o);
void softmax_row(const RowOperands& o);
void softmax_sink_row(const RowOperands& o);
void rotary_row(const RowOperands& o);

// Rules of single functions.
void check_convert(const Instruction& i);
void check_softmax(const Instruction& i);
void check_rotary(const Instruction& i);
void check_top_k(const Instruction& i);
void check_extent(const Instruction& i);

}  // namespace tokencycle::isa
