// SPDX-License-Identifier: Apache-2.0
// Constants of the instruction set (sim/isa/README.md) and the bundles that travel between the modules.
// Not every user of the package needs every constant:
/* verilator lint_off UNUSEDPARAM */
package isa_pkg;

  localparam int kWordBits = 256;
  localparam int kLoopDepth = 4;
  localparam int kSemaphores = 16;
  localparam int kLoopSteps = 4;

  // Classes: bits 10 .. 7 of a word. The vector unit has all from kMap on; a function's number there says what
  // the lanes compute, which the front end need not know unless the bytes that it touches depend on it.
  localparam logic [3:0] kControl = 4'd0;
  localparam logic [3:0] kDma = 4'd1;
  localparam logic [3:0] kMatrix = 4'd2;
  localparam logic [3:0] kMap = 4'd3;
  localparam logic [3:0] kZip = 4'd4;
  localparam logic [3:0] kReduce = 4'd5;
  localparam logic [3:0] kNorm = 4'd6;
  localparam logic [3:0] kSoftmax = 4'd7;
  localparam logic [3:0] kSelect = 4'd8;
  localparam logic [3:0] kMove = 4'd9;

  // Opcodes: bits 10 .. 0, class and function.
  localparam logic [10:0] kNop = {kControl, 7'd0};
  localparam logic [10:0] kHalt = {kControl, 7'd1};
  localparam logic [10:0] kFence = {kControl, 7'd2};
  localparam logic [10:0] kLoop = {kControl, 7'd3};
  localparam logic [10:0] kSetAddress = {kControl, 7'd4};
  localparam logic [10:0] kAddAddress = {kControl, 7'd5};
  localparam logic [10:0] kSignal = {kControl, 7'd6};
  localparam logic [10:0] kWait = {kControl, 7'd7};
  localparam logic [10:0] kReadAddress = {kControl, 7'd8};
  localparam logic [10:0] kLoad = {kDma, 7'd0};
  localparam logic [10:0] kGather = {kDma, 7'd1};
  localparam logic [10:0] kStore = {kDma, 7'd2};
  localparam logic [10:0] kSend = {kDma, 7'd3};
  localparam logic [10:0] kReceive = {kDma, 7'd4};
  localparam logic [10:0] kPreload = {kMatrix, 7'd0};
  localparam logic [10:0] kMultiply = {kMatrix, 7'd1};
  localparam logic [10:0] kMatmul = {kMatrix, 7'd2};
  localparam logic [10:0] kConvert = {kMap, 7'd1};
  localparam logic [10:0] kLayerNorm = {kNorm, 7'd1};
  localparam logic [10:0] kSoftmaxSink = {kSoftmax, 7'd1};
  localparam logic [10:0] kTranspose = {kMove, 7'd0};
  localparam logic [10:0] kRotary = {kMove, 7'd1};
  localparam logic [10:0] kTake = {kMove, 7'd2};
  localparam logic [10:0] kTakeRows = {kMove, 7'd3};
  localparam logic [10:0] kPutRows = {kMove, 7'd4};
  localparam logic [10:0] kAddRows = {kMove, 7'd5};
  localparam logic [10:0] kTopK = {kSelect, 7'd1};

  // Units: where an instruction executes; also the bit of a fence's set.
  localparam logic [2:0] kFrontEnd = 3'd0;
  localparam logic [2:0] kUnitLoad = 3'd1;
  localparam logic [2:0] kUnitStore = 3'd2;
  localparam logic [2:0] kUnitMatrix = 3'd3;
  localparam logic [2:0] kUnitVector = 3'd4;

  // Number formats.
  localparam logic [5:0] kF32 = 6'd0;
  localparam logic [5:0] kF16 = 6'd1;
  localparam logic [5:0] kBf16 = 6'd2;
  localparam logic [5:0] kU8 = 6'd5;
  localparam logic [5:0] kU32 = 6'd6;

  // What the hardware knows of a format, in the order of sim/numerics/formats/table.h: elements of a block as a
  // power of two, its bytes, and the format that moves against it as a weight.
  typedef struct packed {
    logic [3:0] shift;
    logic [8:0] bytes;
    logic [5:0] moving;
  } format_t;
  function automatic format_t format_of(input logic [5:0] code);
    case (code)
      6'd0: format_of = {4'd0, 9'd4, 6'd0};  // f32
      6'd1: format_of = {4'd0, 9'd2, 6'd1};  // f16
      6'd2: format_of = {4'd0, 9'd2, 6'd2};  // bf16
      6'd3: format_of = {4'd5, 9'd34, 6'd3};  // q8_0
      6'd4: format_of = {4'd5, 9'd18, 6'd3};  // q4_0
      6'd5: format_of = {4'd0, 9'd1, 6'd5};  // u8
      6'd6: format_of = {4'd0, 9'd4, 6'd6};  // u32
      6'd7: format_of = {4'd0, 9'd1, 6'd7};  // i8
      6'd8: format_of = {4'd1, 9'd1, 6'd7};  // i4
      6'd9: format_of = {4'd5, 9'd36, 6'd9};  // q8_1
      6'd10: format_of = {4'd5, 9'd20, 6'd9};  // q4_1
      6'd11: format_of = {4'd8, 9'd292, 6'd11};  // q8_k
      6'd12: format_of = {4'd8, 9'd144, 6'd11};  // q4_k
      6'd13: format_of = {4'd8, 9'd176, 6'd11};  // q5_k
      6'd14: format_of = {4'd8, 9'd210, 6'd11};  // q6_k
      6'd15: format_of = {4'd5, 9'd22, 6'd3};  // q5_0
      6'd16: format_of = {4'd5, 9'd24, 6'd9};  // q5_1
      6'd17: format_of = {4'd8, 9'd84, 6'd11};  // q2_k
      6'd18: format_of = {4'd8, 9'd110, 6'd11};  // q3_k
      6'd19: format_of = {4'd5, 9'd17, 6'd3};  // mxfp4
      6'd20: format_of = {4'd5, 9'd18, 6'd3};  // iq4_nl
      6'd21: format_of = {4'd8, 9'd136, 6'd11};  // iq4_xs
      6'd22: format_of = {4'd8, 9'd54, 6'd11};  // tq1_0
      6'd23: format_of = {4'd8, 9'd66, 6'd11};  // tq2_0
      6'd24: format_of = {4'd6, 9'd36, 6'd3};  // nvfp4
      6'd25: format_of = {4'd7, 9'd18, 6'd3};  // q1_0
      6'd26: format_of = {4'd6, 9'd18, 6'd3};  // q2_0
      6'd27: format_of = {4'd0, 9'd1, 6'd1};  // f8_e4m3
      6'd28: format_of = {4'd0, 9'd1, 6'd1};  // f8_e5m2
      default: format_of = {4'd0, 9'd1, code};
    endcase
  endfunction

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
  localparam logic [3:0] kSemaphoreWait = 4'd10;
  localparam logic [3:0] kWordWait = 4'd11;
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
    logic [10:0] op;
    logic [3:0]  kind;   // its class
    logic        known;  // a class of this version
    logic [2:0]  unit;
    logic [31:0] a;
    logic [3:0]  a_reg;
    logic [23:0] a_stride;
    logic [5:0]  a_format;
    logic        has_b;
    logic [31:0] b;
    logic [3:0]  b_reg;
    logic [23:0] b_stride;
    logic [5:0]  b_format;
    logic [31:0] dst;
    logic [3:0]  dst_reg;
    logic [23:0] dst_stride;
    logic [5:0]  dst_format;
    logic [47:0] dram;
    logic [3:0]  dram_reg;
    logic [31:0] dram_stride;
    logic [23:0] table_rows;
    logic [15:0] rows;
    logic [23:0] cols;
    logic [15:0] depth;
    logic [7:0]  k_offset;
    logic        order_kn;
    logic        accumulate;
    logic        transposed;
    logic        per_row;
    logic [23:0] extent;
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
