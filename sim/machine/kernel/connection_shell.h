// SPDX-License-Identifier: Apache-2.0
// A plain interface as a SystemC one, so that ports can be bound to it.
#pragma once

#include <systemc>

namespace tokencycle::machine {

template <class Interface>
class Connection : public Interface, public virtual sc_core::sc_interface {};

template <class Interface>
using Port = sc_core::sc_port<Connection<Interface>>;

}  // namespace tokencycle::machine
