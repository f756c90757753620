// SPDX-License-Identifier: Apache-2.0
// The bytes of an instruction's operand in DRAM. A gather's rows depend on data: any 32-bit index may come,
// so it reads the whole table up to the last of them, or to the end of the address space.
module dram_range #(
    parameter int REGISTER_BITS = 64
) (
    input  logic                     used,
    input  logic                     table_of_rows,  // gather
    input  logic [47:0]              address,
    input  logic [REGISTER_BITS-1:0] register_value,
    input  logic [15:0]              rows,
    input  logic [31:0]              stride,
    input  logic [25:0]              row_bytes,
    input  isa_pkg::capacities_t     capacity,
    output isa_pkg::dram_range_t     range,
    output logic                     outside
);
  logic [REGISTER_BITS-1:0] sum;
  assign sum = {{(REGISTER_BITS - 48) {1'b0}}, address} + register_value;

  logic [49:0] rows_end, table_end;
  assign rows_end = {2'b0, sum[47:0]} + 50'({32'b0, rows - 16'd1} * {16'b0, stride}) + {24'b0, row_bytes};
  // stride * (2^32 - 1) for a stride below 2^16.
  assign table_end = {2'b0, sum[47:0]} + {2'b0, stride[15:0], 32'b0} - {34'b0, stride[15:0]} +
                     {24'b0, row_bytes};

  localparam logic [48:0] kEnd = {1'b1, 48'b0};
  logic beyond;
  assign beyond = stride[31:16] != '0 || table_end > {1'b0, kEnd};

  assign range.first = sum[47:0];
  assign range.last = !table_of_rows ? rows_end[48:0] : beyond ? kEnd : table_end[48:0];

  // The rows of a gather are checked when they are read; here its table must only begin inside.
  assign outside = used && (sum[REGISTER_BITS-1:48] != '0 ||
                            (table_of_rows ? {1'b0, sum[47:0]} >= capacity.dram
                                           : rows_end > {1'b0, capacity.dram}));
endmodule
