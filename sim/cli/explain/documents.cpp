// SPDX-License-Identifier: Apache-2.0
// Fields of the JSON documents that the commands write, in their order.
#include "cli/explain/topic.h"

namespace tokencycle::cli {
namespace {

Topic fields(std::vector<std::vector<std::string>> rows, std::vector<std::string> notes) {
  return {{"field", "meaning"}, std::move(rows), std::move(notes)};
}

}  // namespace

Topic result_topic() {
  return fields(
      {
          {"schema", "\"tokencycle-result-1\": changes when a field's meaning does"},
          {"version", "of tokencycle"},
          {"model.file, .name, .architecture", "without folder; as the file says"},
          {"model.digest", "of the file; with timing_only, of what is before the tensor data"},
          {"model.shapes_from", "\"GGUF file\", or with timing_only: \"GGUF header\", \"config.json\""},
          {"model.weights", "format of the first layer's query weights"},
          {"configuration.name, .digest, .values",
           "the machine; its whole description with defaults, and their digest"},
          {"program.digest", "of all steps' instruction words"},
          {"settings.prompt, .new_tokens, .ignore_eos",
           "as asked for; with --chat the prompt in its template"},
          {"settings.sequences", "that shared the steps; prompt is the first one's"},
          {"settings.temperature, .top_k, .top_p, .seed",
           "the sampler; the last three are null at temperature 0"},
          {"settings.kv_format, .rope_pairs", "format of the KV cache; \"adjacent\" or \"split\""},
          {"settings.fusions_left_out", "rules that --no-fusion names"},
          {"settings.context, .batch", "positions of the KV cache; most prompt tokens of one step, as used"},
          {"settings.position",
           "positions that each sequence began behind, without anything computed for them"},
          {"settings.small_batch",
           "null, or the prompt's batches are smaller than is useful: useful_tokens, from which on "
           "multiplying takes "
           "longer than reading the weights; scratchpad_kib, the smallest that holds as many (null: none "
           "does)"},
          {"settings.timing_only", "values were left out; there is no text"},
          {"settings.prompt_ids, .new_ids", "where the token ids come from"},
          {"settings.experts, expert_choices",
           "what chose the experts (null: there are none), and which: step by step, layer by layer, token "
           "by token"},
          {"settings.checked_against_reference", "true if --check was given (and passed)"},
          {"prompt_tokens", "token ids, with the BOS that the vocabulary asks for; of the first sequence"},
          {"text", "generated; bytes that are not UTF-8 are U+FFFD; of the first sequence"},
          {"sequences[]", "only of several: each one's tokens and text"},
          {"sequences[].prompt, .prompt_tokens, .ids, .text",
           "read; generated, the end of the text included"},
          {"sequences[].stop_reason", "as of the run"},
          {"sequences[].first_end, .end",
           "cycles in which the steps that made its first and its last token ended; null without tokens"},
          {"sequences[].tokens_per_second",
           "from first_end to end, the wait for the others' prompts included; null without a second token"},
          {"stop_reason", "\"length\", \"end of text\" or \"interrupted\""},
          {"interrupted_at",
           "only of an interrupted run: the cycle that it ended before. tokens and operators have the "
           "complete tokens, the rest all cycles"},
          {"unfinished",
           "only of an interrupted run: the step that was running: phase, start, end, cycles, stack. With "
           "tokens it sums to cycles and stack"},
          {"cycles", "from the first step's first cycle to the last step's last one"},
          {"stack", "cycles by cause; sums to cycles"},
          {"tokens[]",
           "one per generated token, the end of the text included; of several sequences one per step, which "
           "makes one token of each"},
          {"tokens[].id, .text", "the token; of several sequences the first one's that has one"},
          {"tokens[].sequences", "only of several: how many have a token of this step"},
          {"tokens[].phase",
           "prefill: the first, made by the steps that read the prompt; decode: the others"},
          {"tokens[].start, .end, .cycles",
           "[start, end); the first start is 1, each further one the end before it. The first token's "
           "cycles are the whole prefill"},
          {"tokens[].stack", "by cause; sums to the token's cycles"},
          {"operators[].name, .layer", "in the graph's order; layer -1: none"},
          {"operators[].prefill, .decode",
           "over the complete tokens of that phase, with the fields that follow; they sum to the tokens' "
           "cycles"},
          {"operators[].PHASE.cycles, .instructions", "its own cycles; instructions retired"},
          {"operators[].PHASE.stack, .critical", "by cause, sums to cycles; the largest cause, or null"},
          {"operators[].PHASE.kinds[]",
           "instruction (as the assembler spells it), count, cycles, stack; they sum to the operator's"},
          {"operators[].PHASE.span_cycles",
           "cycles in which its work happened, including work moved ahead: spans overlap. Rates are over "
           "the span"},
          {"operators[].PHASE.loaded_bytes, .stored_bytes", "of DRAM, whole bursts"},
          {"operators[].PHASE.multiply_accumulates, .array_cycles_at_peak",
           "of valid elements; least cycles in which the whole array could do them"},
          {"operators[].PHASE.vector_elements, .scratchpad_bytes",
           "of vector instructions; through all scratchpad ports"},
          {"operators[].PHASE.energy",
           "only with --technology: unit (pJ), total and parts (matrix, accumulator, scratchpad, wires, "
           "vector, control, dram_interface, dram, leakage), each low, typical and high; parts sum to total, "
           "and so do "
           "causes: work by the cause of the cycles in which it is done, leakage and DRAM's standby by "
           "cycles"},
          {"technology, area",
           "only with --technology: name, node_nm, voltage_v, digest, sources; um2 in all and by part of the "
           "chip, each low, typical and high"},
          {"energy.machine",
           "only with --technology: as operators[].PHASE.energy, which it is the exact sum of: all phases of "
           "the complete tokens"},
          {"timeline",
           "interval_cycles, start and series[]: name, unit, values, at most 512 intervals. UNIT.busy, "
           "dram.busy (sum of channels), dram.read_bytes, dram.write_bytes, cause.NAME; each sums to the "
           "result's total"},
          {"pipeline",
           "null, or the instructions of one token: token (index), start, end, instructions (executed), and "
           "rows in order of decoding. columns names a row's values: indices into operators (-1: none), "
           "kinds and units, then six cycles relative to start (null: no such stage)"},
          {"units.NAME.STATE", "each unit's states sum to cycles; those that never occurred are left out"},
          {"counters[]", "name, unit, value, meaning"},
          {"phases.prefill, .decode",
           "of the complete tokens: tokens (of the prompt; generated after the first), cycles, DRAM's "
           "loaded_bytes, "
           "stored_bytes, instruction_bytes (moved, whole bursts), bus_bytes and dram_pj (null without "
           "published "
           "energies)"},
          {"energy.dram",
           "of all channels: activate_pj, read_pj, write_pj, refresh_pj, standby_pj, open_bank_pj, "
           "total_pj; pj_per_bit on the data buses, average_mw, source; range, factors of these that real "
           "devices "
           "take. Null without published energies: "
           "energy.reason"},
          {"event_digest", "of all events, in order"},
          {"host.clock_mode, .clock_edges", "\"gated\" or \"every-edge\"; edges delivered"},
          {"host.fast_forwarded_cycles", "of loops that were known already: taken at once, same events"},
          {"host.wall_seconds, .simulated_cycles_per_second", "loading and compiling included"},
          {"host.traces",
           "file, format, entries, bytes before compression, truncated_at (a cycle, or null) of each trace"},
      },
      {"Everything outside \"host\" depends only on model file, machine description and settings. Counts "
       "are exact integers.",
       "The host's work between two steps takes no simulated time: a step begins in the cycle after the one "
       "before has halted."});
}

Topic comparison_topic() {
  return fields(
      {
          {"schema", "\"tokencycle-comparison-1\""},
          {"baseline", "index into results"},
          {"same_tokens, warnings[]", "all had the same model, prompt and tokens; as printed"},
          {"timing_only_results", "how many of them were given their tokens and generated none"},
          {"keys[], settings[]",
           "path (JSON pointer) and values, one per result; null where it lacks the key"},
          {"results[].label, .source, .machine, .machine_digest",
           "name in the tables, file or argument, as in the result"},
          {"results[].figures",
           "cycles, first_token_cycles, decode_median_cycles, tokens_per_second, dram_busy_percent (mean of "
           "the channels), dram_bytes_per_prompt_token, dram_uj_per_decode_token, ..."},
          {"results[].change_percent", "of each figure; null for the baseline"},
          {"results[].decode, .first_token",
           "null for the baseline, and without such tokens; else baseline_tokens, tokens, baseline_cycles, "
           "cycles, difference_per_token, and causes[]: cause, baseline_cycles, cycles (sums over the "
           "tokens, exact), difference_per_token"},
      },
      {});
}

Topic alignment_topic() {
  return fields(
      {
          {"schema", "\"tokencycle-alignment-1\""},
          {"a, b, warnings[]", "names of the two results; why their work is not the same"},
          {"prefill, decode",
           "a_tokens, b_tokens (of the prompt; generated after the first), a_cycles, b_cycles, "
           "difference (b less a)"},
          {"differences[].phase, .operator, .layer, .instruction, .cause",
           "which cycles: operators are aligned by name and layer (-1: none), instructions by kind"},
          {"differences[].a_cycles, .b_cycles, .difference",
           "over all tokens of the phase; they sum to the phase's, exactly; 0 where a result has none"},
          {"instructions",
           "of one token (as in the result's pipeline): token, a_cycles, b_cycles, difference, columns, and "
           "one "
           "row for the n-th instruction of a kind in an operator: its share of its operator's time in each "
           "(null: it has fewer); the shares sum to the token's cycles, \"the step's end\" included. Or "
           "null"},
          {"no_instructions", "null, or why there are none"},
      },
      {});
}

Topic what_if_topic() {
  return fields(
      {
          {"schema", "\"tokencycle-what-if-1\""},
          {"machine, prompt_tokens, new_tokens, timing_only", "of the run as it is"},
          {"base", "its prefill_cycles, decode_cycles and cycles; the first two sum to the third"},
          {"changes[].change, .set", "as given; as arguments of --set"},
          {"changes[].prefill_cycles, .decode_cycles, .cycles", "of the run with this change alone, or null"},
          {"changes[].prefill_saved_cycles, .decode_saved_cycles, .saved_cycles, .saved_percent",
           "base less those; below 0 it is slower; percent of all cycles"},
          {"changes[].exit_code, .reason",
           "of a run that could not be: its exit code and message; else 0, null"},
      },
      {"Most cycles saved first. Each change is simulated as a run of its own, with the same tokens."});
}

Topic sweep_topic() {
  return fields(
      {
          {"schema, name", "\"tokencycle-sweep-1\"; of the plan, in the table"},
          {"command", "\"run\" or \"gemm\""},
          {"options, set",
           "options of the command, without dashes, and keys of the machine that all points have"},
          {"axes[].axis",
           "a key of the machine (\"/matrix/rows\"), an option, or a list of them that change together"},
          {"axes[].values", "a value per position, or a list of one per key; or from, to and step or factor"},
          {"constraints[]",
           "expressions of muParser over keys with points (matrix.rows) and options (option.prompt_tokens) "
           "that a "
           "point keeps"},
          {"sample", "some of the grid: method (\"random\" or \"latin-hypercube\"), points, seed"},
          {"quality",
           "a text's file and window (256): the perplexity of each point's model and kv-type on it, as the "
           "command "
           "perplexity finds it, once for all points that share them; a column of the table, so that fronts "
           "can "
           "set it against cycles"},
      },
      {"What the command refuses is named before anything runs, and counts as failed.",
       "The folder: plan.json; points/N.json, the results, and failed/N.txt, the reasons, which come by "
       "rename, so "
       "that an end at any time loses the points under way; table.csv and table.json, the same bytes "
       "whatever the "
       "order; slurm/N/, the script, tasks, arrays and output of a submission.",
       "With --slurm a task of a job array runs --chunk points, one at a time or as many as "
       "--sbatch=--cpus-per-task=N says. --status counts, --collect writes the table of what is there, "
       "--slurm "
       "--resume submits what is open and not in the queue. The cluster must see folder and program by the "
       "same "
       "paths."});
}

Topic perplexity_topic() {
  return fields(
      {
          {"schema, version", "\"tokencycle-perplexity-1\"; of tokencycle"},
          {"models[]", "of several -m: the fields below of each"},
          {"model, by, kv_format", "the file's name; the reference or the machine; of the cache"},
          {"weight_bytes", "of the file's tensors"},
          {"window, windows, scored_tokens",
           "tokens of a window; how many windows; the second halves' tokens"},
          {"perplexity", "the exponential of the mean negative log likelihood of the scored tokens"},
          {"token_cycles",
           "by a machine: median of the last 8 tokens of each window, which are read one at a time"},
          {"prompt_token_cycles", "by a machine: of the first halves, which are read in large steps"},
      },
      {});
}

Topic inspection_topic() {
  return fields(
      {
          {"schema", "\"tokencycle-inspection-1\""},
          {"kind",
           "\"gguf\", \"config.json\", \"machine\", \"memory\", \"program\", \"checkpoint\", \"products\" or "
           "\"requests\""},
          {"file", "as given"},
          {"gguf_version, file_bytes, files, digest, metadata, types[], tensors[]",
           "of a model: null where a config.json stands for it"},
          {"cannot_run, token_weight_bytes, position_cache_bytes, recurrent_state_bytes",
           "of a model: null, or why no machine runs it; bytes read for a token by format; bytes of a "
           "position's keys and values by --kv-type (null: blocks do not fit); bytes of the states that do "
           "not grow, read and written by a step"},
          {"files, changed_values[], values",
           "of a machine: what it was read from; path, value and source of what the last file does not have; "
           "its whole description"},
          {"peak_billion_multiply_accumulates_per_s, scratchpad_gb_per_s, dram_peak_gb_per_s, dram_bytes, "
           "ridge_multiply_accumulates_per_byte",
           "of a machine, derived"},
          {"machine, roofs[]",
           "with --roofline (schema tokencycle-roofline-1): its name; name, unit and value of what it could "
           "do"},
          {"points[].operator, .layer, .phase, .cycles, .span_cycles", "with --roofline: as in the result"},
          {"points[].operations, .bytes, .intensity",
           "2 x multiply-accumulates + vector elements; of DRAM; operations / bytes, null without bytes"},
          {"points[].operations_per_second, .roof_operations_per_second, .limit",
           "over the span; in the least time that the machine could take for this work; what that time is "
           "of"},
      },
      {"A memory, a program, a checkpoint, a list of products and a trace of requests have the fields that "
       "their "
       "tables show."});
}

Topic gemm_topic() {
  return fields(
      {
          {"schema, version", "\"tokencycle-gemm-1\"; of tokencycle"},
          {"configuration", "the machine, as in a result"},
          {"type, timing_only, seed", "as asked for"},
          {"layers[].name, .m, .n, .k, .multiply_accumulates", "the product"},
          {"layers[].array_alone.cycles, .folds", "folds: tiles, or matmuls of an output-stationary array"},
          {"layers[].array_alone.scale_sim_cycles", "what SCALE-Sim prints: the index of the last cycle"},
          {"layers[].array_alone.utilisation_percent",
           "M N K x cycles_per_row of the type / (cycles x rows x columns)"},
          {"layers[].array_alone.mapping_efficiency_percent",
           "cells that hold an operand (output-stationary: a sum), over folds x rows x columns"},
          {"layers[].end_to_end.cycles, .stack, .matrix", "in all; by cause; of the matrix unit by state"},
          {"layers[].end_to_end.utilisation_percent, .instructions, .program_words",
           "as above; executed; in the program"},
          {"layers[].end_to_end.dram_bytes", "moved, whole bursts: loaded, stored, instructions"},
          {"layers[].end_to_end.values_checked", "M N, or 0 with timing_only"},
      },
      {});
}

Topic dram_topic() {
  return fields(
      {
          {"schema, version", "\"tokencycle-dram-replay-2\"; of tokencycle"},
          {"memory",
           "name, preset, standard, organisation, tck_ps (of the command clock, which clocks count), "
           "scheduler, page policy, refresh"},
          {"trace, trace_form, wrapped, request_bytes, requests",
           "what was asked for; wrapped: requests beyond the memory (--wrap); request_bytes: null where "
           "requests have sizes of their own"},
          {"moved_bytes, requested_bytes, useful_bytes",
           "in bursts that crossed the buses; in all bursts, also those that a queue served; the requests' "
           "own"},
          {"clocks, ns", "until the last request's end"},
          {"stalled_clocks", "that requests waited for room in a queue before they arrived"},
          {"gb_per_s, peak_gb_per_s, peak_percent, requested_gb_per_s, useful_gb_per_s",
           "moved_bytes over ns, the peak of all channels, and the other two byte counts over ns"},
          {"latency_clocks, latency_ns",
           "read and write: requests, average, min, p50, p90, p99, p99_9, max; null without requests"},
          {"read_bursts, write_bursts", "arrived"},
          {"row_hits, row_misses, row_conflicts",
           "by the first command given for the burst: a transfer, an activation, a precharge"},
          {"forwarded, coalesced",
           "reads served by a waiting write; writes that joined one. With the three above: all bursts"},
          {"turnarounds, commands",
           "transfers in the other direction than the one before; how many of each command"},
          {"refreshing_percent", "of the banks' time in which a refresh kept them from use"},
          {"energy",
           "total_pj and its parts, pj_per_bit, average_mw, source; null without energies (energy_reason)"},
          {"channels[]", "bursts, rows, commands and energy of each channel, and the fields that follow"},
          {"channels[].bus",
           "busy_clocks, transfer_clocks (bursts times their clocks), idle_clocks by what the controller "
           "waits for"},
          {"channels[].open_bank_clocks, .refreshing_bank_clocks", "sums over the banks"},
          {"channels[].banks[]", "bursts, rows and activations of each bank"},
          {"host.wall_seconds, .requests_per_second", "of this run"},
      },
      {"A request arrives when its first burst finds room in its channel's queue, and holds those behind it "
       "until then; its latency ends with the last data of a read or the last command of a write.",
       "Percentiles are nearest ranks, exact up to 65,535 clocks and at most 1/256 too large beyond."});
}

Topic validation_topic() {
  return fields(
      {
          {"schema, version, scorecard", "\"tokencycle-validation-1\"; of tokencycle; the file of the rows"},
          {"rows[].name, .about, .command",
           "the row; machine and work; what repeats it, empty where nothing can be simulated"},
          {"rows[].figure, .published, .unit", "ours, null without one; the published one; of both"},
          {"rows[].error, .error_kind, .aim, .meets_aim",
           "percent of the published figure, or points of percentages; what was hoped for; whether it is "
           "met"},
          {"rows[].source, .not_modelled, .reason, .failure",
           "of the published figure; what the machine lacks; why the aim is missed; why there is no figure"},
          {"rows[].seconds, .expected_seconds, .quick", "that it took; about, as the scorecard says; few"},
          {"scorecard: rows[].command, .options, .set",
           "in the file: run, gemm or dram; its options (a file beside the scorecard by its name); keys of "
           "the "
           "machine. Without them the row is one that cannot be simulated"},
          {"scorecard: rows[].figure",
           "in the file: a formula over the numbers of the command's JSON, such as "
           "layers.0.end_to_end.cycles / configuration.values.clock_ghz / 1000"},
      },
      {});
}

Topic labels_topic() {
  return fields(
      {
          {"schema, version", "\"tokencycle-labels-1\"; of tokencycle"},
          {"model, machine", "the file's name; the machine's"},
          {"inputs[].input, .rows", "the file's name; patches or tokens, with the one that is read"},
          {"inputs[].label, .probability", "the likeliest class, and its softmax of the logits in binary64"},
          {"inputs[].cycles", "from the first fetch to the last instruction's retirement"},
          {"inputs[].causes", "of these cycles, by cause; they sum to them (tokencycle explain result)"},
          {"inputs[].classes[].label, .probability", "all classes, the likeliest first"},
      },
      {});
}

Topic tokens_topic() {
  return fields({{"schema, version", "\"tokencycle-tokens-1\"; of tokencycle"},
                 {"model, tokenizer, text", "the file, the kind of its vocabulary, what was tokenized"},
                 {"tokens[].id, .piece, .text, .bytes",
                  "the token; as the vocabulary spells it; its text; its bytes in hexadecimal"}},
                {});
}

Topic models_topic() {
  return fields(
      {{"schema, version", "\"tokencycle-models-1\"; of tokencycle"},
       {"families[].gguf, .models, .config_json, .formats",
        "general.architecture of the files; names of models; architectures of a config.json; formats of "
        "weights"},
       {"formats[].name, .bits_per_weight, .block_elements, .activations, .multipliers",
        "a format of weights; what its blocks meet in the array, and the multipliers needed"}},
      {});
}

}  // namespace tokencycle::cli
