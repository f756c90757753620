// SPDX-License-Identifier: Apache-2.0
// Dispatch: one register between decode and the units' queues. Decode has counted the queues' room, so that
// what is in it leaves in the next cycle.
module dispatch #(
    parameter int ID_BITS = 5
) (
    input  logic                  clk,
    input  logic                  reset,
    input  logic                  stop,
    input  logic                  late,         // a fault, see isa_pkg
    input  logic                  valid,
    input  logic [ID_BITS-1:0]    id,
    input  logic [2:0]            unit,
    input  isa_pkg::instruction_t instruction,
    output logic                  out_valid,
    output logic [ID_BITS-1:0]    out_id,
    output logic [2:0]            out_unit,
    output isa_pkg::instruction_t out_instruction,
    output logic [3:0]            state
);
  logic valid_q, late_q;
  logic [ID_BITS-1:0] id_q, late_id_q;
  logic [2:0] unit_q;
  isa_pkg::instruction_t instruction_q;

  assign out_valid = late ? late_q : valid_q;
  assign out_id = late ? late_id_q : id_q;
  assign out_unit = unit_q;
  assign out_instruction = instruction_q;
  assign state = stop ? isa_pkg::kHalted : out_valid ? isa_pkg::kBusy : isa_pkg::kIdle;

  always_ff @(posedge clk) begin
    valid_q <= valid && !reset;
    late_q <= valid_q && !reset && late;
    late_id_q <= id_q;
    if (valid) begin
      id_q <= id;
      unit_q <= unit;
      instruction_q <= instruction;
    end
  end
endmodule
