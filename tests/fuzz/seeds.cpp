// SPDX-License-Identifier: Apache-2.0
// Writes the inputs from which the search begins: fuzz_seeds FOLDER makes FOLDER/TARGET/NAME.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "fuzz/target.h"

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  for (const tokencycle::fuzz::Target& target : tokencycle::fuzz::targets()) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
    std::filesystem::create_directories(folder);
    for (const tokencycle::fuzz::Seed& seed : target.seeds()) {
      std::ofstream out(folder / seed.name, std::ios::binary | std::ios::trunc);
      out.write(reinterpret_cast<const char*>(seed.bytes.data()),
                static_cast<std::streamsize>(seed.bytes.size()));
      out.close();
      if (!out) {
        std::cerr << "cannot write " << (folder / seed.name).string() << "\n";
        return 7;
      }
    }
  }
  return 0;
}
