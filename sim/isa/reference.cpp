// SPDX-License-Identifier: Apache-2.0
// The definition of the instruction set, which the machine and the interpreter of the tests implement. A test
// asks for every mnemonic.
#include "isa/reference.h"

namespace tokencycle::isa {

std::string_view reference() {
  return R"text(STATE THAT A PROGRAM SEES

  u8    scratchpad[]               # written s:ADDRESS
  f32 or i32 accumulator[]         # written a:ADDRESS (bytes); sums: fp32, or int32 of i8 and i4 products
  u8    dram[2^48]
  i64   r[16]                      # address registers; r[0] is always 0; signed; an operand outside its memory stops the machine; 0 at start
  tile  active, shadow             # the array's stationary operand, double-buffered
  f32 or i32 group_sum[m][n]       # sums of a reduction group that is not finished

A local operand dst=s:0x100+r1 is the byte 0x100 + r[1] of the scratchpad, read when the word is
decoded. Units execute out of order with each other, in order in themselves; the scoreboard holds an
instruction while an earlier one conflicts with its byte ranges, so the result is that of the words
one after the other, without fences. "Stops" below: the machine stops with an error that names the
word.

FRONT END

  nop
  halt                             # waits until everything before it has retired, then the run ends
  fence units                      # decode waits until all earlier instructions of these units have retired
  set_address reg value            # r[reg] = value
  add_address reg value            # r[reg] = r[reg] + value
  read_address reg value a word_stride extent
                                   # r[reg] = value + word_stride * u32 at scratchpad[a]; below extent, else the machine stops
  signal semaphore units           # once these units (none: at once) are empty, as for fence: count[semaphore] += 1, from the next cycle on
  wait semaphore                   # decode waits until count[semaphore] > 0, then count[semaphore] -= 1
  loop count length times steps[4] # runs the following `length` words `count` times, with a register `times` as often as it says

read_address waits until no earlier instruction writes its word: an expert that a router chose, a
page of a cache. The greatest address, value + word_stride * (extent - 1), is known before the word
is. The 16 counts are zero at a program's start; cores share them. What nothing signals is waited
for until the watchdog names it.

  saved = r
  n = times == 0 ? count : r[times]    # 0 .. count, else the machine stops
  for i < n:                       # n = 0 continues behind the body
    run the body                   # may hold loops, 4 in all
    if i < n - 1:
      for s in steps: r[s.reg] = r[s.reg] + s.bytes
  for s in steps: r[s.reg] = saved[s.reg]

So nests compose: an outer loop's step moves the base that an inner loop starts from. Registers that
the body sets keep what it left. An inner loop lies wholly inside the outer body; both may end on
one word. count and length are at least 1; unused steps come last.

DMA

  load:    for r < rows:                                     # cols in bytes
             scratchpad[dst + r*dst_stride ..+ cols] = dram[dram + r*dram_stride ..+ cols]

  gather:  for r < rows:
             index = u32 at scratchpad[a + 4*r]              # below table_rows, else the machine stops
             scratchpad[dst + r*dst_stride ..+ cols] = dram[dram + index*dram_stride ..+ cols]

  store:   for r < rows: for c < cols:                       # cols in elements; a: scratchpad, or accumulator (f32, u32)
             dst_format at dram[dram + r*dram_stride + c*size(dst_format)] =
               convert(a_format at a[r*a_stride + c*size(a_format)])

store takes equal formats (f32, f16, bf16, u8, u32; rows of block formats, i8 and i4 are stored as
u8, int32 sums as u32) or narrows f32 to f16 or bf16, to nearest even. Strides are unsigned bytes; 0
reads one row again and again. Written rows must not overlap, since bursts arrive in any order: else
it stops. send and receive move rows of cols bytes over a link to another chip; no machine has links
yet, so each refuses them by name.

MATRIX UNIT

Reduction groups, formats and the order of sums are those of sim/numerics/README.md;
group(k) = (k_offset + k) / 32 (16 for some). Arrays that are output-stationary take matmul, all others preload and multiply; an
array stops at an instruction of the other kind.

A tile (or b of a matmul) in f32, f16 or bf16 meets moving rows (or a) of the same format; a block
format the activations of its row (q8_0, q8_1, q8_k); i8 and i4 meet i8. In a multiply either side
may be the weights. Other pairs stop. The operand with fewer bits says which multipliers are needed.

  preload:   for k < rows: for n < cols:                     # fills the shadow tile
               order nk:  shadow[k][n] = element (k_offset + k) of the encoded row at a + n*a_stride
               order kn:  shadow[k][n] = element n of the encoded row at a + k*a_stride

- rows counts k values, cols n values. A second preload before a swap replaces the shadow tile.
- Order nk: k_offset (0 .. 255; even for i4) is the first element within each encoded row; in block
  formats a is at a block. Order kn (not for block formats): k_offset (0 .. 31) only says at which
  place of its group the first k stands.

  multiply:  if swap: active = shadow                        # the most recently preloaded tile
             for m < rows: for n < cols:
               place  = transposed ? dst + n*dst_stride + 4*m : dst + m*dst_stride + 4*n
               sum    = open ? 0 : group_sum[m][n]
               total  = accumulate ? accumulator[place] : +0.0
               folded = false
               for k < depth:
                 if k > 0 and (k_offset + k) % 32 == 0:      # a group's border inside the pass
                   total = total + term(sum); folded = true; sum = 0
                 x   = element (k_offset + k) of the encoded row at a + m*a_stride
                 sum = sum + x * active[k][n]                # block formats: i32 on the q values; floats: fp32, k ascending
               if close: total = total + term(sum); folded = true
               else:     group_sum[m][n] = sum
               if folded: accumulator[place] = total

- term(sum) is (d_x * d_w) * float(sum) for block formats, with the scales of the group's block, and
  sum for floats.
- A swap takes a preloaded tile once. depth is at most the tile's k values, cols at most its n
  values, k_offset equals the tile's modulo 32, and a pass that crosses a group's border begins at
  one; else it stops.
- A pass without open continues the sums of the multiply just before it, which had the same rows,
  cols and no close.
- Rows of sums (columns, when transposed) must not overlap. If no group folds in a pass the
  accumulator is not touched; the one that folds first says whether it starts from +0.
- One group of 32 in an array with 16 rows: depth=16 k_offset=0 open, then depth=16 k_offset=16
  close. With 64 rows two at once: depth=64 open close.
- Plain integers have no groups: one int32 sum of all k, modulo 2^32; k_offset may differ from the
  tile's (even for i4), a pass needs both open and close.

matmul streams both operands; nothing is preloaded and no group stays open. Both begin at a block.

  matmul:    for m < rows: for n < cols:
               total = accumulate ? accumulator[dst + m*dst_stride + 4*n] : +0.0
               for g < ceil(depth / 32):                     # i8, i4: one sum of all k, i32 modulo 2^32, no term()
                 sum = 0
                 for k from 32*g to min(32*g + 32, depth) - 1:
                   x   = element k of the encoded row at a + m*a_stride          # in activation_format(b_format)
                   w   = order nk: element k of the encoded row at b + n*b_stride
                         order kn: element n of the encoded row at b + k*b_stride        # no block formats
                   sum = sum + x * w                         # as in multiply
                 total = total + term(sum)
               accumulator[dst + m*dst_stride + 4*n] = total

rows is at most the array's rows and cols at most its columns; depth has no such limit.

VECTOR UNIT

A[r][c] is the element at a + r*a_stride + c*size, D and B the same for dst and b; f32 unless said,
for r < rows, c < cols. a may lie in the accumulator memory where it is f32. All operands are read
before the first result is written, so dst may overlap them. The arithmetic is that of
sim/numerics/README.md; a function's time is its passes through the lanes, in sim/isa/vector/table.cpp.

  map          D[r][c] = f(A[r][c])
    copy  square  sqrt  rsqrt  relu  sigmoid  silu  tanh  gelu (by erf)  gelu_tanh
    exp  softplus
    scale  add_scalar  max_scalar  min_scalar                # f(A[r][c], scalar)
    convert:   row r of D in dst_format = encode_row(dst_format, decode_row(a_format, row r of A))
               # any format that is decoded to any that is encoded; cols is a multiple of their blocks
  zip          D[r][c] = f(A[r][c], per_row ? B[r][0] : B[r][c])       # b_stride 0 repeats one row
    add  sub  mul  div  max  min                             # max, min: a unless b is larger, smaller
  reduce       D[r][0] = f(A[r])                             # one f32 per row, dst_stride apart
    reduce_sum  reduce_mean  reduce_max  reduce_min          # by pairwise_sum; the mean divides by cols
  norm         D[r] = f(A[r], B[0], epsilon = scalar)
    rms_norm:  gain = B[0]
    layer_norm: gain = B[0][0 .. cols), bias = B[0][cols .. 2 cols)
  softmax:     v = min(cols, valid + (causal ? r : 0))       # valid >= 1
               D[r] in dst_format (f32, f16, bf16) = softmax(A[r] * scalar over the first v columns), +0 from v on
    softmax_sink:                                            # the same without scalar; B: one f32, or with per_row one a row, side by side
               the sum has exp(B) in it, which has no result of its own
  select
    argmax:    D[r][0] = u32, the smallest c whose A[r][c] is the row's maximum
    top_k:     D[r][0 .. depth) = u32, the places of the row's largest, in falling order; of equal ones the earlier first
  move
    take:      D[r][c] = A[r][B[r][c]]                       # B: u32; an index below extent, else the machine stops
    take_rows: D[r] = A[B[r][0]]                             # A has extent rows; rows of f32, or of any 4 bytes
    put_rows:  D[B[r][0]] = A[r]                             # D has extent rows; r ascending, so the last one stays
    add_rows:  D[B[r][0]] = D[B[r][0]] + A[r]                # r ascending
    transpose: D[c][r] = A[r][c]                             # a_format f32, f16 or bf16; dst has cols rows, dst_stride apart
    rotary:    for h < cols / head: for i < rotate / 2:      # cols a multiple of head; rotate even, 2 .. head
                 (p, q) = pairs == adjacent ? (2i, 2i + 1) : (i, i + rotate/2)     # within head h
                 (cos, sin) = B[r][2i], B[r][2i + 1]         # row r of the table [rotate/2][2]
                 D[r][h*head + p] = A[..p]*cos - A[..q]*sin
                 D[r][h*head + q] = A[..p]*sin + A[..q]*cos
               elements rotate .. head-1 of every head are copied

ASSEMBLY TEXT

One instruction per line, operands named by their fields in any order; ; starts a comment. Operands
left out are 0, f32, nk or adjacent; flags are bare words.

  load dst=s:0x100+r1 dst_stride=68 dram=0x4000+r2 dram_stride=68 rows=32 cols=68    ; s: scratchpad, +rN: register
  multiply a=s:0x0 a_stride=68 a_format=q8_0 dst=a:0x0 dst_stride=64 rows=8 cols=16 depth=32 swap open close    ; a: accumulator
  matmul a=s:0x0 a_stride=68 b=s:0x400 b_stride=36 b_format=q4_0 order=nk dst=a:0x0 dst_stride=64 rows=8 cols=16 depth=64
  softmax dst=s:0x800 a=s:0x400 rows=1 cols=64 scalar=0.125 valid=10 causal dst_format=f16
  fence units=load,matrix
  set_address r1=0x100
  add_address r1=-64
  read_address r2=0x4000 a=s:0x80 word_stride=0x12000 extent=8    ; the word is 0 .. 7
  loop count=8 times=r4 until=done r1+=2176 r3+=-128    ; until=LABEL behind the body's last instruction, or length=WORDS
    ...
  done:

Numbers are decimal or 0x hexadecimal; scalar is decimal.

  .data ADDRESS FORMAT V V*N ...: bytes that are in DRAM before the program starts; f32, f16, bf16,
    u8, u32, i8, or hex with two digits per byte; V*N is V N times; .data + continues the previous
    segment
  .operator NAME [layer=N], .end: the words between belong to this operator
  .declare NAME [layer=N]: names an operator ahead of its words, which fixes the order of the
    operators
  .machine NAME: the machine that the program is for

Names with other than letters, digits and _ . - / : stand in double quotes, with \", \\ and \xHH.
assemble(disassemble(p)) == p for every valid program. A whole one: tests/isa/programs/matmul.tcasm.
)text";
}

}  // namespace tokencycle::isa
