// SPDX-License-Identifier: Apache-2.0
// Fields and operands alone, with plain ports: the test compares them with the model's footprints word by
// word.
module operands_probe (
    input  logic [255:0]   word,
    input  logic [1023:0]  registers,  // 16 of 64 bits
    input  logic [31:0]    scratchpad_bytes,
    input  logic [31:0]    accumulator_bytes,
    input  logic [48:0]    dram_bytes,
    output logic           known,
    output logic [2:0]     unit,
    output logic [2:0]     used,         // bit 0: a, 1: b, 2: dst
    output logic [2:0]     accumulator,  // the same operands
    output logic           dst_read,
    output logic           dram_read,
    output logic           dram_write,
    output logic [31:0]    a_first,
    output logic [31:0]    a_last,
    output logic [31:0]    b_first,
    output logic [31:0]    b_last,
    output logic [31:0]    dst_first,
    output logic [31:0]    dst_last,
    output logic [48:0]    dram_first,
    output logic [48:0]    dram_last,
    output logic           refused
);
  isa_pkg::fields_t f;
  isa_pkg::footprint_t footprint;
  isa_pkg::capacities_t capacity;
  assign capacity.scratchpad = scratchpad_bytes;
  assign capacity.accumulator = accumulator_bytes;
  assign capacity.dram = dram_bytes;

  logic [31:0] a, b, dst;
  logic [47:0] dram;
  fields word_fields (.word(word), .f(f));
  operands word_operands (
      .f(f), .registers(registers), .capacity(capacity), .footprint(footprint), .a(a), .b(b), .dst(dst),
      .dram(dram), .refused(refused)
  );

  assign known = f.known;
  assign unit = f.unit;
  assign used = {footprint.dst.used, footprint.b.used, footprint.a.used};
  assign accumulator = {footprint.dst.accumulator, footprint.b.accumulator, footprint.a.accumulator};
  assign dst_read = footprint.dst_read;
  assign dram_read = footprint.dram_read;
  assign dram_write = footprint.dram_write;
  assign a_first = footprint.a.first;
  assign a_last = footprint.a.last;
  assign b_first = footprint.b.first;
  assign b_last = footprint.b.last;
  assign dst_first = footprint.dst.first;
  assign dst_last = footprint.dst.last;
  assign dram_first = {1'b0, footprint.dram.first};
  assign dram_last = footprint.dram.last;
endmodule
