// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_reference.h"

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <stdexcept>

namespace tokencycle::test {

using config::DramAddressField;
using config::DramCommand;
using config::DramLevel;
using memory::Clock;

DramParameters ddr4_3200aa() {
  DramParameters p;
  p.name = "ddr4_3200aa";
  p.tck_ps = 625, p.channel_bits = 64;
  p.rows = 65536, p.bursts = 1024 / 8, p.burst_bytes = 64;
  p.bl = 4, p.cl = 22, p.cwl = 16, p.rcd_read = 22, p.rcd_write = 22, p.rp = 22, p.rp_all = 22;
  p.ras = 52, p.rc = 74, p.rrd_s = 4, p.rrd_l = 8, p.faw = 34, p.ccd_s = 4, p.ccd_l = 8;
  p.wr = 24, p.rtp = 12, p.wtr_s = 4, p.wtr_l = 12;
  p.rfc = 576, p.refi = 12480, p.rp_all_to_refresh = 22;
  return p;
}

DramParameters lpddr5_6400(PrechargeAllToRefresh quirk) {
  DramParameters p;
  p.name = "lpddr5_6400";
  p.tck_ps = 1250, p.channel_bits = 16;
  p.rows = 32768, p.bursts = 1024 / 16, p.burst_bytes = 32;
  p.bl = 2, p.cl = 17, p.cwl = 9, p.rcd_read = 15, p.rcd_write = 15, p.rp = 15, p.rp_all = 17;
  p.ras = 34, p.rc = 49, p.rrd_s = 4, p.rrd_l = 4, p.faw = 16, p.ccd_s = 2, p.ccd_l = 4;
  p.wr = 28, p.rtp = 8, p.wtr_s = 5, p.wtr_l = 10;
  p.rfc = 168, p.refi = 3125, p.rfc_bank = 96, p.refi_bank = 391;
  p.rp_all_to_refresh = quirk == PrechargeAllToRefresh::as_reference ? p.rp : p.rp_all;
  p.two_part_activate = true, p.data_clock = true;
  return p;
}

DramParameters hbm2_2000() {
  DramParameters p;
  p.name = "hbm2_2000";
  p.tck_ps = 1000, p.channel_bits = 64, p.ranks = 2;
  p.rows = 32768, p.bursts = 128 / 4, p.burst_bytes = 32;
  p.bl = 2, p.cl = 14, p.cwl = 5, p.rcd_read = 14, p.rcd_write = 12, p.rp = 14, p.rp_all = 14;
  p.ras = 34, p.rc = 48, p.rrd_s = 4, p.rrd_l = 4, p.faw = 15, p.ccd_s = 2, p.ccd_l = 4;
  p.wr = 16, p.rtp = 5, p.wtr_s = 6, p.wtr_l = 8;
  p.rfc = 260, p.refi = 3900, p.rfc_bank = 160, p.rp_all_to_refresh = 14;
  p.refi_bank = 2 * 122;  // the figure is for both pseudo-channels in turn
  p.activate_clocks = 2;
  p.row_and_column_bus = true, p.shared_data_bus = false;
  return p;
}

namespace {

using Commands = std::initializer_list<DramCommand>;
const Commands kReads = {DramCommand::read, DramCommand::read_auto};
const Commands kWrites = {DramCommand::write, DramCommand::write_auto};

// The constraints as the controller takes them: between first clocks.
class Table {
 public:
  Table(const DramParameters& p, config::DramDevice& device) : p_(p), device_(device) {
    act_ = p.two_part_activate ? DramCommand::activate_first : DramCommand::activate;
  }
  void fill() {
    transfers();
    activations();
    precharges();
    refreshes();
  }

 private:
  // How much later than its first clock a command counts.
  std::uint32_t lag(DramCommand c) const { return c == DramCommand::activate ? p_.activate_clocks - 1 : 0; }

  void add(DramLevel level, Commands before, Commands after, std::uint32_t clocks, std::uint32_t window = 1,
           bool other = false) {
    for (const DramCommand b : before) {
      for (const DramCommand a : after) {
        device_.constraints.push_back({level, b, a, clocks + lag(b) - lag(a), window, other, "", ""});
      }
    }
  }

  void transfers() {
    const DramLevel bus = p_.shared_data_bus ? DramLevel::channel : DramLevel::rank;
    const std::uint32_t to_write = p_.cl + p_.bl + kBusTurnaround - p_.cwl, written = p_.cwl + p_.bl;
    for (const Commands& same : {kReads, kWrites}) {
      add(bus, same, same, p_.bl);
      add(DramLevel::rank, same, same, p_.ccd_s);
      add(DramLevel::bank_group, same, same, p_.ccd_l);
    }
    add(DramLevel::rank, kReads, kWrites, to_write);
    add(DramLevel::rank, kWrites, kReads, written + p_.wtr_s);
    add(DramLevel::bank_group, kWrites, kReads, written + p_.wtr_l);
    if (!p_.shared_data_bus || p_.ranks == 1) return;
    const auto other = [&](const Commands& b, const Commands& a, std::uint32_t clocks) {
      add(DramLevel::rank, b, a, clocks, 1, true);
    };
    other(kReads, kReads, p_.bl + kBusTurnaround);
    other(kWrites, kWrites, p_.bl + kBusTurnaround);
    other(kReads, kWrites, to_write);
    // The data of a write comes sooner after its command than that of a read.
    other(kWrites, kReads, written + kBusTurnaround > p_.cl ? written + kBusTurnaround - p_.cl : 1);
  }

  void activations() {
    add(DramLevel::rank, {act_}, {act_}, p_.rrd_s);
    add(DramLevel::bank_group, {act_}, {act_}, p_.rrd_l);
    add(DramLevel::rank, {act_}, {act_}, p_.faw, 4);
    add(DramLevel::bank, {act_}, {act_}, p_.rc);
    add(DramLevel::bank, {act_}, kReads, p_.rcd_read);
    add(DramLevel::bank, {act_}, kWrites, p_.rcd_write);
    if (!p_.data_clock) return;
    // As the reference: the data clock starts when the transfer could be given without it.
    add(DramLevel::bank, {act_}, {DramCommand::sync_read}, p_.rcd_read);
    add(DramLevel::bank, {act_}, {DramCommand::sync_write}, p_.rcd_write);
  }

  void precharges() {
    const std::uint32_t written = p_.cwl + p_.bl + p_.wr;
    const DramCommand pre = DramCommand::precharge, all = DramCommand::precharge_all;
    for (const auto& [level, command] : {std::pair{DramLevel::bank, pre}, std::pair{DramLevel::rank, all}}) {
      add(level, {act_}, {command}, p_.ras);
      add(level, kReads, {command}, p_.rtp);
      add(level, kWrites, {command}, written);
    }
    add(DramLevel::bank, {pre}, {act_}, p_.rp);
    add(DramLevel::rank, {all}, {act_}, p_.rp_all);
    add(DramLevel::bank, {DramCommand::read_auto}, {act_}, p_.rtp + p_.rp);
    add(DramLevel::bank, {DramCommand::write_auto}, {act_}, written + p_.rp);
  }

  void refreshes() {
    const DramCommand pre = DramCommand::precharge, all = DramCommand::precharge_all;
    const DramCommand ref = DramCommand::refresh_all, one = DramCommand::refresh_bank;
    const std::uint32_t written = p_.cwl + p_.bl + p_.wr;
    add(DramLevel::rank, {act_}, {ref}, p_.rc);
    add(DramLevel::rank, {pre}, {ref}, p_.rp);
    add(DramLevel::rank, {all}, {ref}, p_.rp_all_to_refresh);
    add(DramLevel::rank, {DramCommand::read_auto}, {ref}, p_.rtp + p_.rp);
    add(DramLevel::rank, {DramCommand::write_auto}, {ref}, written + p_.rp);
    add(DramLevel::rank, {ref}, {act_, ref}, p_.rfc);
    if (p_.refi_bank == 0) return;
    add(DramLevel::bank, {act_}, {one}, p_.rc);
    add(DramLevel::rank, {act_}, {one}, p_.rrd_s);
    add(DramLevel::bank, {pre}, {one}, p_.rp);
    add(DramLevel::rank, {all}, {one}, p_.rp_all);
    add(DramLevel::bank, {DramCommand::read_auto}, {one}, p_.rtp + p_.rp);
    add(DramLevel::bank, {DramCommand::write_auto}, {one}, written + p_.rp);
    add(DramLevel::rank, {one}, {act_}, p_.rrd_s);
    add(DramLevel::bank, {one}, {act_}, p_.rfc_bank);
    add(DramLevel::rank, {one}, {one, ref}, p_.rfc_bank);
    add(DramLevel::rank, {ref}, {one}, p_.rfc);
  }

  const DramParameters& p_;
  config::DramDevice& device_;
  DramCommand act_;
};

void fill_commands(const DramParameters& p, config::DramDevice& d) {
  const auto use = [&](DramCommand c) -> config::DramCommandUse& {
    return d.commands[static_cast<std::size_t>(c)];
  };
  for (config::DramCommandUse& u : d.commands) u = {true, 0, 1};
  use(DramCommand::activate_first).exists = p.two_part_activate;
  if (p.two_part_activate) {  // tAAD of JESD209-5, 8 clocks
    d.at_most.push_back({config::DramLevel::bank, DramCommand::activate_first, DramCommand::activate, 8, 1,
                         false, "nAAD", "JESD209-5"});
  }
  use(DramCommand::activate).clocks = static_cast<std::uint8_t>(p.activate_clocks);
  use(DramCommand::sync_read).exists = use(DramCommand::sync_write).exists = p.data_clock;
  use(DramCommand::refresh_bank).exists = p.refi_bank != 0;
  d.command_buses = p.row_and_column_bus ? 2 : 1;
  if (!p.row_and_column_bus) return;
  for (const Commands& transfers : {kReads, kWrites}) {
    for (const DramCommand c : transfers) use(c).bus = 1;
  }
}

class Recorder : public memory::DramListener {
 public:
  Recorder(DramReplay& replay, bool commands) : replay_(replay), commands_(commands) {}
  void completed(std::uint64_t id, Clock clock) override {
    replay_.completed[id] = clock;
    replay_.end = std::max(replay_.end, clock);
  }
  void commanded(const memory::DramCommandRecord& r) override {
    if (commands_) replay_.commands.push_back(r);
  }
  bool wants_commands() const override { return commands_; }

 private:
  DramReplay& replay_;
  bool commands_;
};

void advance_to(memory::DramController& controller, Clock from, Clock to, DramAdvance how) {
  if (how == DramAdvance::every_clock) {
    for (Clock t = from; t < to; ++t) controller.advance(t);
  }
  controller.advance(to);
}

}  // namespace

config::DramSystem reference_system(const DramParameters& p) {
  config::DramSystem system;
  system.name = p.name;
  config::DramDevice& d = system.device;
  d.name = p.name;
  d.tck_ps = p.tck_ps;
  d.channel_bits = p.channel_bits;
  d.ranks = p.ranks;
  d.bank_groups = p.bank_groups;
  d.banks = p.banks;
  d.rows = p.rows;
  d.bursts = p.bursts;
  d.burst_bytes = p.burst_bytes;
  d.burst_clocks = p.bl;
  d.read_latency = p.cl + p.bl;
  d.write_latency = p.cwl + p.bl;
  if (p.data_clock) {
    // It runs until the burst has passed, one clock longer after the command that starts it.
    d.sync_by_read = p.cl + p.bl;
    d.sync_by_write = p.cwl + p.bl;
    d.sync_by_sync_read = d.sync_by_read + 1;
    d.sync_by_sync_write = d.sync_by_write + 1;
  }
  d.refresh_interval = p.refi;
  d.bank_refresh_interval = p.refi_bank;
  d.postponable = 8;
  fill_commands(p, d);
  Table(p, d).fill();
  system.mapping = mapping_ro_ba_ra_co_ch();
  return system;
}

std::vector<config::DramAddressPart> mapping_ro_ba_ra_co_ch() {
  return {{DramAddressField::channel},    {DramAddressField::column}, {DramAddressField::rank},
          {DramAddressField::bank_group}, {DramAddressField::bank},   {DramAddressField::row}};
}

std::vector<config::DramAddressPart> mapping_bgi() {
  return {{DramAddressField::channel}, {DramAddressField::rank}, {DramAddressField::bank_group},
          {DramAddressField::column},  {DramAddressField::bank}, {DramAddressField::row}};
}

DramArrival decode(const config::DramSystem& system, std::uint64_t address, bool write) {
  const config::DramDevice& d = system.device;
  const std::uint32_t sizes[] = {system.channels, d.ranks, d.bank_groups, d.banks, d.rows, d.bursts};
  std::uint32_t values[config::kDramAddressFields] = {};
  std::uint64_t rest = address / d.burst_bytes;
  for (const config::DramAddressPart& part : system.mapping) {
    if (part.bits != 0) throw std::logic_error("the reference mappings have whole fields only");
    const auto field = static_cast<std::size_t>(part.field);
    values[field] = static_cast<std::uint32_t>(rest % sizes[field]);
    rest /= sizes[field];
  }
  const auto value = [&](DramAddressField f) { return values[static_cast<std::size_t>(f)]; };
  const std::uint32_t group =
      value(DramAddressField::rank) * d.bank_groups + value(DramAddressField::bank_group);
  return {0, write, group * d.banks + value(DramAddressField::bank), value(DramAddressField::row),
          value(DramAddressField::column)};
}

DramReplay replay(const config::DramSystem& system, std::span<const DramArrival> arrivals,
                  const DramReplayOptions& options) {
  DramReplay result;
  result.completed.resize(arrivals.size(), memory::kNoClock);
  Recorder recorder(result, options.record_commands);
  memory::DramController controller(system, recorder);
  Clock now = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const DramArrival& a = arrivals[i];
    const Clock at = std::max(now, a.at);
    advance_to(controller, now, at, options.advance);
    now = at;
    while (!controller.has_room(a.write, a.bank)) controller.advance(++now);
    result.accepted.push_back(now);
    controller.accept(now, {i, a.write, a.bank, a.row, a.column});
    if (i % options.parts == options.parts - 1) ++now;
  }
  while (controller.waiting() != 0) controller.advance(now++);
  advance_to(controller, now, std::max(now, result.end) + options.tail, options.advance);
  result.counters = controller.counters();
  return result;
}

}  // namespace tokencycle::test
