// SPDX-License-Identifier: Apache-2.0
// One cell of the weight-stationary array: two weights (the one that multiplies and the next), a register of
// the load chain, and one multiply-add. A step is one cycle.
module array_cell_ws(input logic clock, input logic reset,
                     // the wave: a moving element from the left, a partial sum from above
                     input logic moving_valid,
                     input logic moving_swap,  // the first row of a pass with a new tile: change banks
                     input logic signed [7 : 0] moving, input logic signed [31 : 0] above,
                     output logic right_valid, output logic right_swap, output logic signed [7 : 0] right,
                     output logic signed [31 : 0] below,
                     // the load chain: a weight from above; `capture` takes what comes into the spare bank
                     input logic capture, input logic signed [7 : 0] chain_in,
                     output logic signed [7 : 0] chain_out);
logic signed [7:0] bank_0, bank_1;
logic active;  // as the last element left it
wire now_active = active ^ (moving_valid & moving_swap);
wire signed [7:0] weight = now_active ? bank_1 : bank_0;
wire signed [15:0] product = moving * weight;

always_ff @(posedge clock) begin chain_out <= chain_in;
if (capture & now_active) bank_0 <= chain_in;
if (capture & ~now_active) bank_1 <= chain_in;
right_valid <= moving_valid;
right_swap <= moving_swap;
right <= moving;
below <= above + 32'(product); active <= now_active;
if (reset) begin right_valid <= 1'b0;
active <= 1'b0;
end end endmodule
