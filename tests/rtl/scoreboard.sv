// SPDX-License-Identifier: Apache-2.0
// The scoreboard: instructions between decode and retirement, and what is in a new one's way. Looked up in
// this order: a free entry, room in the unit's queue, read after write, write after write, write after read.
module scoreboard #(
    parameter int ENTRIES = 32,
    parameter int ID_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1
) (
    input  logic                       clk,
    input  logic                       reset,
    input  logic [ID_BITS:0]           entries,      // of this machine
    input  logic [8:0]                 queue_depth,  // of each unit
    input  logic [isa_pkg::kFaults-1:0] fault,
    // The instruction in decode; `insert`: it leaves in this cycle.
    input  logic [2:0]                 unit,
    input  isa_pkg::footprint_t        footprint,
    input  logic                       insert,
    output logic [3:0]                 obstacle,     // kBusy: there is none
    output logic [2:0]                 blocker,      // whose instruction it waits for
    output logic [ID_BITS-1:0]         id,           // the entry that it gets
    output logic                       unwritten,    // what it reads is still to be written, and by which unit
    output logic [2:0]                 writer,
    // Units and writeback, a bit for each entry.
    input  logic [ENTRIES-1:0]         left_queue,
    input  logic [ENTRIES-1:0]         retired,
    output logic [4:0]                 unit_active,  // units with an instruction in flight
    output logic [ENTRIES*ENTRIES-1:0] older         // bit i * ENTRIES + j: entry j is older than entry i
);
  logic [ENTRIES-1:0] used, queued, raw, waw, war, chosen;
  logic [ENTRIES*3-1:0] units;
  logic [ENTRIES*ENTRIES-1:0] older_q;

  genvar g;
  generate
    for (g = 0; g < ENTRIES; g++) begin : entry
      scoreboard_entry e (
          .clk(clk), .reset(reset), .insert(insert && chosen[g]), .left_queue(left_queue[g]),
          .retired(retired[g]), .late_release(fault[isa_pkg::kFaultLateRelease]), .new_unit(unit),
          .new_footprint(footprint), .used(used[g]), .queued(queued[g]), .unit(units[g*3+:3]),
          .read_after_write(raw[g]), .write_after_write(waw[g]), .write_after_read(war[g])
      );
    end
  endgenerate

  // The free entry with the smallest number, the unit's queue, and the units that are not empty.
  logic full;
  logic [8:0] waiting;
  always_comb begin
    full = 1'b1;
    chosen = '0;
    id = '0;
    waiting = '0;
    unit_active = '0;
    for (int i = 0; i < ENTRIES; i++) begin
      if (full && !used[i] && (ID_BITS + 1)'(i) < entries) begin
        full = 1'b0;
        chosen[i] = 1'b1;
        id = ID_BITS'(i);
      end
      if (queued[i] && units[i*3+:3] == unit) waiting = waiting + 1'b1;
      for (int u = 1; u < 5; u++) begin
        if (used[i] && units[i*3+:3] == 3'(u)) unit_active[u] = 1'b1;
      end
    end
  end

  // The first entry that is read too early or written twice, the last that would be overwritten too early;
  // of a full board the oldest.
  logic [2:0] raw_unit, waw_unit, war_unit, oldest_unit;
  always_comb begin
    raw_unit = '0;
    waw_unit = '0;
    war_unit = '0;
    oldest_unit = '0;
    for (int i = 0; i < ENTRIES; i++) begin
      if (war[i]) war_unit = units[i*3+:3];
      if (used[i] && (older_q[i*ENTRIES+:ENTRIES] & used) == '0) oldest_unit = units[i*3+:3];
    end
    for (int i = ENTRIES - 1; i >= 0; i--) begin
      if (raw[i]) raw_unit = units[i*3+:3];
      if (waw[i]) waw_unit = units[i*3+:3];
    end
  end

  assign unwritten = raw != '0 && !fault[isa_pkg::kFaultNoReadAfterWrite];
  assign writer = raw_unit;

  always_comb begin
    obstacle = isa_pkg::kBusy;
    blocker = isa_pkg::kFrontEnd;
    if (full) begin
      obstacle = isa_pkg::kScoreboardFull;
      blocker = oldest_unit;
    end else if (waiting >= queue_depth + {8'b0, fault[isa_pkg::kFaultQueueEntry]}) begin
      obstacle = isa_pkg::kQueueFull;
      blocker = unit;
    end else if (unwritten) begin
      obstacle = isa_pkg::kReadAfterWrite;
      blocker = raw_unit;
    end else if (waw != '0 && !fault[isa_pkg::kFaultNoWriteAfterWrite]) begin
      obstacle = isa_pkg::kWriteAfterWrite;
      blocker = waw_unit;
    end else if (war != '0 && !fault[isa_pkg::kFaultNoWriteAfterRead]) begin
      obstacle = isa_pkg::kWriteAfterRead;
      blocker = war_unit;
    end
  end

  // Ages: what is used when an entry is filled is older than it, until it retires.
  assign older = older_q;
  always_ff @(posedge clk) begin
    for (int i = 0; i < ENTRIES; i++) begin
      if (insert && chosen[i]) older_q[i*ENTRIES+:ENTRIES] <= used;
      else older_q[i*ENTRIES+:ENTRIES] <= older_q[i*ENTRIES+:ENTRIES] & ~retired;
    end
  end
endmodule
