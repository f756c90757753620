// SPDX-License-Identifier: Apache-2.0
#include "host/one_core.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tokencycle::host {

namespace {

void refuse(const config::Machine& machine, const char* path, std::uint32_t count, const char* why) {
  if (count == 1) return;
  throw ConfigurationError(fmt::format("{}: {}: {}; {}", machine.name, path, count, why));
}

}  // namespace

void refuse_several_cores(const config::Machine& machine) {
  refuse(machine, "/cores", machine.cores,
         "no command divides its work over several cores yet: set it to 1, or use run --program");
}

void refuse_several_units_but_matrix(const config::Machine& machine) {
  constexpr const char* kWhy =
      "results of models and products count one unit of this kind so far: set it to 1, or use run --program";
  refuse(machine, "/dma/engines", machine.dma.engines, kWhy);
  refuse(machine, "/vector/units", machine.vector.units, kWhy);
}

void refuse_several_units(const config::Machine& machine) {
  refuse_several_units_but_matrix(machine);
  refuse(machine, "/matrix/units", machine.matrix.units,
         "a model runs on one matrix unit so far (gemm divides a product over several): set it to 1, or use "
         "run --program");
}

}  // namespace tokencycle::host
