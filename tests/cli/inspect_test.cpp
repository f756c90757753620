// SPDX-License-Identifier: Apache-2.0
// Does inspect find out by content what a file is, and say of the others what they are and what to do?
#include <algorithm>
#include <catch2/catch.hpp>

#include "refusal.h"

using namespace tokencycle;
using Catch::Contains;
using Json = nlohmann::json;
using test::check_refusal;
using test::launch;
using test::launch_reading;
using test::Scratch;

namespace {

const std::string kRoot = TOKENCYCLE_SOURCE_DIR "/";

// `inspect --json` of the file.
Json inspected(const std::string& file) {
  return test::launch_json({"inspect", file});
}

constexpr const char* kQwen =
    R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 64,
  "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "vocab_size": 256, "max_position_embeddings": 512,
  "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "bfloat16"})";

}  // namespace

TEST_CASE("files of every kind are known by their content, whatever their names") {
  const Scratch scratch;
  const std::string config = scratch.file("any name", std::string("\xEF\xBB\xBF") + kQwen);
  const Json of_config = inspected(config);
  CHECK(of_config["kind"] == "config.json");
  CHECK(of_config["cannot_run"].is_null());
  CHECK(of_config["tensors"].size() > 20);
  CHECK(inspected(scratch.model())["kind"] == "gguf");
  CHECK(inspected("edge")["kind"] == "machine");
  CHECK(inspected("ddr4-3200")["kind"] == "memory");
  for (const std::string option : {"-c", "--config", "-m", "--model", "--input"})
    CHECK(launch({"inspect", option, "edge"}).out == launch({"inspect", "edge"}).out);
  const Json memory = inspected(kRoot + "configs/dram/hbm2-2000.json");
  CHECK(memory["kind"] == "memory");
  CHECK(memory["standard"] == "HBM2");
  const Json requests = inspected(kRoot + "traces/dram/sample.trace");
  CHECK(requests["kind"] == "requests");
  CHECK(requests["reads"].get<int>() > 0);
  const Json stl = inspected(scratch.file("t.stl", "0: read 0x40\n5: write 0x80\n"));
  CHECK(stl["kind"] == "requests");
  CHECK(stl["writes"] == 1);
  CHECK(stl["highest_address"] == 0x80);
  const Json list = inspected(scratch.file("l.csv", "Layer Name, M, N, K,\r\nG1, 5, 7, 9,\r\n"));
  CHECK(list["kind"] == "products");
  CHECK(list["layers"][0]["multiply_accumulates"] == 315);
  CHECK(inspected(kRoot + "tests/isa/programs/matmul.tcasm")["kind"] == "program");
}

TEST_CASE("a model's context is no limit of a run that takes less of it") {
  const Scratch scratch;
  const auto with = [](const char* key, std::uint64_t context) {
    Json config = Json::parse(kQwen);
    config.erase("max_position_embeddings");
    config[key] = context;
    return config.dump();
  };
  const auto cycles = [&](const char* key, std::uint64_t context) {
    const std::string file = scratch.file("config.json", with(key, context)), result = scratch / "r.json";
    const test::Outcome o = launch({"run", "-m", file, "--timing-only", "--prompt-tokens", "4", "-n", "2",
                                    "-q", "--context", "64", "--result", result});
    INFO(o.err);
    REQUIRE(o.exit_code == 0);
    return test::json_of(result)["cycles"].get<std::uint64_t>();
  };
  const std::uint64_t expected = cycles("max_position_embeddings", 64);
  for (const std::uint64_t context : {131072u, 1048576u, 10485760u, 1073741824u}) {
    CHECK(cycles("max_position_embeddings", context) == expected);
    CHECK(inspected(scratch / "config.json")["cannot_run"].is_null());
  }
  CHECK(cycles("max_sequence_length", 2048) == expected);  // as Llama 1 has it
  // The whole of it is beyond the machine, and the message names the run's remedy.
  const std::string huge = scratch.file("config.json", with("max_position_embeddings", 1073741824));
  check_refusal(3, {"run", "-m", huge, "--timing-only", "--prompt-tokens", "4", "-n", "2"}, {"--context"});
}

TEST_CASE("what is no file of ours is named as what it is") {
  const Scratch scratch;
  const auto named = [&](const std::string& contents, const std::string& part) {
    check_refusal(7, {"inspect", scratch.file("f", contents)}, {part});
  };
  named("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer");
  named("<!DOCTYPE html><html>", "a web page");
  named(std::string("\x50\x03\0\0\0\0\0\0{\"__metadata__\"", 22), "a safetensors file");
  named("PK\x03\x04rest", "a zip archive");
  named(
      "\x7f"
      "ELF\x02",
      "a program of this computer");
  named("Kanata\t0004\n", "a pipeline trace; open it with Konata");
  named(std::string("\0\1\2\3", 4), "no text");
  named("Dear Sir,\nhello\n", "a text that is no");
  named("", "it is empty");
  named(R"({"weight_map": {}})", "the index of a model's safetensors files");
  named(R"({"schema": "tokencycle-gemm-1"})", "a document of schema tokencycle-gemm-1");
  check_refusal(4, {"run", "-m", scratch.file("m.gguf", "version https://git-lfs.github.com/spec/v1\n")},
                {"m.gguf: at byte 0", "a Git LFS pointer", "git lfs pull"});
  check_refusal(3, {"run", "-c", scratch.file("c.json", kQwen)}, {"a model's config.json, not a machine"});
}

TEST_CASE("a gzipped result is read wherever a result is") {
  const Scratch scratch;
  const std::string model = scratch.model(), packed = scratch / "r.json.gz", plain = scratch / "r.json";
  const auto run = [&](const std::string& file) {
    REQUIRE(launch({"run", "-m", model, "-n", "2", "-q", "--result", file}).exit_code == 0);
  };
  run(packed);
  run(plain);
  CHECK(test::contents_of(packed).substr(0, 2) == "\x1f\x8b");
  CHECK(std::filesystem::file_size(packed) < std::filesystem::file_size(plain) / 2);
  CHECK(inspected(packed)["tokens"] == inspected(plain)["tokens"]);
  CHECK(launch({"compare", packed, plain}).exit_code == 0);
  CHECK(launch({"report", packed, "-o", scratch / "p.html"}).exit_code == 0);
  CHECK(launch({"run", "-m", model, "--timing-only", "--tokens", "@" + packed, "-q"}).exit_code == 0);
  const std::string half = test::contents_of(packed);
  check_refusal(7, {"inspect", scratch.file("cut.json.gz", half.substr(0, half.size() / 2))}, {"cut off"});
}

TEST_CASE("- is standard input and @FILE a file's text, in every option that takes one") {
  const Scratch scratch;
  const std::string model = scratch.model(), text = "once upon a time";
  const std::string file = scratch.file("p.txt", text + "\n");
  const auto ids = [&](const std::vector<std::string>& how, const std::string& input) {
    std::vector<std::string> arguments = {"tokenize", "-m", model, "--ids"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const test::Outcome o = launch_reading(input, arguments);
    INFO(o.err);
    CHECK(o.exit_code == 0);
    return o.out;
  };
  const std::string expected = ids({"-p", text}, "");
  CHECK(ids({"-p", "@" + file}, "") == expected);
  CHECK(ids({"-p", "-"}, text + "\n") == expected);
  CHECK(ids({"-f", "-"}, text + "\n") == expected);
  CHECK(ids({"-f", file}, "") == expected);
  CHECK(launch_reading(expected, {"detokenize", "-m", model, "-"}).out ==
        launch({"detokenize", "-m", model, expected.substr(0, expected.size() - 1)}).out);
  std::string longer;
  for (int i = 0; i < 40; ++i) longer += text + " ";
  const auto perplexity = [&](const std::string& name) {
    return launch_reading(longer, {"perplexity", "-m", model, "--window", "16", "--json", "-f", name});
  };
  const test::Outcome piped = perplexity("-");
  CHECK(piped.exit_code == 0);
  CHECK(piped.out == perplexity(scratch.file("long.txt", longer)).out);
  const std::string source = test::contents_of(kRoot + "tests/isa/programs/matmul.tcasm");
  const test::Outcome program = launch_reading(source, {"asm", "-", "-o", "-"});
  REQUIRE(program.exit_code == 0);
  CHECK(program.out.starts_with("TCPROG"));
  const test::Outcome back = launch_reading(program.out, {"disasm", "-", "-o", "-"});
  CHECK(back.exit_code == 0);
  CHECK(back.out == launch({"disasm", scratch.file("p.tcp", program.out)}).out);
  CHECK(launch_reading(program.out, {"run", "--program", "-", "-q"}).exit_code == 0);
  CHECK_THAT(launch_reading(program.out, {"inspect", "-"}).out, Contains("program    standard input"));
  const std::string edge = test::contents_of(kRoot + "configs/edge.json");
  CHECK(launch_reading(edge, {"run", "-m", model, "-c", "-", "-n", "1", "-q"}).exit_code == 0);
  CHECK(launch_reading("1,2:3,4\n", {"run", "-m", model, "--timing-only", "--tokens", "-", "-q"}).exit_code ==
        0);
  const test::Outcome twice = launch_reading(edge, {"run", "-m", model, "-c", "-", "-p", "-", "-n", "1"});
  CHECK(twice.exit_code == 2);
  CHECK_THAT(twice.err, Contains("standard input is named twice"));
  check_refusal(2, {"run", "-m", "-"}, {"a model cannot come from standard input"});
}

TEST_CASE("every table has --json and --csv, and neither has colours") {
  const Scratch scratch;
  const std::string model = scratch.model(), text = scratch.file("t.txt", std::string(400, 'a'));
  const std::vector<std::pair<std::vector<std::string>, std::string>> tables = {
      {{"run", "-m", model, "-n", "3"}, "id,text,phase,cycles,start,end"},
      {{"compare", "-m", model, "-c", "edge", "-c", "edge-os", "-n", "2", "-q"}, "label,source,machine"},
      {{"perplexity", "-m", model, "-f", text, "--window", "8"}, "field,value"},
      {{"tokenize", "-m", model, "-p", "a"}, "id,piece,text,bytes"},
      {{"detokenize", "-m", model, "5"}, "id,piece,text,bytes"},
      {{"models"}, "gguf,models,config_json,formats"},
      {{"gemm", "-M", "4", "-N", "4", "-K", "4"}, "name,m,n,k"},
      {{"dram", "-c", "ddr4-3200", kRoot + "traces/dram/sample.trace"}, "field,value"},
      {{"inspect", model}, "name,type,shape,bytes"},
      {{"inspect", "edge"}, "field,value"},
  };
  for (const auto& [command, heading] : tables) {
    auto json = command, csv = command, both = command;
    json.emplace_back("--json");
    csv.emplace_back("--csv");
    both.insert(both.end(), {"--json", "--csv"});
    const test::Outcome as_json = launch(json), as_csv = launch(csv);
    INFO(command[0] << ": " << as_json.err << as_csv.err);
    CHECK(Json::accept(as_json.out));
    CHECK(as_csv.exit_code == 0);
    CHECK_THAT(as_csv.out, Catch::StartsWith(heading));
    CHECK((launch(command).out + as_json.out + as_csv.out).find('\x1b') == std::string::npos);
    check_refusal(2, both, {"--json and --csv are two forms"});
  }
  const test::Outcome run = launch({"run", "-m", model, "-n", "3", "--csv"});
  CHECK(std::count(run.out.begin(), run.out.end(), '\n') == 4);
}

TEST_CASE("a trace window that matches nothing of a program is said, with exit code 2") {
  const Scratch scratch;
  const std::string program = scratch / "p.tcp";
  REQUIRE(launch({"asm", kRoot + "tests/isa/programs/matmul.tcasm", "-o", program}).exit_code == 0);
  for (const char* window : {"op:nothing", "cycle:900000..900001", "token:7"}) {
    const test::Outcome o =
        launch({"run", "--program", program, "-q", "--trace", scratch / "t.vcd", "--trace-window", window});
    CHECK(o.exit_code == 2);
    CHECK_THAT(o.err, Contains(std::string("--trace-window ") + window + ": nothing of this run is in it"));
  }
  CHECK(launch(
            {"run", "--program", program, "-q", "--trace", scratch / "t.vcd", "--trace-window", "cycle:1..9"})
            .exit_code == 0);
}
