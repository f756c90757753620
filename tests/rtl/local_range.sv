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
    input  logic [23:0]                     elements,
    input  isa_pkg::capacities_t            capacity,
    output isa_pkg::local_range_t           range,
    output logic [31:0]                     resolved,        // the address with its register added
    output logic                            outside          // it leaves the memory
);
  // Bytes of `count` elements in whole encoded units: 18 to 36 bytes for 32 elements, i4 two a byte.
  function automatic logic [26:0] bytes_of(input logic [5:0] kind, input logic [24:0] count);
    logic [26:0] blocks;
    blocks = {7'b0, count[24:5]};
    case (kind)
      isa_pkg::kF32, isa_pkg::kU32:  bytes_of = {count, 2'b0};
      isa_pkg::kF16, isa_pkg::kBf16: bytes_of = {1'b0, count, 1'b0};
      isa_pkg::kQ8:                  bytes_of = (blocks << 5) + (blocks << 1);
      isa_pkg::kQ4:                  bytes_of = (blocks << 4) + (blocks << 1);
      isa_pkg::kQ8Sum:               bytes_of = (blocks << 5) + (blocks << 2);
      isa_pkg::kQ4Minimum:           bytes_of = (blocks << 4) + (blocks << 2);
      isa_pkg::kI4:                  bytes_of = {3'b0, count[24:1]};
      default:                       bytes_of = {2'b0, count};
    endcase
  endfunction

  logic [REGISTER_BITS-1:0] sum;
  assign sum = {{(REGISTER_BITS - 31) {1'b0}}, address[30:0]} + register_value;
  assign resolved = {address[31], sum[30:0]};

  // A row is rounded up to whole units, what is skipped down.
  logic [24:0] round_up;
  assign round_up = format == isa_pkg::kQ8 || format == isa_pkg::kQ4 || format == isa_pkg::kQ8Sum ||
                            format == isa_pkg::kQ4Minimum ? 25'd31 :
                    format == isa_pkg::kI4 ? 25'd1 : 25'd0;

  logic [49:0] first, last;
  assign first = {19'b0, sum[30:0]} + {23'b0, bytes_of(format, {17'b0, skipped})};
  assign last = {19'b0, sum[30:0]} + 50'({24'b0, lines - 24'd1} * {24'b0, stride}) +
                {23'b0, bytes_of(format, {1'b0, elements} + round_up)};

  assign outside = used && (sum[REGISTER_BITS-1:31] != '0 ||
                            last > {18'b0, address[31] ? capacity.accumulator : capacity.scratchpad});
  assign range.used = used;
  assign range.accumulator = address[31];
  assign range.first = first[31:0];
  assign range.last = last[31:0];
endmodule
