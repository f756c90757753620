// SPDX-License-Identifier: Apache-2.0
// The instruction pipeline of the machine: fetch, decode with scoreboard, dispatch, writeback. Memory and the
// units are outside. Parameters size the hardware; the limits are those of one machine, at most the
// parameters. Everything starts in the first cycle after reset.
module pipeline #(
    parameter int ENTRIES = 32,       // scoreboard
    parameter int BUFFER_WORDS = 64,  // instruction buffer
    parameter int BURST_WORDS = 2,
    parameter int REQUESTS = 1,       // bursts that memory may accept, and return, in one cycle
    parameter int PC_BITS = 24,
    parameter int REGISTER_BITS = 64,
    parameter int FAULTS = 0,         // 1: the faults of isa_pkg can be switched on
    parameter int ID_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1,
    parameter int SLOT_BITS = $clog2(BUFFER_WORDS),
    parameter int TAG_BITS = PC_BITS + 8
) (
    input  logic                                clk,
    input  logic                                reset,
    input  logic [isa_pkg::kFaults-1:0]         fault,
    // The machine.
    input  logic [3:0]                          burst_shift,  // log2 of the words of a burst
    input  logic [SLOT_BITS:0]                  buffer_words,
    input  logic [6:0]                          requests_in_flight,
    input  logic [ID_BITS:0]                    entries,
    input  logic [8:0]                          queue_depth,
    input  logic [6:0]                          writeback_ports,
    input  logic [31:0]                         scratchpad_bytes,
    input  logic [31:0]                         accumulator_bytes,
    input  logic [48:0]                         dram_bytes,
    // The program.
    input  logic [47:0]                         base,
    input  logic [PC_BITS-1:0]                  words,
    // Memory.
    output logic [REQUESTS-1:0]                 request_valid,
    output logic [REQUESTS*48-1:0]              request_address,
    output logic [REQUESTS*TAG_BITS-1:0]        request_tag,
    input  logic [REQUESTS-1:0]                 request_granted,
    input  logic [REQUESTS-1:0]                 arrived,
    input  logic [REQUESTS*TAG_BITS-1:0]        arrived_tag,
    input  logic [REQUESTS*BURST_WORDS*256-1:0] arrived_words,
    // Units: what is put into a queue; a bit for each scoreboard entry whose instruction leaves its queue,
    // and whose results are complete.
    output logic                                issued,
    output logic [ID_BITS-1:0]                  issued_id,
    output logic                                dispatched,
    output logic [ID_BITS-1:0]                  dispatched_id,
    output logic [2:0]                          dispatched_unit,
    output isa_pkg::instruction_t               dispatched_instruction,
    input  logic [ENTRIES-1:0]                  left_queue,
    input  logic [ENTRIES-1:0]                  finished,
    output logic [ENTRIES-1:0]                  retired,
    // The scratchpad's answer to decode's read_address.
    input  logic                                word_read,
    input  logic [31:0]                         read_word,
    // What happens in this cycle.
    output logic                                decoded,
    output logic [PC_BITS-1:0]                  pc,
    output logic                                left_decode,  // the word in decode is done with there
    output logic                                stopped,      // halt is done, or the machine cannot go on
    output logic                                trap,         // the latter
    output logic [3:0]                          fetch_state,
    output logic [3:0]                          decode_state,
    output logic [2:0]                          decode_waits_for,
    output logic [3:0]                          dispatch_state,
    output logic [3:0]                          writeback_state
);
  logic [isa_pkg::kFaults-1:0] active_fault;
  assign active_fault = FAULTS != 0 ? fault : '0;

  // The buffer holds whole bursts. A loop need not begin or end at a burst's border, so that a body of the
  // buffer's size less two bursts is sure to stay.
  logic [SLOT_BITS:0] burst_words, two_bursts, whole_words, loop_words;
  logic [PC_BITS-1:0] loop_capacity;
  assign burst_words = (SLOT_BITS + 1)'(1) << burst_shift;
  assign two_bursts = burst_words << 1;
  assign whole_words = buffer_words & ~(burst_words - 1'b1);
  assign loop_words = whole_words > two_bursts ? whole_words - two_bursts : '0;
  assign loop_capacity = PC_BITS'(loop_words);

  isa_pkg::capacities_t capacity;
  assign capacity.scratchpad = scratchpad_bytes;
  assign capacity.accumulator = accumulator_bytes;
  assign capacity.dram = dram_bytes;

  logic word_valid, move, issue;
  logic [255:0] word;
  logic [PC_BITS-1:0] next_pc, keep;
  logic [ID_BITS-1:0] id;
  logic [2:0] unit;
  isa_pkg::instruction_t instruction;
  logic [ENTRIES*ENTRIES-1:0] older;

  fetch #(
      .BUFFER_WORDS(BUFFER_WORDS), .BURST_WORDS(BURST_WORDS), .REQUESTS(REQUESTS), .PC_BITS(PC_BITS)
  ) fetch_stage (
      .clk(clk), .reset(reset), .burst_shift(burst_shift), .buffer_words(whole_words),
      .requests_in_flight(requests_in_flight), .base(base), .words(words),
      .early_word(active_fault[isa_pkg::kFaultEarlyWord]), .request_valid(request_valid),
      .request_address(request_address), .request_tag(request_tag), .request_granted(request_granted),
      .arrived(arrived), .arrived_tag(arrived_tag), .arrived_words(arrived_words), .pc(pc),
      .word_valid(word_valid), .word(word), .move(move), .next_pc(next_pc), .keep(keep), .stop(stopped),
      .state(fetch_state)
  );

  decode #(.ENTRIES(ENTRIES), .PC_BITS(PC_BITS), .REGISTER_BITS(REGISTER_BITS)) decode_stage (
      .clk(clk), .reset(reset), .words(words), .capacity(capacity), .loop_capacity(loop_capacity),
      .entries(entries), .queue_depth(queue_depth), .fault(active_fault), .pc(pc), .word_valid(word_valid),
      .word(word), .move(move), .next_pc(next_pc), .keep(keep), .issue(issue), .id(id), .unit(unit),
      .instruction(instruction), .left_queue(left_queue), .retired(retired), .older(older),
      .word_read(word_read), .read_word(read_word), .decoded(decoded), .stop(stopped), .trap(trap), .state(decode_state), .waits_for(decode_waits_for)
  );
  assign issued = issue;
  assign issued_id = id;
  assign left_decode = move || (stopped && !trap);

  dispatch #(.ID_BITS(ID_BITS)) dispatch_stage (
      .clk(clk), .reset(reset), .stop(stopped), .late(active_fault[isa_pkg::kFaultLateDispatch]),
      .valid(issue), .id(id), .unit(unit), .instruction(instruction), .out_valid(dispatched),
      .out_id(dispatched_id), .out_unit(dispatched_unit), .out_instruction(dispatched_instruction),
      .state(dispatch_state)
  );

  writeback #(.ENTRIES(ENTRIES)) writeback_stage (
      .clk(clk), .reset(reset), .stop(stopped), .ports(writeback_ports), .fault(active_fault),
      .finished(finished), .older(older), .retired(retired), .state(writeback_state)
  );
endmodule
