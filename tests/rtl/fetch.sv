// SPDX-License-Identifier: Apache-2.0
// Fetch: keeps a window [low, high) of the program in the instruction buffer, asks for the next bursts as
// long as there is room, and moves the window as decode goes on. Several bursts may be granted, and arrive,
// in a cycle.
module fetch #(
    parameter int BUFFER_WORDS = 64,
    parameter int BURST_WORDS = 2,
    parameter int REQUESTS = 4,
    parameter int PC_BITS = 24,
    parameter int SLOT_BITS = $clog2(BUFFER_WORDS),
    parameter int TAG_BITS = PC_BITS + 8
) (
    input  logic                                clk,
    input  logic                                reset,
    // Limits of this machine: log2 of the words of a burst, words of the buffer in whole bursts, bursts under
    // way. The program: its address, aligned to a burst, and its length.
    input  logic [3:0]                          burst_shift,
    input  logic [SLOT_BITS:0]                  buffer_words,
    input  logic [6:0]                          requests_in_flight,
    input  logic [47:0]                         base,
    input  logic [PC_BITS-1:0]                  words,
    input  logic                                early_word,      // a fault, see isa_pkg
    // Memory: requests in order, of which the first ones may be granted; tags come back with the words.
    output logic [REQUESTS-1:0]                 request_valid,
    output logic [REQUESTS*48-1:0]              request_address,
    output logic [REQUESTS*TAG_BITS-1:0]        request_tag,
    input  logic [REQUESTS-1:0]                 request_granted,
    input  logic [REQUESTS-1:0]                 arrived,
    input  logic [REQUESTS*TAG_BITS-1:0]        arrived_tag,
    input  logic [REQUESTS*BURST_WORDS*256-1:0] arrived_words,
    // Decode: the word at pc, if it is here; on `move` it goes on at next_pc and needs the words from `keep`
    // on.
    input  logic [PC_BITS-1:0]                  pc,
    output logic                                word_valid,
    output logic [255:0]                        word,
    input  logic                                move,
    input  logic [PC_BITS-1:0]                  next_pc,
    input  logic [PC_BITS-1:0]                  keep,
    input  logic                                stop,
    output logic [3:0]                          state
);
  localparam int kCountBits = SLOT_BITS + 1;

  logic running_q;
  logic [PC_BITS-1:0] low_q, high_q, low, high;  // words
  logic [SLOT_BITS-1:0] low_slot_q, high_slot_q, low_slot, high_slot;
  logic [6:0] in_flight_q, in_flight;
  logic [7:0] epoch_q, epoch;  // a burst asked for before a jump is dropped when it arrives
  logic [BUFFER_WORDS-1:0] present_q, present;
  logic [255:0] buffer_q[0:BUFFER_WORDS-1];

  // The slot `distance` words after `slot`; distance is at most the buffer's size.
  function automatic logic [SLOT_BITS-1:0] slot_after(
      input logic [SLOT_BITS-1:0] slot, input logic [kCountBits-1:0] distance,
      input logic [kCountBits-1:0] size);
    logic [kCountBits:0] sum;
    sum = {2'b0, slot} + {1'b0, distance};
    if (sum >= {1'b0, size}) sum = sum - {1'b0, size};
    slot_after = sum[SLOT_BITS-1:0];
  endfunction

  logic [PC_BITS-1:0] in_burst;  // mask of the word within its burst
  logic [kCountBits-1:0] burst_words;
  assign in_burst = (PC_BITS'(1) << burst_shift) - 1'b1;
  assign burst_words = kCountBits'(1) << burst_shift;

  // The word for decode. It is usable from the cycle after its arrival on.
  logic [SLOT_BITS-1:0] pc_slot;
  assign pc_slot = slot_after(low_slot_q, kCountBits'(pc - low_q), buffer_words);
  assign word_valid = pc < high_q && (early_word ? present[pc_slot] : present_q[pc_slot]);
  assign word = buffer_q[pc_slot];

  // The window after decode has moved. A jump out of it empties it.
  logic jump;
  logic [PC_BITS-1:0] keep_burst;
  assign jump = move && (next_pc < low_q || next_pc > high_q ||
                         (next_pc == high_q && (high_q & in_burst) != '0));
  assign keep_burst = keep & ~in_burst;
  always_comb begin
    low = low_q;
    high = high_q;
    low_slot = low_slot_q;
    high_slot = high_slot_q;
    if (jump) begin
      low = next_pc & ~in_burst;
      high = low;
      low_slot = '0;
      high_slot = '0;
    end else if (move && keep_burst > low_q) begin
      low = keep_burst;
      low_slot = slot_after(low_slot_q, kCountBits'(keep_burst - low_q), buffer_words);
    end
  end
  assign epoch = epoch_q + {7'b0, jump};

  // Arrivals: the words before the window are dropped, since a loop of no iteration may have skipped what was under
  // way, and their slots are others' by now.
  logic [REQUESTS-1:0] taken;
  logic [REQUESTS*SLOT_BITS-1:0] taken_slot;
  always_comb begin
    logic [PC_BITS-1:0] first;
    taken = '0;
    taken_slot = '0;
    first = '0;
    for (int i = 0; i < REQUESTS; i++) begin
      first = arrived_tag[i*TAG_BITS+:PC_BITS];
      taken[i] = arrived[i] && arrived_tag[i*TAG_BITS+PC_BITS+:8] == epoch_q && first >= low_q;
      taken_slot[i*SLOT_BITS+:SLOT_BITS] = slot_after(low_slot_q, kCountBits'(first - low_q), buffer_words);
    end
  end

  // Which words are then there.
  always_comb begin
    in_flight = in_flight_q;
    present = present_q;
    for (int i = 0; i < REQUESTS; i++) begin
      in_flight = in_flight - {6'b0, arrived[i]};
      for (int w = 0; w < BURST_WORDS; w++) begin
        if (taken[i] && kCountBits'(w) < burst_words) begin
          present[taken_slot[i*SLOT_BITS+:SLOT_BITS]+SLOT_BITS'(w)] = 1'b1;
        end
      end
    end
  end

  // Requests: as many further bursts as there is program, room, and leave to ask for.
  logic [6:0] granted;
  logic [PC_BITS-1:0] granted_high;
  logic [SLOT_BITS-1:0] granted_slot;
  logic [BUFFER_WORDS-1:0] overwritten;
  always_comb begin
    logic [PC_BITS-1:0] first, after;
    logic [SLOT_BITS-1:0] slot;
    request_valid = '0;
    request_address = '0;
    request_tag = '0;
    granted = '0;
    granted_high = high;
    granted_slot = high_slot;
    overwritten = '0;
    first = high;
    slot = high_slot;
    after = '0;
    for (int i = 0; i < REQUESTS; i++) begin
      after = first + PC_BITS'(burst_words);
      request_valid[i] = running_q && !stop && first < words && in_flight + 7'(i) < requests_in_flight &&
                         after - low <= PC_BITS'(buffer_words);
      request_address[i*48+:48] = base + {{(43 - PC_BITS) {1'b0}}, first, 5'b0};
      request_tag[i*TAG_BITS+:TAG_BITS] = {epoch, first};
      if (request_granted[i]) begin
        for (int w = 0; w < BURST_WORDS; w++) begin
          if (kCountBits'(w) < burst_words) overwritten[slot+SLOT_BITS'(w)] = 1'b1;
        end
        granted = granted + 1'b1;
        granted_high = after < words ? after : words;
        granted_slot = slot_after(slot, burst_words, buffer_words);
      end
      first = after;
      slot = slot_after(slot, burst_words, buffer_words);
    end
  end

  always_comb begin
    if (!running_q || stop) state = isa_pkg::kHalted;
    else if (in_flight != '0 || request_valid[0]) state = isa_pkg::kBusy;
    else state = high < words ? isa_pkg::kBufferFull : isa_pkg::kIdle;
  end

  always_ff @(posedge clk) begin
    if (reset) begin
      running_q <= 1'b1;
      low_q <= '0;
      high_q <= '0;
      low_slot_q <= '0;
      high_slot_q <= '0;
      in_flight_q <= '0;
      epoch_q <= '0;
      present_q <= '0;
    end else begin
      running_q <= running_q && !stop;
      low_q <= low;
      high_q <= granted_high;
      low_slot_q <= low_slot;
      high_slot_q <= granted_slot;
      in_flight_q <= in_flight + granted;
      epoch_q <= epoch;
      present_q <= present & ~overwritten;
    end
  end

  always_ff @(posedge clk) begin
    for (int i = 0; i < REQUESTS; i++) begin
      for (int w = 0; w < BURST_WORDS; w++) begin
        if (taken[i] && kCountBits'(w) < burst_words) begin
          buffer_q[taken_slot[i*SLOT_BITS+:SLOT_BITS]+SLOT_BITS'(w)] <=
              arrived_words[(i*BURST_WORDS+w)*256+:256];
        end
      end
    end
  end
endmodule
