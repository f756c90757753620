// SPDX-License-Identifier: Apache-2.0
#include "host/result/energy_parts.h"

namespace tokencycle::host {

using Json = nlohmann::ordered_json;

void add_energy_parts(Json& object, const memory::DramEnergyUse& energy) {
  for (const DramEnergyPart& p : kDramEnergyParts) object[p.name] = energy.*p.part;
}

}  // namespace tokencycle::host
