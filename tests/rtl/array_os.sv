// SPDX-License-Identifier: Apache-2.0
// The output-stationary array: ROWS x COLUMNS cells, int8 x int8 into int32. x enters at the left, w at the
// top; cell (m, n) keeps the sum of row m and column n. One result bus and one input bus a column.
module array_os #(parameter ROWS = 4, parameter COLUMNS = 4)(
    input logic clock, input logic reset, input logic [ROWS - 1 : 0] x_valid,
    input logic [ROWS - 1 : 0] x_first,  // of the k values
    input logic [ROWS - 1 : 0] x_last,
    input logic [ROWS - 1 : 0] x_used,       // the row's results are wanted on the bus
    input logic [8 * ROWS - 1 : 0] x,        // of row m at bit 8 m
    input logic [8 * COLUMNS - 1 : 0] w,     // of column n at bit 8 n
    input logic [32 * COLUMNS - 1 : 0] old,  // total that the first step of column n's cell begins with
    output logic [COLUMNS - 1 : 0] sum_valid,
    output logic [COLUMNS - 1 : 0] conflict,  // more than one cell drives the bus
    output logic [32 * COLUMNS - 1 : 0] sum);
// Between the cells: wire (m, n) goes right into column n, wire (m, n) goes down into row m.
logic [ROWS * (COLUMNS + 1) - 1:0] valid, first, last, used;
logic [8 * ROWS * (COLUMNS + 1) - 1:0] right;
logic [8 * (ROWS + 1) * COLUMNS - 1:0] down;
// What the cells put on the buses: of cell (m, n) at n ROWS + m.
logic [ROWS * COLUMNS - 1:0] drives;
logic [32 * ROWS * COLUMNS - 1:0] totals;

assign down [8 * COLUMNS - 1:0] = w;

for (genvar m = 0; m < ROWS; m = m + 1) begin : row assign valid[m * (COLUMNS + 1)] = x_valid[m];
assign first[m * (COLUMNS + 1)] = x_first[m];
assign last[m * (COLUMNS + 1)] = x_last[m];
assign used[m * (COLUMNS + 1)] = x_used[m];
assign right [8 * m * (COLUMNS + 1) +:8] = x [8 * m +:8];
for (genvar n = 0; n < COLUMNS; n = n + 1) begin : column localparam HERE = m * (COLUMNS + 1) + n;
localparam ABOVE = m * COLUMNS + n;
localparam BELOW = ABOVE + COLUMNS;
array_cell_os cell_mn(.clock(clock), .reset(reset), .valid(valid[HERE]), .first(first[HERE]),
                      .last(last[HERE]), .used(used[HERE]), .x(right [8 * HERE +:8]),
                      .w(down [8 * ABOVE +:8]), .old(old [32 * n +:32]), .right_valid(valid[HERE + 1]),
                      .right_first(first[HERE + 1]), .right_last(last[HERE + 1]), .right_used(used[HERE + 1]),
                      .right_x(right [8 * (HERE + 1) +:8]), .below_w(down [8 * BELOW +:8]),
                      .drives(drives[n * ROWS + m]), .total(totals [32 * (n * ROWS + m) +:32]));
end end for (genvar n = 0; n < COLUMNS; n = n + 1) begin :
    bottom array_bus #(.CELLS(ROWS))bus_n(.drives(drives [n * ROWS +:ROWS]),
                                          .totals(totals [32 * n * ROWS +:32 * ROWS]), .driven(sum_valid[n]),
                                          .conflict(conflict[n]), .value(sum [32 * n +:32]));
end endmodule
