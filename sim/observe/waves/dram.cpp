// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/dram.h"

#include <fmt/format.h>

#include <bit>

namespace tokencycle::observe {

using config::DramCommand;

namespace {

constexpr std::uint32_t kWordBits = 32;

// Of 1 + DramCommand, 0: none.
WaveNames command_names() {
  WaveNames names{"command", {"none"}};
  for (int c = 0; c < config::kDramCommands; ++c)
    names.values.emplace_back(config::name_of(static_cast<DramCommand>(c)));
  return names;
}

// Of a number from 0 to `largest`.
std::uint32_t bits_of(std::uint64_t largest) {
  return std::max(1u, static_cast<std::uint32_t>(std::bit_width(largest)));
}

bool addresses_row(DramCommand c) {
  switch (c) {
    case DramCommand::activate_first:
    case DramCommand::activate:
    case DramCommand::read:
    case DramCommand::read_auto:
    case DramCommand::write:
    case DramCommand::write_auto:
      return true;
    default:
      return false;
  }
}

bool addresses_column(DramCommand c) {
  return addresses_row(c) && c != DramCommand::activate_first && c != DramCommand::activate;
}

}  // namespace

WaveDram::WaveDram(const config::DramSystem& system, WaveValues& values)
    : system_(system),
      values_(values),
      commands_(command_names()),
      states_{"bank_state", {"closed", "opening", "open", "closing", "refreshing"}} {
  channels_.reserve(system.channels);  // pending changes refer to their turns
}

void WaveDram::add_channel(const std::string& scope) {
  const config::DramDevice& d = system_.device;
  const std::uint32_t row_bits = bits_of(d.rows - 1);
  Channel& c = channels_.emplace_back();
  c.command = values_.add(scope, "command", commands_.bits(), &commands_);
  c.bank = values_.add(scope, "bank", bits_of(d.banks_of_channel() - 1));
  c.row = values_.add(scope, "row", row_bits);
  c.column = values_.add(scope, "column", bits_of(d.bursts - 1));
  c.commands = values_.add(scope, "commands", kWordBits);
  c.read_queue = values_.add(scope, "read_queue", bits_of(system_.read_queue));
  c.write_queue = values_.add(scope, "write_queue", bits_of(system_.write_queue));
  c.activated_queue = values_.add(scope, "activated_queue", bits_of(system_.activated_queue));
  for (std::uint32_t b = 0; b < d.banks_of_channel(); ++b) {
    const std::string of_bank = fmt::format("{}.rank{}.group{}.bank{}", scope, b / d.banks_of_rank(),
                                            b / d.banks % d.groups_of_rank(), b % d.banks);
    c.banks.push_back(
        {values_.add(of_bank, "state", states_.bits(), &states_), values_.add(of_bank, "row", row_bits)});
  }
}

void WaveDram::on_event(const Event& event) {
  const std::size_t i = static_cast<std::size_t>(event.unit) - kFirstChannel;
  if (i >= channels_.size()) return;
  Channel& channel = channels_[i];
  if (event.kind == EventKind::dram_command) return on_command(channel, event);
  values_.set(channel.read_queue, event.number & 0xffff'ffff);
  values_.set(channel.write_queue, event.number >> 32);
  values_.set(channel.activated_queue, event.value);
}

void WaveDram::on_command(Channel& channel, const Event& event) {
  const auto command = static_cast<DramCommand>(event.detail);
  values_.set(channel.command, 1u + event.detail);
  values_.change(channel.commands, 1);
  values_.set(channel.bank, event.pc);
  if (addresses_row(command)) values_.set(channel.row, event.number & 0xffff'ffff);
  if (addresses_column(command)) values_.set(channel.column, event.number >> 32);
  ++channel.turn;
  set_later(event.cycle, event.cycle + 1, channel.turn, channel.command, 0);
  change_banks(channel, event);
}

void WaveDram::change_banks(Channel& channel, const Event& event) {
  const Cycle now = event.cycle, begin = now + (event.value >> 32), end = now + (event.value & 0xffff'ffff);
  const config::DramDevice& d = system_.device;
  Bank& bank = channel.banks[event.pc];
  const auto precharge = [&](Bank& b) {
    if (b.active) change(b, now, begin, end, BankState::closing, BankState::closed);
    b.active = false;
  };
  const auto refresh = [&](Bank& b) { change(b, now, begin, end, BankState::refreshing, BankState::closed); };
  switch (static_cast<DramCommand>(event.detail)) {
    case DramCommand::activate_first:  // until the second part says how long
      return change(bank, now, now, kNever, BankState::opening, BankState::open);
    case DramCommand::activate:
      bank.active = true;
      values_.set(bank.row, event.number & 0xffff'ffff);
      return change(bank, now, begin, end, BankState::opening, BankState::open);
    case DramCommand::precharge:
    case DramCommand::read_auto:
    case DramCommand::write_auto:
      return precharge(bank);
    case DramCommand::precharge_all:
      for (std::uint32_t b = 0; b < d.banks_of_rank(); ++b) precharge(channel.banks[event.pc + b]);
      return;
    case DramCommand::refresh_all:
      for (std::uint32_t b = 0; b < d.banks_of_rank(); ++b) refresh(channel.banks[event.pc + b]);
      return;
    case DramCommand::refresh_bank:
      for (std::uint32_t g = 0; g < d.refresh_reach; ++g)
        refresh(channel.banks[event.pc + g * (d.bank_groups / d.refresh_reach * d.banks)]);
      return;
    default:
      return;
  }
}

void WaveDram::change(Bank& bank, Cycle now, Cycle begin, Cycle end, BankState during, BankState after) {
  ++bank.turn;
  set_later(now, begin, bank.turn, bank.state, static_cast<std::uint64_t>(during));
  set_later(now, end, bank.turn, bank.state, static_cast<std::uint64_t>(after));
}

void WaveDram::set_later(Cycle now, Cycle cycle, const std::uint32_t& turns, Index signal,
                         std::uint64_t value) {
  if (cycle == now) return values_.set(signal, value);
  if (cycle != kNever) pending_.push({cycle, ordered_++, &turns, turns, signal, value});
}

void WaveDram::apply(Cycle cycle) {
  for (; !pending_.empty() && pending_.top().cycle <= cycle; pending_.pop()) {
    const Pending& p = pending_.top();
    if (*p.turns == p.turn) values_.set(p.signal, p.value);
  }
}

}  // namespace tokencycle::observe
