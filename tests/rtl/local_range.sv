// SPDX-License-Identifier: Apache-2.0
// The bytes of one operand in the scratchpad or the accumulator memory: `lines` rows, `stride` bytes apart,
// each with the encoded elements [skipped, elements) of a row.
module local_range #(
    parameter int REGISTER_BITS = 64
) (
    input  logic                            used,
    input  logic [31:0]                     address,         // bit 31: accumulator memory
    input  logic [REGISTER_BITS-1:0]        register_value,  // added to the address
    input  logic [23:0]                     lines,           // at least 1 where used
    input  logic [23:0]                     stride,
    input  logic [5:0]                      format,
    input  logic [7:0]                      skipped,
    input  logic [24:0]                     elements,
    input  isa_pkg::capacities_t            capacity,
    output isa_pkg::local_range_t           range,
    output logic [31:0]                     resolved,        // the address with its register added
    output logic                            outside          // it leaves the memory
);
  isa_pkg::format_t kind;
  assign kind = isa_pkg::format_of(format);

  // Bytes of `count` elements in whole blocks.
  function automatic logic [26:0] bytes_of(input logic [3:0] shift, input logic [8:0] bytes, input logic [24:0] count);
    logic [33:0] product;
    product = {9'b0, count >> shift} * {25'b0, bytes};
    bytes_of = product[26:0];
  endfunction

  logic [REGISTER_BITS-1:0] sum;
  assign sum = {{(REGISTER_BITS - 31) {1'b0}}, address[30:0]} + register_value;
  assign resolved = {address[31], sum[30:0]};

  // A row is rounded up to whole units, what is skipped down.
  logic [24:0] round_up;
  assign round_up = (25'd1 << kind.shift) - 25'd1;

  logic [49:0] first, last;
  assign first = {19'b0, sum[30:0]} + {23'b0, bytes_of(kind.shift, kind.bytes, {17'b0, skipped})};
  assign last = {19'b0, sum[30:0]} + 50'({24'b0, lines - 24'd1} * {24'b0, stride}) +
                {23'b0, bytes_of(kind.shift, kind.bytes, elements + round_up)};

  assign outside = used && (sum[REGISTER_BITS-1:31] != '0 ||
                            last > {18'b0, address[31] ? capacity.accumulator : capacity.scratchpad});
  assign range.used = used;
  assign range.accumulator = address[31];
  assign range.first = first[31:0];
  assign range.last = last[31:0];
endmodule
