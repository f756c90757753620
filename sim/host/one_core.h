// SPDX-License-Identifier: Apache-2.0
// Which machines the commands can use.
#pragma once

#include "config/machine.h"

namespace tokencycle::host {

// No command divides its work over several cores. Throws ConfigurationError for a machine that has them.
void refuse_several_cores(const config::Machine& machine);
// The counters and rates of a result know one unit of each kind. Throws ConfigurationError for a machine with
// more.
void refuse_several_units(const config::Machine& machine);
// The same, but several matrix units are allowed: a standalone product is divided over them.
void refuse_several_units_but_matrix(const config::Machine& machine);

}  // namespace tokencycle::host
