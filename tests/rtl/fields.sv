// SPDX-License-Identifier: Apache-2.0
// The fields of an instruction word: the table "Encoding" of sim/isa/README.md as wires. Every field has one
// place; a class only says which of those that overlap is meant.
module fields (
    input  logic [isa_pkg::kWordBits-1:0] word,
    output isa_pkg::fields_t              f
);
  logic [10:0] op;
  logic [3:0] kind;
  assign op = word[10:0];
  assign kind = word[10:7];

  logic dma, matrix, vector, link;
  assign link = op == isa_pkg::kSend || op == isa_pkg::kReceive;
  assign dma = kind == isa_pkg::kDma;
  assign matrix = kind == isa_pkg::kMatrix;
  assign vector = kind >= isa_pkg::kMap && kind <= isa_pkg::kMove;

  // Which operands there are.
  logic has_a, has_b, has_dst;
  assign has_a = matrix || vector || op == isa_pkg::kGather || op == isa_pkg::kStore ||
                 op == isa_pkg::kSend || op == isa_pkg::kReadAddress;
  assign has_b = op == isa_pkg::kMatmul || op == isa_pkg::kSoftmaxSink || kind == isa_pkg::kZip || kind == isa_pkg::kNorm ||
                 (kind == isa_pkg::kMove && op != isa_pkg::kTranspose);
  assign has_dst = vector || (dma && op != isa_pkg::kStore && op != isa_pkg::kSend) || (matrix && op != isa_pkg::kPreload);

  always_comb begin
    f = '0;
    f.op = op;
    f.kind = kind;
    f.known = kind <= isa_pkg::kMove;
    f.unit = isa_pkg::kFrontEnd;
    if (dma) f.unit = op == isa_pkg::kStore || op == isa_pkg::kSend ? isa_pkg::kUnitStore : isa_pkg::kUnitLoad;
    if (matrix) f.unit = isa_pkg::kUnitMatrix;
    if (vector) f.unit = isa_pkg::kUnitVector;

    if (dma || matrix || vector) begin
      f.rows = word[11+:16];
      f.cols = word[27+:24];
    end
    if (has_dst) begin
      f.dst = word[51+:32];
      f.dst_reg = word[83+:4];
      f.dst_stride = word[87+:24];
    end
    if (has_a) begin
      f.a = word[111+:32];
      f.a_reg = word[143+:4];
      if (op == isa_pkg::kGather) f.table_rows = word[147+:24];
      else if (op != isa_pkg::kReadAddress) f.a_stride = word[147+:24];
    end
    f.has_b = has_b;
    if (has_b) begin
      f.b = word[171+:32];
      f.b_reg = word[203+:4];
      if (op == isa_pkg::kSoftmaxSink) f.b_stride = word[241] ? 24'd4 : 24'd0;
      else if (kind != isa_pkg::kNorm) f.b_stride = word[207+:24];
    end
    if (dma && !link) begin
      f.dram = word[171+:48];
      f.dram_reg = word[219+:4];
      f.dram_stride = word[223+:32];
    end

    if (op == isa_pkg::kStore) begin
      f.a_format = word[51+:6];
      f.dst_format = word[57+:6];
    end
    if (matrix) begin
      if (op == isa_pkg::kMatmul) f.b_format = word[232+:6];
      else begin
        f.a_format = word[232+:6];
        f.k_offset = word[171+:8];
      end
      if (op != isa_pkg::kMultiply) f.order_kn = word[255];
      if (op != isa_pkg::kPreload) begin
        f.depth = word[238+:16];
        f.accumulate = word[254];
      end
      if (op == isa_pkg::kMultiply) f.transposed = word[182];
    end
    if (op == isa_pkg::kConvert || op == isa_pkg::kTranspose) f.a_format = word[232+:6];
    if (op == isa_pkg::kConvert || kind == isa_pkg::kSoftmax) f.dst_format = word[250+:6];
    if (op == isa_pkg::kTranspose) f.dst_format = word[232+:6];
    if (kind == isa_pkg::kZip) f.per_row = word[241];
    if (op == isa_pkg::kTopK) f.depth = word[238+:16];
    if (op == isa_pkg::kReadAddress || (kind == isa_pkg::kMove && op >= isa_pkg::kTake)) f.extent = word[232+:24];
    if (op == isa_pkg::kRotary) f.rotate = word[244+:12];
  end
endmodule
