// SPDX-License-Identifier: Apache-2.0
// The result bus of one column: the total of the cell that drives it, and whether more than one does.
module array_bus #(parameter CELLS = 4)(input logic [CELLS - 1 : 0] drives,
                                        input logic [32 * CELLS - 1 : 0] totals, output logic driven,
                                        output logic conflict, output logic [31 : 0] value);
always_comb begin driven = 1'b0;
conflict = 1'b0;
value = 0;
for (int m = 0; m < CELLS; m = m + 1) begin conflict = conflict | (driven & drives[m]);
driven = driven | drives[m];
value = value | (drives[m] ? totals [32 * m +:32] : 0);
end end endmodule
