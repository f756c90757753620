// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <fmt/format.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the same functions by the widest vectors that the computer has
#else
#include <xxhash.h>
#endif

#include <new>

namespace tokencycle {

struct Digest::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() {
    if (xxh == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(xxh);
  }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

namespace {
std::string text(XXH128_hash_t hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}
}  // namespace

Digest::Digest() : state_(std::make_unique<State>()) {}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

std::string Digest::hex() const {
  return text(XXH3_128bits_digest(state_->xxh));
}

void Digest::restart() {
  XXH3_128bits_reset(state_->xxh);
  XXH3_128bits_update(state_->xxh, folded_.data(), folded_.size());
}

void Digest::fold() {
  folded_ = hex();
  restart();
}

std::string digest_of(std::span<const std::byte> bytes) {
  return text(XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace tokencycle
