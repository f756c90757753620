// SPDX-License-Identifier: Apache-2.0
// The targets without libFuzzer: inputs that were found once, and seeded changes to the seeds.
//
//   fuzz_replay [--mutations N] [--seed S] [--seconds T] [TARGET] [FILE|FOLDER ...]
//
// FOLDER is named like a target and holds its inputs, or holds such folders. A file NAME.hex is its bytes in
// hexadecimal digits.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "fuzz/support.h"

namespace {

namespace fs = std::filesystem;
using namespace tokencycle::fuzz;
using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t mutations = 0, seed = 1;
  double seconds = 60;  // of changes, a target
  std::vector<const Target*> chosen;
  std::vector<fs::path> inputs;
};

Bytes contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error(path.string() + ": cannot be read");
  if (path.extension() != ".hex") return bytes_of(text.str());
  Bytes bytes;
  std::istringstream words(text.str());
  for (std::string word; words >> word;) {
    for (std::size_t i = 0; i + 1 < word.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoul(word.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// Feeds, and says where the input came from if it is a finding. While it is fed it lies in `keep`, so that it
// is there after a crash too.
bool fed(const Target& target, const Bytes& input, const std::string& origin) {
  const fs::path keep = "finding-" + std::string(target.name);
  {
    std::ofstream out(keep, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
  }
  try {
    const bool accepted = target.feed(input);
    fs::remove(keep);
    return accepted;
  } catch (const std::exception& error) {
    std::cerr << target.name << ": " << origin << ": " << error.what() << "\nthe input is in "
              << keep.string() << "\n";
    std::exit(1);
  }
}

void replay(const Target& target, const fs::path& path) {
  std::vector<fs::path> files;
  if (fs::is_directory(path)) {
    const fs::path own = path.filename() == target.name ? path : path / target.name;
    if (!fs::is_directory(own)) return;
    for (const auto& entry : fs::directory_iterator(own)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  std::size_t accepted = 0;
  for (const fs::path& file : files) accepted += fed(target, contents(file), file.string()) ? 1 : 0;
  std::cout << target.name << ": " << files.size() << " files of " << path.string() << ", " << accepted
            << " accepted\n";
}

void mutate(const Target& target, const Options& options) {
  const std::vector<Seed> seeds = target.seeds();
  Random random(options.seed);
  std::uint64_t done = 0, accepted = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
  for (; done < options.mutations && Clock::now() < end; ++done) {
    const Seed& seed = random.of(seeds);
    const Bytes input = target.mutate(seed.bytes, random);
    const std::string origin = "change " + std::to_string(done) + " of seed " + std::to_string(options.seed);
    accepted += fed(target, input, origin) ? 1 : 0;
  }
  std::cout << target.name << ": " << done << " changed inputs, " << accepted << " accepted\n";
  for (const Seed& seed : seeds) {
    if (fed(target, seed.bytes, "seed " + seed.name)) continue;
    std::cerr << target.name << ": the seed " << seed.name << " is refused\n";
    std::exit(1);
  }
}

Options read_options(int argc, char* argv[]) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool last = i + 1 == argc;
    if (word == "--mutations" && !last) {
      options.mutations = std::stoull(argv[++i]);
    } else if (word == "--seed" && !last) {
      options.seed = std::stoull(argv[++i]);
    } else if (word == "--seconds" && !last) {
      options.seconds = std::stod(argv[++i]);
    } else if (fs::exists(word)) {
      options.inputs.emplace_back(word);
    } else {
      options.chosen.push_back(&target(word));
    }
  }
  if (options.chosen.empty()) {
    for (const Target& t : targets()) options.chosen.push_back(&t);
  }
  return options;
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    const Options options = read_options(argc, argv);
    for (const Target* target : options.chosen) {
      for (const fs::path& path : options.inputs) replay(*target, path);
      if (options.mutations > 0) mutate(*target, options);
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "fuzz_replay: " << error.what() << "\n";
    return 2;
  }
}
