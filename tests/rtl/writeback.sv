// SPDX-License-Identifier: Apache-2.0
// Writeback: retires instructions from the cycle after they finished, at most `ports` a cycle, the oldest
// first.
module writeback #(
    parameter int ENTRIES = 32
) (
    input  logic                       clk,
    input  logic                       reset,
    input  logic                       stop,
    input  logic [6:0]                 ports,     // of this machine
    input  logic [isa_pkg::kFaults-1:0] fault,
    input  logic [ENTRIES-1:0]         finished,  // a bit for each scoreboard entry
    input  logic [ENTRIES*ENTRIES-1:0] older,
    output logic [ENTRIES-1:0]         retired,
    output logic [3:0]                 state
);
  logic [ENTRIES-1:0] done_q, late_q, rivals;
  logic [6:0] ahead;

  // An entry retires when fewer finished ones than there are ports are older.
  always_comb begin
    retired = '0;
    rivals = '0;
    ahead = '0;
    for (int i = 0; i < ENTRIES; i++) begin
      if (done_q[i]) begin
        rivals = fault[isa_pkg::kFaultYoungestFirst] ? done_q & ~older[i*ENTRIES+:ENTRIES]
                                                     : done_q & older[i*ENTRIES+:ENTRIES];
        ahead = {6'b0, fault[isa_pkg::kFaultYoungestFirst]} * 7'h7f;  // itself is among them
        for (int j = 0; j < ENTRIES; j++) begin
          if (rivals[j]) ahead = ahead + 1'b1;
        end
        retired[i] = ahead < ports;
      end
    end
  end

  always_comb begin
    if (stop) state = isa_pkg::kHalted;
    else if (done_q == '0) state = isa_pkg::kIdle;
    else state = (done_q & ~retired) == '0 ? isa_pkg::kBusy : isa_pkg::kWritebackWait;
  end

  always_ff @(posedge clk) begin
    late_q <= reset ? '0 : finished;
    done_q <= reset ? '0
                    : (done_q & ~retired) | (fault[isa_pkg::kFaultLateRetirement] ? late_q : finished);
  end
endmodule
