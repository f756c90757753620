// SPDX-License-Identifier: Apache-2.0
// Decode: one word a cycle, taken when the one before has left. Loops, registers, fence and halt are done
// here; other instructions leave for dispatch in the first cycle in which the scoreboard knows no obstacle.
module decode #(
    parameter int ENTRIES = 32,
    parameter int PC_BITS = 24,
    parameter int REGISTER_BITS = 64,
    parameter int ID_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1
) (
    input  logic                        clk,
    input  logic                        reset,
    input  logic [PC_BITS-1:0]          words,
    input  isa_pkg::capacities_t        capacity,
    input  logic [PC_BITS-1:0]          loop_capacity,
    input  logic [ID_BITS:0]            entries,
    input  logic [8:0]                  queue_depth,
    input  logic [isa_pkg::kFaults-1:0] fault,
    // Fetch.
    output logic [PC_BITS-1:0]          pc,
    input  logic                        word_valid,
    input  logic [255:0]                word,
    output logic                        move,
    output logic [PC_BITS-1:0]          next_pc,
    output logic [PC_BITS-1:0]          keep,
    // Dispatch.
    output logic                        issue,
    output logic [ID_BITS-1:0]          id,
    output logic [2:0]                  unit,
    output isa_pkg::instruction_t       instruction,
    // Units and writeback, a bit for each scoreboard entry.
    input  logic [ENTRIES-1:0]          left_queue,
    input  logic [ENTRIES-1:0]          retired,
    output logic [ENTRIES*ENTRIES-1:0]  older,
    // The scratchpad's answer to a read_address, from the cycle in which it is there.
    input  logic                        word_read,
    input  logic [31:0]                 read_word,
    // What happens in this cycle.
    output logic                        decoded,      // a word is taken from the buffer
    output logic                        stop,         // halt is done, or the machine cannot go on
    output logic                        trap,         // the latter
    output logic [3:0]                  state,
    output logic [2:0]                  waits_for     // 1 + the unit that it waits for, 0: for none
);
  logic running_q, holding_q;
  logic [PC_BITS-1:0] pc_q;
  assign pc = pc_q;

  isa_pkg::fields_t f;
  fields word_fields (.word(word), .f(f));

  logic leave, loop_refused, operands_refused;
  logic [16*REGISTER_BITS-1:0] registers;
  logic [PC_BITS-1:0] loop_start;
  loops #(.REGISTER_BITS(REGISTER_BITS), .PC_BITS(PC_BITS)) loop_nest (
      .clk(clk), .reset(reset), .leave(leave), .word(word), .pc(pc_q), .read_word(read_word[23:0]),
      .capacity(loop_capacity), .registers(registers), .next_pc(next_pc), .keep(loop_start), .refused(loop_refused)
  );
  assign keep = fault[isa_pkg::kFaultForgetLoop] ? next_pc : loop_start;

  isa_pkg::footprint_t footprint;
  operands #(.REGISTER_BITS(REGISTER_BITS)) word_operands (
      .f(f), .registers(registers), .capacity(capacity), .footprint(footprint), .a(instruction.a),
      .b(instruction.b), .dst(instruction.dst), .dram(instruction.dram), .refused(operands_refused)
  );
  assign instruction.word = word;
  assign unit = f.unit;

  logic [3:0] obstacle;
  logic [2:0] blocker;
  logic [4:0] unit_active;
  logic unwritten;
  logic [2:0] writer;
  scoreboard #(.ENTRIES(ENTRIES), .ID_BITS(ID_BITS)) board (
      .clk(clk), .reset(reset), .entries(entries), .queue_depth(queue_depth), .fault(fault), .unit(f.unit),
      .footprint(footprint), .insert(issue), .obstacle(obstacle), .blocker(blocker), .id(id),
      .unwritten(unwritten), .writer(writer), .left_queue(left_queue), .retired(retired), .unit_active(unit_active), .older(older)
  );

  // The word stays in the buffer while it waits, so that it needs no register here.
  logic present, ends, front_end, fence_waits;
  assign ends = pc_q >= words;
  assign present = running_q && !ends && word_valid;
  assign decoded = present && !holding_q && f.known && !operands_refused;
  assign front_end = f.unit == isa_pkg::kFrontEnd;

  // fence and halt wait for units without an instruction in flight; reported in the order of the units.
  logic [4:0] awaited;
  logic [2:0] fence_unit;
  always_comb begin
    awaited = '0;
    if (f.op == isa_pkg::kHalt) awaited = unit_active;
    if (f.op == isa_pkg::kFence || f.op == isa_pkg::kSignal) awaited = unit_active & word[15:11];
    fence_unit = '0;
    for (int u = 4; u >= 1; u--) if (awaited[u]) fence_unit = 3'(u);
  end
  assign fence_waits = awaited != '0;

  // A wait needs a count above zero, which it takes one off.
  logic [isa_pkg::kSemaphores*16-1:0] counts_q;
  logic [3:0] sem_id;
  logic is_wait, semaphore_waits;
  assign sem_id = word[22:19];
  assign is_wait = f.op == isa_pkg::kWait;
  assign semaphore_waits = is_wait && counts_q[sem_id*16+:16] == '0;

  // A read_address waits for what writes its word, then for the scratchpad. A word beyond its bound stops the
  // machine.
  logic is_read, read_waits, beyond;
  assign is_read = f.op == isa_pkg::kReadAddress;
  assign read_waits = is_read && (unwritten || !word_read);
  assign beyond = is_read && !read_waits && read_word >= {8'b0, f.extent};

  assign trap = running_q && (ends || (present && !holding_q &&
                              (!f.known || operands_refused || loop_refused)) || (present && beyond));
  assign leave = present && !trap && (front_end ? !fence_waits && !semaphore_waits && !read_waits
                                                : obstacle == isa_pkg::kBusy);
  assign issue = leave && !front_end;
  assign stop = !running_q || trap || (leave && f.op == isa_pkg::kHalt);
  assign move = leave && f.op != isa_pkg::kHalt;

  always_comb begin
    waits_for = '0;
    if (stop) state = isa_pkg::kHalted;
    else if (leave) state = isa_pkg::kBusy;
    else if (!present) state = isa_pkg::kFetchWait;
    else begin
      state = semaphore_waits ? isa_pkg::kSemaphoreWait : front_end ? isa_pkg::kFenceWait : obstacle;
      if (is_read) state = unwritten ? isa_pkg::kReadAfterWrite : isa_pkg::kWordWait;
      waits_for = 3'd1 + (is_read && unwritten ? writer : front_end ? fence_unit : blocker);
    end
  end

  always_ff @(posedge clk) begin
    if (reset) begin
      running_q <= 1'b1;
      counts_q <= '0;
      holding_q <= 1'b0;
      pc_q <= '0;
    end else begin
      running_q <= !stop;
      holding_q <= present && !leave;
      if (move) pc_q <= next_pc;
      if (leave && is_wait) counts_q[sem_id*16+:16] <= counts_q[sem_id*16+:16] - 1'b1;
      if (leave && f.op == isa_pkg::kSignal) counts_q[sem_id*16+:16] <= counts_q[sem_id*16+:16] + 1'b1;
    end
  end
endmodule
