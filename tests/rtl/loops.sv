// SPDX-License-Identifier: Apache-2.0
// Address registers and hardware loops: where the program goes on after the word that leaves decode, and from
// which word on the instruction buffer should keep what it holds.
module loops #(
    parameter int REGISTER_BITS = 64,
    parameter int PC_BITS = 24
) (
    input  logic                                clk,
    input  logic                                reset,
    input  logic                                leave,     // the word leaves decode in this cycle
    input  logic [isa_pkg::kWordBits-1:0]       word,
    input  logic [PC_BITS-1:0]                  pc,
    input  logic [23:0]                         read_word, // of the scratchpad, for a read_address
    input  logic [PC_BITS-1:0]                  capacity,  // words of the largest body that stays buffered
    output logic [16*REGISTER_BITS-1:0]         registers,
    output logic [PC_BITS-1:0]                  next_pc,
    output logic [PC_BITS-1:0]                  keep,      // first word to keep
    output logic                                refused    // a loop too deep, or not inside the one around it
);
  localparam int kDepth = isa_pkg::kLoopDepth;
  localparam int kSteps = isa_pkg::kLoopSteps;
  localparam int kEndBits = PC_BITS + 1;

  // Level 0 is the outermost loop.
  logic [2:0] depth_q, depth;
  logic [kDepth*PC_BITS-1:0] start_q;
  logic [kDepth*kEndBits-1:0] end_q;  // the word behind the body
  logic [kDepth*24-1:0] remaining_q;
  logic [kDepth*kSteps*4-1:0] step_reg_q;
  logic [kDepth*kSteps*32-1:0] step_bytes_q;
  logic [kDepth*kSteps*REGISTER_BITS-1:0] saved_q;
  logic [16*REGISTER_BITS-1:0] registers_q, after;

  // The word itself: set_address, add_address, read_address and loop.
  logic is_loop, is_set, is_add, is_read;
  assign is_loop = word[10:0] == isa_pkg::kLoop;
  assign is_set = word[10:0] == isa_pkg::kSetAddress;
  assign is_add = word[10:0] == isa_pkg::kAddAddress;
  assign is_read = word[10:0] == isa_pkg::kReadAddress;
  logic [REGISTER_BITS-1:0] value, offset;
  logic [71:0] product;  // the low 48 bits hold it: extent and stride are no larger together
  assign value = {{(REGISTER_BITS - 47) {word[218]}}, word[217:171]};
  assign product = {48'b0, read_word} * {24'b0, word[51+:48]};
  assign offset = {{(REGISTER_BITS - 48) {1'b0}}, product[47:0]};
  // A loop's steps, 36 bits each: the first beside the others, since an address stands between.
  logic [kSteps*36-1:0] steps;
  assign steps = {word[254:147], word[86:51]};
  logic [kEndBits-1:0] new_end;
  assign new_end = {1'b0, pc} + {{(kEndBits - 16) {1'b0}}, word[35+:16]} + 1'b1;
  logic [kEndBits-1:0] innermost_end;
  always_comb begin
    innermost_end = '1;
    for (int l = 0; l < kDepth; l++) if (depth_q == 3'(l + 1)) innermost_end = end_q[l*kEndBits+:kEndBits];
  end
  // How often a loop runs: a register says it, or the word.
  logic [REGISTER_BITS-1:0] times;
  logic skips;  // a loop of no iteration
  assign times = word[143+:4] == '0 ? {{(REGISTER_BITS - 24) {1'b0}}, word[11+:24]}
                                    : registers_q[word[143+:4]*REGISTER_BITS+:REGISTER_BITS];
  assign skips = is_loop && times == '0;
  assign refused = is_loop && (depth_q == 3'(kDepth) || new_end > innermost_end ||
                               times > {{(REGISTER_BITS - 24) {1'b0}}, word[11+:24]});
  logic [kEndBits-1:0] behind;  // the next word, were there no loops around it
  assign behind = skips ? new_end : {1'b0, pc} + 1'b1;

  // Loops whose body ends with this word, from the innermost: those that are through are left, the first that
  // is not goes into its next iteration.
  logic [kDepth-1:0] left, iterates;
  always_comb begin
    logic ends;
    left = '0;
    iterates = '0;
    ends = 1'b1;
    for (int l = kDepth - 1; l >= 0; l--) begin
      if (depth_q > 3'(l) && (!is_loop || skips)) begin
        ends = ends && end_q[l*kEndBits+:kEndBits] == behind;
        left[l] = ends && remaining_q[l*24+:24] == 24'd1;
        iterates[l] = ends && !left[l];
        ends = left[l];
      end
    end
  end

  // The registers after the word: its own effect, then what left loops restore, then the steps.
  always_comb begin
    logic [REGISTER_BITS-1:0] stepped;
    after = registers_q;
    for (int r = 1; r < 16; r++) begin
      if (word[11+:4] == 4'(r)) begin
        if (is_set) after[r*REGISTER_BITS+:REGISTER_BITS] = value;
        if (is_read) after[r*REGISTER_BITS+:REGISTER_BITS] = value + offset;
        if (is_add) begin
          after[r*REGISTER_BITS+:REGISTER_BITS] = registers_q[r*REGISTER_BITS+:REGISTER_BITS] + value;
        end
      end
    end
    stepped = '0;
    for (int l = kDepth - 1; l >= 0; l--) begin
      if (left[l] || iterates[l]) begin
        for (int s = 0; s < kSteps; s++) begin
          stepped = left[l] ? saved_q[(l*kSteps+s)*REGISTER_BITS+:REGISTER_BITS]
                            : after[step_reg_q[(l*kSteps+s)*4+:4]*REGISTER_BITS+:REGISTER_BITS] +
                              {{(REGISTER_BITS - 31) {step_bytes_q[(l*kSteps+s)*32+31]}},
                               step_bytes_q[(l*kSteps+s)*32+:31]};
          for (int r = 1; r < 16; r++) begin
            if (step_reg_q[(l*kSteps+s)*4+:4] == 4'(r)) after[r*REGISTER_BITS+:REGISTER_BITS] = stepped;
          end
        end
      end
    end
  end

  always_comb begin
    depth = is_loop && !skips ? depth_q + 3'd1 : depth_q;
    next_pc = behind[PC_BITS-1:0];
    for (int l = 0; l < kDepth; l++) begin
      if (left[l]) depth = depth - 3'd1;
      if (iterates[l]) next_pc = start_q[l*PC_BITS+:PC_BITS];
    end
  end

  // The outermost loop that fits stays in the buffer. The word that opens a loop counts as inside it.
  always_comb begin
    logic found;
    logic [PC_BITS-1:0] level_start;
    logic [kEndBits-1:0] level_end;
    keep = next_pc;
    found = 1'b0;
    level_start = '0;
    level_end = '0;
    for (int l = 0; l < kDepth; l++) begin
      level_start = is_loop && !skips && depth_q == 3'(l) ? pc + 1'b1 : start_q[l*PC_BITS+:PC_BITS];
      level_end = is_loop && !skips && depth_q == 3'(l) ? new_end : end_q[l*kEndBits+:kEndBits];
      if (!found && depth > 3'(l) && level_end - {1'b0, level_start} <= {1'b0, capacity}) begin
        found = 1'b1;
        if (level_start < next_pc) keep = level_start;
      end
    end
  end

  assign registers = registers_q;

  always_ff @(posedge clk) begin
    if (reset) begin
      depth_q <= '0;
      registers_q <= '0;
    end else if (leave) begin
      depth_q <= depth;
      registers_q <= after;
      for (int l = 0; l < kDepth; l++) begin
        if (iterates[l]) remaining_q[l*24+:24] <= remaining_q[l*24+:24] - 24'd1;
        if (is_loop && !skips && depth_q == 3'(l)) begin
          start_q[l*PC_BITS+:PC_BITS] <= pc + 1'b1;
          end_q[l*kEndBits+:kEndBits] <= new_end;
          remaining_q[l*24+:24] <= times[23:0];
          for (int s = 0; s < kSteps; s++) begin
            step_reg_q[(l*kSteps+s)*4+:4] <= steps[36*s+:4];
            step_bytes_q[(l*kSteps+s)*32+:32] <= steps[36*s+4+:32];
            saved_q[(l*kSteps+s)*REGISTER_BITS+:REGISTER_BITS] <=
                registers_q[steps[36*s+:4]*REGISTER_BITS+:REGISTER_BITS];
          end
        end
      end
    end
  end
endmodule
