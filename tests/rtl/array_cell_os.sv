// SPDX-License-Identifier: Apache-2.0
// One cell of the output-stationary array: it keeps its sum, and puts it on its column's bus in the cycle
// after the last multiply-add. A step is one cycle.
module array_cell_os(input logic clock, input logic reset,
                     // the wave: both operands carry the same flags, those of the left one are used
                     input logic valid,
                     input logic first,  // of the k values: the sum begins with `old`
                     input logic last,
                     input logic used,  // the sum is wanted on the bus
                     input logic signed [7 : 0] x, input logic signed [7 : 0] w,
                     input logic signed [31 : 0] old,  // the column's input bus
                     output logic right_valid, output logic right_first, output logic right_last,
                     output logic right_used, output logic signed [7 : 0] right_x,
                     output logic signed [7 : 0] below_w,
                     output logic drives,  // the result bus
                     output logic signed [31 : 0] total);
wire signed [15:0] product = x * w;

assign drives = right_valid & right_last & right_used;

always_ff @(posedge clock) begin right_valid <= valid;
right_first <= first;
right_last <= last;
right_used <= used;
right_x <= x;
below_w <= w;
if (valid) total <= (first ? old : total) + 32'(product); if (reset) right_valid <= 1'b0;
end endmodule
