// SPDX-License-Identifier: Apache-2.0
// Signals and their values: what a wave file declares, and what has changed since it was asked last.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::observe {

// Names of the values 0, 1, ... of a signal.
struct WaveNames {
  std::string_view name;  // of the table
  std::vector<std::string> values;
  std::uint32_t bits() const;  // of a signal with these values
};

struct WaveSignal {
  std::string scope;  // "dma0.read"; signals of one scope follow each other, also of its part before a dot
  std::string name;
  std::uint32_t bits = 0;            // 0: text
  const WaveNames* names = nullptr;  // of the values; null for numbers and text
};

// A signal's new value. `text` is the value's name or the text, and empty for numbers.
struct WaveChange {
  std::uint32_t signal = 0;
  std::uint64_t value = 0;
  std::string_view text;
};

class WaveValues {
 public:
  using Index = std::uint32_t;

  WaveValues() = default;
  WaveValues(const WaveValues&) = delete;
  WaveValues& operator=(const WaveValues&) = delete;

  const std::vector<WaveSignal>& signals() const { return signals_; }
  std::uint64_t operator[](Index signal) const { return values_[signal]; }

  // A signal with its first value; `names` stays where it is.
  Index add(std::string_view scope, std::string_view name, std::uint32_t bits,
            const WaveNames* names = nullptr, std::uint64_t initial = 0);
  Index add_text(std::string_view scope, std::string_view name);  // "none"
  // `value`: within the signal's bits.
  void set(Index signal, std::uint64_t value) {
    values_[signal] = value;
    if (!touched_[signal]) {
      touched_[signal] = true;
      touched_list_.push_back(signal);
    }
  }
  void set_text(Index signal, std::string_view text) { set(signal, intern(text)); }
  // Adds, modulo the signal's width.
  void change(Index signal, std::uint64_t by) { set(signal, (values_[signal] + by) & masks_[signal]); }

  // Replaces `changes` by the signals that differ from what was given last, in their order.
  void take_changes(std::vector<WaveChange>& changes);
  // The same for one signal alone.
  void take(Index signal, std::vector<WaveChange>& changes);
  // Replaces it by the values of all signals.
  void take_all(std::vector<WaveChange>& changes);

 private:
  WaveChange change_of(Index signal);
  std::uint64_t intern(std::string_view text);

  std::vector<WaveSignal> signals_;
  std::vector<std::uint64_t> values_, given_, masks_;
  std::vector<bool> touched_;
  std::vector<Index> touched_list_;
  // Texts are numbered; the names of operators and phases are few, so all are kept.
  std::vector<std::string> texts_;
  std::map<std::string, std::uint64_t, std::less<>> text_numbers_;
};

}  // namespace tokencycle::observe
