// SPDX-License-Identifier: Apache-2.0
// From an instruction's fields and the address registers to the bytes that it touches, and whether it may:
// operands outside their memory, and written rows that overlap, stop the machine.
module operands #(
    parameter int REGISTER_BITS = 64
) (
    input  isa_pkg::fields_t                 f,
    input  logic [16*REGISTER_BITS-1:0]      registers,
    input  isa_pkg::capacities_t             capacity,
    output isa_pkg::footprint_t              footprint,
    output logic [31:0]                      a,          // addresses with their registers added
    output logic [31:0]                      b,
    output logic [31:0]                      dst,
    output logic [47:0]                      dram,
    output logic                             refused
);
  logic vector, load, store, link, reduces;  // link: to or from another chip
  assign link = f.op == isa_pkg::kSend || f.op == isa_pkg::kReceive;
  assign vector = f.unit == isa_pkg::kUnitVector;
  assign load = f.unit == isa_pkg::kUnitLoad;
  assign store = f.unit == isa_pkg::kUnitStore;
  assign reduces = f.kind == isa_pkg::kReduce || f.kind == isa_pkg::kSelect;

  // What moves against the weight of a matmul.
  isa_pkg::format_t weight;
  assign weight = isa_pkg::format_of(f.b_format);

  // Lines, and elements of a line, of each operand. `a` defaults to rows of cols elements.
  logic a_used, b_used, dst_used;
  logic [24:0] b_elements;  // twice the columns for a norm with gains and biases
  logic [23:0] a_lines, b_lines, dst_lines, a_elements, dst_elements, a_stride, b_stride;
  logic [5:0] a_format, b_format, dst_format;
  logic [7:0] a_skipped;
  logic [23:0] rows;
  assign rows = {8'b0, f.rows};

  always_comb begin
    a_used = (f.unit != isa_pkg::kFrontEnd && f.op != isa_pkg::kLoad && f.op != isa_pkg::kReceive) || f.op == isa_pkg::kReadAddress;
    a_lines = rows;
    a_stride = f.a_stride;
    a_format = f.a_format;
    a_elements = f.cols;
    a_skipped = '0;
    case (f.op)
      isa_pkg::kGather: begin  // one 32-bit index a row
        a_stride = 24'd4;
        a_format = isa_pkg::kU32;
        a_elements = 24'd1;
      end
      isa_pkg::kSend: a_format = isa_pkg::kU8;
      isa_pkg::kReadAddress: begin  // one 32-bit word
        a_lines = 24'd1;
        a_format = isa_pkg::kU32;
        a_elements = 24'd1;
      end
      isa_pkg::kPreload:
      if (!f.order_kn) begin
        a_lines = f.cols;
        a_elements = rows + {16'b0, f.k_offset};
        a_skipped = f.k_offset;
      end
      isa_pkg::kMultiply: begin
        a_elements = {8'b0, f.depth} + {16'b0, f.k_offset};
        a_skipped = f.k_offset;
      end
      isa_pkg::kTake: a_elements = f.extent;
      isa_pkg::kTakeRows: a_lines = f.extent;
      isa_pkg::kMatmul: begin
        a_format = weight.moving;
        a_elements = {8'b0, f.depth};
      end
      default: ;
    endcase
  end

  always_comb begin
    b_used = f.has_b;
    b_lines = f.kind == isa_pkg::kNorm ? 24'd1 : rows;
    b_stride = f.b_stride;
    b_format = f.b_format;
    b_elements = f.per_row ? 25'd1 : f.op == isa_pkg::kLayerNorm ? {f.cols, 1'b0} : {1'b0, f.cols};
    case (f.op)
      isa_pkg::kTakeRows, isa_pkg::kPutRows, isa_pkg::kAddRows, isa_pkg::kSoftmaxSink: b_elements = 25'd1;
      isa_pkg::kRotary: b_elements = {13'b0, f.rotate};
      isa_pkg::kMatmul: begin
        b_lines = f.order_kn ? {8'b0, f.depth} : f.cols;
        b_elements = f.order_kn ? {1'b0, f.cols} : {9'b0, f.depth};
      end
      default: ;
    endcase
  end

  always_comb begin
    dst_used = vector || load || f.op == isa_pkg::kMultiply || f.op == isa_pkg::kMatmul;
    dst_lines = rows;
    dst_format = load ? isa_pkg::kU8 : f.dst_format;
    dst_elements = f.op == isa_pkg::kTopK ? {8'b0, f.depth} : reduces ? 24'd1 : f.cols;
    if (f.op == isa_pkg::kPutRows || f.op == isa_pkg::kAddRows) dst_lines = f.extent;
    if (f.op == isa_pkg::kTranspose || (f.op == isa_pkg::kMultiply && f.transposed)) begin
      dst_lines = f.cols;
      dst_elements = rows;
    end
  end

  logic a_outside, b_outside, dst_outside, dram_outside;
  local_range #(.REGISTER_BITS(REGISTER_BITS)) range_a (
      .used(a_used), .address(f.a), .register_value(registers[f.a_reg*REGISTER_BITS+:REGISTER_BITS]),
      .lines(a_lines), .stride(a_stride), .format(a_format), .skipped(a_skipped), .elements({1'b0, a_elements}),
      .capacity(capacity), .range(footprint.a), .resolved(a), .outside(a_outside)
  );
  local_range #(.REGISTER_BITS(REGISTER_BITS)) range_b (
      .used(b_used), .address(f.b), .register_value(registers[f.b_reg*REGISTER_BITS+:REGISTER_BITS]),
      .lines(b_lines), .stride(b_stride), .format(b_format), .skipped(8'b0), .elements(b_elements),
      .capacity(capacity), .range(footprint.b), .resolved(b), .outside(b_outside)
  );
  local_range #(.REGISTER_BITS(REGISTER_BITS)) range_dst (
      .used(dst_used), .address(f.dst), .register_value(registers[f.dst_reg*REGISTER_BITS+:REGISTER_BITS]),
      .lines(dst_lines), .stride(f.dst_stride), .format(dst_format), .skipped(8'b0),
      .elements({1'b0, dst_elements}), .capacity(capacity), .range(footprint.dst), .resolved(dst),
      .outside(dst_outside)
  );

  // Loads count columns in bytes; stores write whole numbers of 1, 2 or 4 bytes.
  logic [25:0] dram_row;
  always_comb begin
    dram_row = {2'b0, f.cols};
    if (store) begin
      case (f.dst_format)
        isa_pkg::kF32, isa_pkg::kU32:  dram_row = {f.cols, 2'b0};
        isa_pkg::kF16, isa_pkg::kBf16: dram_row = {1'b0, f.cols, 1'b0};
        default: ;
      endcase
    end
  end
  dram_range #(.REGISTER_BITS(REGISTER_BITS)) range_dram (
      .used((load || store) && !link), .address(f.dram),
      .register_value(registers[f.dram_reg*REGISTER_BITS+:REGISTER_BITS]), .rows(f.op == isa_pkg::kGather ? f.table_rows : rows),
      .stride(f.dram_stride), .row_bytes(dram_row), .capacity(capacity), .range(footprint.dram),
      .outside(dram_outside)
  );
  assign dram = footprint.dram.first;
  assign footprint.dst_read = f.accumulate || f.op == isa_pkg::kAddRows;
  assign footprint.dram_read = load && !link;
  assign footprint.dram_write = store && !link;

  logic sums, rows_overlap;  // sums are rows of 4 bytes an element
  assign sums = f.op == isa_pkg::kMultiply || f.op == isa_pkg::kMatmul;
  assign rows_overlap = (f.rows != 16'd1 && ((load && {2'b0, f.dst_stride} < dram_row) ||
                                             (store && f.dram_stride < {6'b0, dram_row}))) ||
                        (sums && dst_lines != 24'd1 && {2'b0, f.dst_stride} < {dst_elements, 2'b0});
  assign refused = a_outside || b_outside || dst_outside || dram_outside || rows_overlap || link;  // no machine has links
endmodule
