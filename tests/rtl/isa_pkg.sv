// SPDX-License-Identifier: Apache-2.0
// Constants of the instruction set (sim/isa/README.md) and the bundles that travel between the modules.
// Not every user of the package needs every constant:
/* verilator lint_off UNUSEDPARAM */
package isa_pkg;

  localparam int kWordBits = 256;
  localparam int kLoopDepth = 4;
  localparam int kLoopSteps = 4;

  // Opcodes: bits 7 .. 0 of a word.
  localparam logic [7:0] kNop = 8'h00;
  localparam logic [7:0] kHalt = 8'h01;
  localparam logic [7:0] kFence = 8'h02;
  localparam logic [7:0] kLoop = 8'h03;
  localparam logic [7:0] kSetAddress = 8'h04;
  localparam logic [7:0] kAddAddress = 8'h05;
  localparam logic [7:0] kLoad = 8'h06;
  localparam logic [7:0] kGather = 8'h07;
  localparam logic [7:0] kStore = 8'h08;
  localparam logic [7:0] kPreload = 8'h09;
  localparam logic [7:0] kMultiply = 8'h0a;
  localparam logic [7:0] kAdd = 8'h0b;
  localparam logic [7:0] kMul = 8'h0c;
  localparam logic [7:0] kScale = 8'h0d;
  localparam logic [7:0] kCopy = 8'h0e;
  localparam logic [7:0] kConvert = 8'h0f;
  localparam logic [7:0] kSilu = 8'h10;
  localparam logic [7:0] kRmsNorm = 8'h11;
  localparam logic [7:0] kSoftmax = 8'h12;
  localparam logic [7:0] kRotary = 8'h13;
  localparam logic [7:0] kTranspose = 8'h14;
  localparam logic [7:0] kReduceSum = 8'h15;
  localparam logic [7:0] kReduceMax = 8'h16;
  localparam logic [7:0] kArgmax = 8'h17;
  localparam logic [7:0] kMatmul = 8'h18;

  // Units: where an instruction executes; also the bit of a fence's set.
  localparam logic [2:0] kFrontEnd = 3'd0;
  localparam logic [2:0] kUnitLoad = 3'd1;
  localparam logic [2:0] kUnitStore = 3'd2;
  localparam logic [2:0] kUnitMatrix = 3'd3;
  localparam logic [2:0] kUnitVector = 3'd4;

  // Number formats.
  localparam logic [3:0] kF32 = 4'd0;
  localparam logic [3:0] kF16 = 4'd1;
  localparam logic [3:0] kBf16 = 4'd2;
  localparam logic [3:0] kQ8 = 4'd3;
  localparam logic [3:0] kQ4 = 4'd4;
  localparam logic [3:0] kU8 = 4'd5;
  localparam logic [3:0] kU32 = 4'd6;
  localparam logic [3:0] kI8 = 4'd7;
  localparam logic [3:0] kI4 = 4'd8;

  // What a stage does in a cycle: up to kFenceWait in the order of sim/observe/event.h, whose states of the units
  // and of memory no stage has.
  localparam logic [3:0] kIdle = 4'd0;
  localparam logic [3:0] kBusy = 4'd1;
  localparam logic [3:0] kFetchWait = 4'd2;
  localparam logic [3:0] kBufferFull = 4'd3;
  localparam logic [3:0] kReadAfterWrite = 4'd4;
  localparam logic [3:0] kWriteAfterRead = 4'd5;
  localparam logic [3:0] kWriteAfterWrite = 4'd6;
  localparam logic [3:0] kQueueFull = 4'd7;
  localparam logic [3:0] kScoreboardFull = 4'd8;
  localparam logic [3:0] kFenceWait = 4'd9;
  localparam logic [3:0] kWritebackWait = 4'd14;
  localparam logic [3:0] kHalted = 4'd15;

  // Faults that a test can switch on, to see that it would find them (bit numbers).
  localparam int kFaults = 10;
  localparam int kFaultLateDispatch = 0;    // dispatched one cycle late
  localparam int kFaultLateRetirement = 1;  // retired one cycle late
  localparam int kFaultLateRelease = 2;     // hazards are free one cycle after retirement
  localparam int kFaultNoReadAfterWrite = 3;
  localparam int kFaultNoWriteAfterRead = 4;
  localparam int kFaultNoWriteAfterWrite = 5;
  localparam int kFaultEarlyWord = 6;      // a word is usable in the cycle in which it arrives
  localparam int kFaultForgetLoop = 7;     // the buffer keeps no loop bodies
  localparam int kFaultQueueEntry = 8;     // the queues have one entry more
  localparam int kFaultYoungestFirst = 9;  // writeback prefers the youngest

  // The fields of a word, zero where the opcode lacks one. Only those that the front end looks at.
  typedef struct packed {
    logic [7:0]  op;
    logic        known;  // an opcode of this version
    logic [2:0]  unit;
    logic [31:0] a;
    logic [3:0]  a_reg;
    logic [23:0] a_stride;
    logic [3:0]  a_format;
    logic [31:0] b;
    logic [3:0]  b_reg;
    logic [23:0] b_stride;
    logic [3:0]  b_format;
    logic [31:0] dst;
    logic [3:0]  dst_reg;
    logic [23:0] dst_stride;
    logic [3:0]  dst_format;
    logic [47:0] dram;
    logic [3:0]  dram_reg;
    logic [31:0] dram_stride;
    logic [15:0] rows;
    logic [23:0] cols;
    logic [15:0] depth;
    logic [7:0]  k_offset;
    logic        order_kn;
    logic        accumulate;
    logic        transposed;
    logic [11:0] rotate;
  } fields_t;

  // Bytes [first, last) of the scratchpad or the accumulator memory.
  typedef struct packed {
    logic        used;
    logic        accumulator;
    logic [31:0] first;
    logic [31:0] last;
  } local_range_t;

  // Bytes [first, last) of DRAM; last may be 2^48.
  typedef struct packed {
    logic [47:0] first;
    logic [48:0] last;
  } dram_range_t;

  // What an instruction touches: it reads a and b, writes dst (and reads it when it accumulates), and reads
  // or writes one range of DRAM.
  typedef struct packed {
    local_range_t a;
    local_range_t b;
    local_range_t dst;
    logic         dst_read;
    dram_range_t  dram;
    logic         dram_read;
    logic         dram_write;
  } footprint_t;

  // Sizes of the memories in bytes.
  typedef struct packed {
    logic [31:0] scratchpad;
    logic [31:0] accumulator;
    logic [48:0] dram;
  } capacities_t;

  // An instruction as dispatch hands it to its unit: the word, the addresses with their registers added.
  typedef struct packed {
    logic [255:0] word;
    logic [31:0]  a;
    logic [31:0]  b;
    logic [31:0]  dst;
    logic [47:0]  dram;
  } instruction_t;

endpackage
/* verilator lint_on UNUSEDPARAM */
