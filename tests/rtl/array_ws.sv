// SPDX-License-Identifier: Apache-2.0
// The weight-stationary array: ROWS x COLUMNS cells, int8 x int8 into int32. Moving rows enter at the left,
// element k in row k; sums leave below. Tiles come in from the top, one line a cycle, the last line first.
module array_ws #(parameter ROWS = 4, parameter COLUMNS = 4)(
    input logic clock, input logic reset, input logic [ROWS - 1 : 0] moving_valid,
    input logic [ROWS - 1 : 0] moving_swap,   // the first row of a pass with a new tile
    input logic [8 * ROWS - 1 : 0] moving,    // element of row k at bit 8 k
    input logic [8 * COLUMNS - 1 : 0] tile,   // weight for column c at bit 8 c
    input logic [COLUMNS - 1 : 0] tile_last,  // with it the column's tile is complete
    output logic [COLUMNS - 1 : 0] sum_valid,
    output logic [32 * COLUMNS - 1 : 0] sum  // of column c at bit 32 c
);
// Between the cells: wire (k, c) goes right into column c, wire (k, c) goes down into row k.
logic [ROWS * (COLUMNS + 1) - 1:0] valid, swap;
logic [8 * ROWS * (COLUMNS + 1) - 1:0] right;
logic [32 * (ROWS + 1) * COLUMNS - 1:0] down;
logic [8 * (ROWS + 1) * COLUMNS - 1:0] chain;

assign down [32 * COLUMNS - 1:0] = 0;
assign chain [8 * COLUMNS - 1:0] = tile;
assign sum = down [32 * ROWS * COLUMNS +:32 * COLUMNS];

for (genvar k = 0; k < ROWS; k = k + 1) begin : row assign valid[k * (COLUMNS + 1)] = moving_valid[k];
assign swap[k * (COLUMNS + 1)] = moving_swap[k];
assign right [8 * k * (COLUMNS + 1) +:8] = moving [8 * k +:8];
for (genvar c = 0; c < COLUMNS; c = c + 1) begin : column localparam HERE = k * (COLUMNS + 1) + c;
localparam ABOVE = k * COLUMNS + c;
localparam BELOW = ABOVE + COLUMNS;
array_cell_ws cell_kc(.clock(clock), .reset(reset), .moving_valid(valid[HERE]), .moving_swap(swap[HERE]),
                      .moving(right [8 * HERE +:8]), .above(down [32 * ABOVE +:32]),
                      .right_valid(valid[HERE + 1]), .right_swap(swap[HERE + 1]),
                      .right(right [8 * (HERE + 1) +:8]), .below(down [32 * BELOW +:32]),
                      .capture(tile_last[c]), .chain_in(chain [8 * ABOVE +:8]),
                      .chain_out(chain [8 * BELOW +:8]));
end end
    // A row's sum is in the register below when its last element has left the last row's cell.
    for (genvar c = 0; c < COLUMNS; c = c + 1) begin :
    bottom assign sum_valid[c] = valid[(ROWS - 1) * (COLUMNS + 1) + c + 1];
end endmodule
