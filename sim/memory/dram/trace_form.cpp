// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/trace_form.h"

#include <algorithm>

namespace tokencycle::memory {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// `word` in upper or lower case.
bool is(std::string_view word, std::string_view upper) {
  return std::equal(word.begin(), word.end(), upper.begin(), upper.end(),
                    [](char c, char u) { return c == u || c == (u | 0x20); });
}

bool is_decimal(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// True where `word` is the read word or the write word.
bool take_kind(std::string_view word, std::string_view read, std::string_view write, bool& is_write) {
  is_write = is(word, write);
  return is_write || is(word, read);
}

bool read_plain(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count < 1 || !take_kind(w[0], "R", "W", f.write)) return false;
  if (w.count > 3 || w[1].find(',') != std::string_view::npos) return false;
  f.address = w[1];
  f.time = w[2];
  return true;
}

bool read_load_store(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count != 2 || !take_kind(w[0], "LD", "ST", f.write)) return false;
  f.address = w[1];
  return true;
}

bool read_address_first(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count != 2 || !take_kind(w[1], "R", "W", f.write)) return false;
  f.address = w[0];
  return true;
}

bool read_address_first_clock(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count != 3 || !take_kind(w[1], "READ", "WRITE", f.write)) return false;
  f.address = w[0];
  f.time = w[2];
  return true;
}

// CLOCK: [(BYTES)]read|write ADDRESS [DATA]
bool read_stl(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count < 3 || w.count > 4 || w[0].size() < 2 || w[0].back() != ':') return false;
  std::string_view kind = w[1];
  if (kind.front() == '(') {
    const std::size_t close = kind.find(')');
    if (close == std::string_view::npos) return false;
    f.bytes = kind.substr(1, close - 1);
    kind.remove_prefix(close + 1);
  }
  if (!take_kind(kind, "READ", "WRITE", f.write)) return false;
  f.time = w[0].substr(0, w[0].size() - 1);
  f.address = w[2];
  return true;
}

// [PACKET,]r|w|u,ADDRESS,BYTES,[FLAGS,]TICK[,PC]; PC is there only beside FLAGS.
bool read_gem5(const DramTraceWords& w, DramTraceFields& f) {
  if (!w.commas || w.count > DramTraceWords::kMost) return false;
  const std::size_t kind = is_decimal(w[0]) ? 1 : 0;
  if (w.count < kind + 4 || w.count > kind + 6 || !take_kind(w[kind], "R", "W", f.write)) return false;
  f.address = w[kind + 1];
  f.bytes = w[kind + 2];
  f.time = w[w.count == kind + 4 ? kind + 3 : kind + 4];
  return true;
}

bool read_gem5_other(const DramTraceWords& w, DramTraceFields&) {
  return w.commas && w.count >= 4 && (is(w[0], "U") || is(w[1], "U"));
}

// INSTRUCTIONS ADDRESS [WRITE-BACK]
bool read_instructions(const DramTraceWords& w, DramTraceFields& f) {
  if (w.commas || w.count < 2 || w.count > 3 || !is_decimal(w[0]) || !is_decimal(w[1])) return false;
  f.address = w[1];
  f.write_back = w[2];
  return true;
}

bool read_vector(const DramTraceWords& w, DramTraceFields& f) {
  return w.commas && w.count >= 3 && w[0].size() > 2 && is_blank(w[0][1]) &&
         take_kind(w[0].substr(0, 1), "R", "W", f.write);
}

// Sources: the readers of Ramulator 1 (Processor.cpp, Main.cpp) and 2 (loadstore_trace.cpp,
// readwrite_trace.cpp), of DRAMsim3 (common.cc), of DRAMSys 5 (StlPlayer.cpp), and gem5's
// util/decode_packet_trace.py.
constexpr DramTraceForm kForms[] = {
    {"tokencycle", "R|W ADDRESS [CLOCK]", "R 0x1f40 120", DramTraceTime::clocks, "", "", read_plain,
     DramTracePlain::kind_first},
    {"Ramulator 2, loads and stores", "LD|ST ADDRESS", "LD 0x229f6f80", DramTraceTime::none, "", "",
     read_load_store},
    {"Ramulator, memory", "ADDRESS R|W", "0x12345680 R", DramTraceTime::none, "", "", read_address_first,
     DramTracePlain::address_first},
    {"DRAMSys", "CLOCK: [(BYTES)]read|write ADDRESS [DATA]", "31: read 0x400140", DramTraceTime::clocks,
     "data; its clocks are taken as the memory's", "", read_stl},
    {"DRAMsim3", "ADDRESS READ|WRITE CLOCK", "0x1000 READ 0", DramTraceTime::clocks, "", "",
     read_address_first_clock},
    {"gem5, decoded packets", "[PACKET,]r|w,ADDRESS,BYTES,[FLAGS,]TICK[,PC]", "r,4096,64,256,1000",
     DramTraceTime::picoseconds, "flags and program counters; a tick is taken as 1 ps", "", read_gem5},
    {"gem5, decoded packets", "", "", DramTraceTime::none, "",
     "gem5's decoder writes u for what is neither ReadReq nor WriteReq; record at a port where those pass, "
     "or rewrite u as r or w",
     read_gem5_other},
    {"Ramulator, instructions", "INSTRUCTIONS ADDRESS [WRITE-BACK]", "3 20734016", DramTraceTime::none,
     "the instructions between requests", "", read_instructions},
    {"Ramulator 2, address vectors", "", "", DramTraceTime::none, "",
     "these are places of one organisation of channels, ranks, banks, rows and columns, not addresses; write "
     "addresses instead, as in \"R 0x1f40 120\"",
     read_vector},
};

}  // namespace

DramTraceWords split_trace_line(std::string_view line) {
  DramTraceWords out;
  out.commas = line.find(',') != std::string_view::npos;
  const auto between = [&out](char c) { return out.commas ? c == ',' : is_blank(c); };
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  for (std::size_t at = 0; at < line.size();) {
    while (at < line.size() && (between(line[at]) || is_blank(line[at]))) ++at;
    std::size_t end = at;
    while (end < line.size() && !between(line[end])) ++end;
    if (end == at) break;
    if (out.count >= DramTraceWords::kMost) {
      out.count = DramTraceWords::kMost + 1;
      break;
    }
    out.words[out.count++] = line.substr(at, end - at);
    at = end;
  }
  return out;
}

std::span<const DramTraceForm> dram_trace_forms() {
  return kForms;
}

}  // namespace tokencycle::memory
