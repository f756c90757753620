// SPDX-License-Identifier: Apache-2.0
// A plain interface as a SystemC one, so that ports can be bound to it.
#pragma once

#include <systemc>

#include "machine/unit.h"

namespace tokencycle::machine {

template <class Interface>
class Connection : public Interface, public virtual sc_core::sc_interface {};

template <class Interface>
using Port = sc_core::sc_port<Connection<Interface>>;
// To as many as are bound, in the order of binding.
template <class Interface>
using ListPort = sc_core::sc_port<Connection<Interface>, 0>;

inline ClockLine line_of(Port<ClockControl>& clock, Turn turn) {
  return {*clock.operator->(), turn};
}

}  // namespace tokencycle::machine
