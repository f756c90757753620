// SPDX-License-Identifier: Apache-2.0
// One instruction between decode and retirement: what it touches, and whether a new instruction has to wait
// for it. Ranges are intervals from a block's first byte to its last.
module scoreboard_entry (
    input  logic                 clk,
    input  logic                 reset,
    input  logic                 insert,         // the new instruction takes this entry
    input  logic                 left_queue,
    input  logic                 retired,
    input  logic                 late_release,   // a fault, see isa_pkg
    input  logic [2:0]           new_unit,
    input  isa_pkg::footprint_t  new_footprint,
    output logic                 used,           // as after this cycle's retirements
    output logic                 queued,         // as after this cycle's starts and ends
    output logic [2:0]           unit,
    output logic                 read_after_write,
    output logic                 write_after_write,
    output logic                 write_after_read
);
  logic used_q, queued_q;
  logic [2:0] unit_q;
  isa_pkg::footprint_t f;

  assign used = used_q && !retired;
  assign queued = queued_q && !left_queue;
  assign unit = unit_q;

  // The matrix and the vector unit work in order: two instructions of the same one need no comparison.
  logic compared;
  assign compared = (late_release ? used_q : used) &&
                    !(new_unit == unit_q &&
                      (unit_q == isa_pkg::kUnitMatrix || unit_q == isa_pkg::kUnitVector));

  logic a_dst, b_dst, dst_dst, dst_a, dst_b, dram;  // new operand, then the entry's
  assign a_dst = new_footprint.a.used && f.dst.used && new_footprint.a.accumulator == f.dst.accumulator &&
                 new_footprint.a.first < f.dst.last && f.dst.first < new_footprint.a.last;
  assign b_dst = new_footprint.b.used && f.dst.used && new_footprint.b.accumulator == f.dst.accumulator &&
                 new_footprint.b.first < f.dst.last && f.dst.first < new_footprint.b.last;
  assign dst_dst = new_footprint.dst.used && f.dst.used &&
                   new_footprint.dst.accumulator == f.dst.accumulator &&
                   new_footprint.dst.first < f.dst.last && f.dst.first < new_footprint.dst.last;
  assign dst_a = new_footprint.dst.used && f.a.used && new_footprint.dst.accumulator == f.a.accumulator &&
                 new_footprint.dst.first < f.a.last && f.a.first < new_footprint.dst.last;
  assign dst_b = new_footprint.dst.used && f.b.used && new_footprint.dst.accumulator == f.b.accumulator &&
                 new_footprint.dst.first < f.b.last && f.b.first < new_footprint.dst.last;
  assign dram = {1'b0, new_footprint.dram.first} < f.dram.last &&
                {1'b0, f.dram.first} < new_footprint.dram.last;

  assign read_after_write = compared && (a_dst || b_dst || (dst_dst && new_footprint.dst_read) ||
                                         (dram && new_footprint.dram_read && f.dram_write));
  assign write_after_write = compared && (dst_dst || (dram && new_footprint.dram_write && f.dram_write));
  assign write_after_read = compared && (dst_a || dst_b || (dst_dst && f.dst_read) ||
                                         (dram && new_footprint.dram_write && f.dram_read));

  always_ff @(posedge clk) begin
    if (reset) begin
      used_q <= 1'b0;
      queued_q <= 1'b0;
    end else begin
      used_q <= insert || used;
      queued_q <= insert || queued;
    end
    if (insert) begin
      unit_q <= new_unit;
      f <= new_footprint;
    end
  end
endmodule
