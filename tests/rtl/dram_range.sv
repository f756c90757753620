// SPDX-License-Identifier: Apache-2.0
// The bytes of an instruction's operand in DRAM. Which rows a gather reads depends on data: it counts as reading
// its whole table.
module dram_range #(
    parameter int REGISTER_BITS = 64
) (
    input  logic                     used,
    input  logic [47:0]              address,
    input  logic [REGISTER_BITS-1:0] register_value,
    input  logic [23:0]              rows,
    input  logic [31:0]              stride,
    input  logic [25:0]              row_bytes,
    input  isa_pkg::capacities_t     capacity,
    output isa_pkg::dram_range_t     range,
    output logic                     outside
);
  logic [REGISTER_BITS-1:0] sum;
  assign sum = {{(REGISTER_BITS - 48) {1'b0}}, address} + register_value;

  logic [57:0] last;
  assign last = {10'b0, sum[47:0]} + 58'({32'b0, rows - 24'd1} * {24'b0, stride}) + {32'b0, row_bytes};

  assign range.first = sum[47:0];
  assign range.last = last[48:0];
  assign outside = used && (sum[REGISTER_BITS-1:48] != '0 || last > {9'b0, capacity.dram});
endmodule
