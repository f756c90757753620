// SPDX-License-Identifier: Apache-2.0
// The fields of an instruction word: the table "Encoding" of sim/isa/README.md as wires.
module fields (
    input  logic [isa_pkg::kWordBits-1:0] word,
    output isa_pkg::fields_t              f
);
  // Field places that several opcodes share: the local operand, stride and register of an operand at bit p
  // are p +: 32, p + 32 +: 4, p + 36 +: 24.
  logic [7:0] op;
  assign op = word[7:0];

  logic vector;
  assign vector = op >= isa_pkg::kAdd && op <= isa_pkg::kArgmax;

  always_comb begin
    f = '0;
    f.op = op;
    f.known = op <= isa_pkg::kMatmul;
    f.unit = isa_pkg::kFrontEnd;
    // First operand of the DMA writes and of the vector unit is dst, of all others a.
    case (op)
      isa_pkg::kLoad, isa_pkg::kGather: begin
        f.unit = isa_pkg::kUnitLoad;
        f.dst = word[8+:32];
        f.dst_reg = word[40+:4];
        f.dst_stride = word[44+:24];
        if (op == isa_pkg::kGather) begin
          f.a = word[192+:32];
          f.a_reg = word[224+:4];
        end
      end
      isa_pkg::kStore, isa_pkg::kPreload, isa_pkg::kMultiply, isa_pkg::kMatmul: begin
        f.unit = op == isa_pkg::kStore ? isa_pkg::kUnitStore : isa_pkg::kUnitMatrix;
        f.a = word[8+:32];
        f.a_reg = word[40+:4];
        f.a_stride = word[44+:24];
      end
      default:
      if (vector) begin
        f.unit = isa_pkg::kUnitVector;
        f.dst = word[8+:32];
        f.dst_reg = word[40+:4];
        f.dst_stride = word[44+:24];
        f.rows = word[68+:16];
        f.cols = word[84+:24];
        f.a = word[108+:32];
        f.a_reg = word[140+:4];
        f.a_stride = word[144+:24];
      end
    endcase

    case (op)
      isa_pkg::kLoad, isa_pkg::kGather, isa_pkg::kStore: begin
        f.dram = word[68+:48];
        f.dram_reg = word[116+:4];
        f.dram_stride = word[120+:32];
        f.rows = word[152+:16];
        f.cols = word[168+:24];
        if (op == isa_pkg::kStore) begin
          f.a_format = word[192+:4];
          f.dst_format = word[196+:4];
        end
      end
      isa_pkg::kPreload: begin
        f.a_format = word[68+:4];
        f.order_kn = word[72];
        f.k_offset = word[73+:8];
        f.rows = word[81+:16];
        f.cols = word[97+:24];
      end
      isa_pkg::kMultiply: begin
        f.a_format = word[68+:4];
        f.k_offset = word[72+:8];
        f.dst = word[80+:32];
        f.dst_reg = word[112+:4];
        f.dst_stride = word[116+:24];
        f.rows = word[140+:16];
        f.cols = word[156+:24];
        f.depth = word[180+:16];
        f.accumulate = word[197];
        f.transposed = word[200];
      end
      isa_pkg::kMatmul: begin
        f.b = word[68+:32];
        f.b_reg = word[100+:4];
        f.b_stride = word[104+:24];
        f.b_format = word[128+:4];
        f.order_kn = word[132];
        f.dst = word[133+:32];
        f.dst_reg = word[165+:4];
        f.dst_stride = word[169+:24];
        f.rows = word[193+:16];
        f.cols = word[209+:24];
        f.depth = word[233+:16];
        f.accumulate = word[249];
      end
      isa_pkg::kAdd, isa_pkg::kMul, isa_pkg::kRmsNorm, isa_pkg::kRotary: begin
        f.b = word[168+:32];
        f.b_reg = word[200+:4];
        if (op != isa_pkg::kRmsNorm) f.b_stride = word[204+:24];
        if (op == isa_pkg::kRotary) f.rotate = word[240+:12];
      end
      isa_pkg::kConvert: begin
        f.a_format = word[168+:4];
        f.dst_format = word[172+:4];
      end
      isa_pkg::kSoftmax: f.dst_format = word[225+:4];
      isa_pkg::kTranspose: begin
        f.a_format = word[168+:4];
        f.dst_format = word[168+:4];
      end
      default: ;
    endcase
  end
endmodule
