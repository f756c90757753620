// SPDX-License-Identifier: Apache-2.0
// Source of the marks, their order and the texts: github.com/ggml-org/llama.cpp, src/llama-chat.cpp
// (llm_chat_detect_template, llm_chat_apply_template); tests/engine compares both.
#include "model/chat.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/gguf/reader.h"

namespace tokencycle::model {

namespace {

constexpr std::string_view kWhiteSpaceOfMessage = " \t\n\v\f\r";

using Families = std::vector<ChatFamily>;

Families with_special_tokens() {
  return {
      {"phi4",
       {"<|im_start|>", "<|im_sep|>"},
       "<|im_start|>user<|im_sep|>",
       "<|im_end|><|im_start|>assistant<|im_sep|>",
       "<|im_end|>"},
      {"smolvlm",
       {"<|im_start|>", "<end_of_utterance>"},
       "<|im_start|>User: ",
       "<end_of_utterance>\nAssistant:",
       "<end_of_utterance>"},
      {"chatml", {"<|im_start|>"}, "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"},
      {"mistral-v7", {"[INST]", "[SYSTEM_PROMPT]"}, "[INST] ", "[/INST]", "</s>"},
      {"mistral-v1", {"[INST]", "' [INST] ' + system_message"}, " [INST] ", " [/INST]", "</s>"},
      {"mistral-v1", {"[INST]", "[AVAILABLE_TOOLS]", " [INST]"}, " [INST] ", " [/INST]", "</s>"},
      {"mistral-v3-tekken", {"[INST]", "[AVAILABLE_TOOLS]", "\"[INST]\""}, "[INST]", "[/INST]", "</s>"},
      {"mistral-v3", {"[INST]", "[AVAILABLE_TOOLS]"}, "[INST] ", "[/INST]", "</s>"},
      {"llama2-sys-strip", {"[INST]", "content.strip()"}, "[INST] ", " [/INST]", "</s>", true},
      {"llama2", {"[INST]"}, "[INST] ", " [/INST]", "</s>"},
      {"phi3", {"<|assistant|>", "<|end|>"}, "<|user|>\n", "<|end|>\n<|assistant|>\n", "<|end|>"},
      {"chatglm4", {"[gMASK]<sop>"}, "[gMASK]<sop><|user|>\n", "<|assistant|>\n", "<|user|>"},
      {"exaone-moe",
       {"<|assistant|>", "<|user|>", "<|tool_declare|>"},
       "<|user|>\n",
       "<|endofturn|>\n<|assistant|>\n",
       "<|endofturn|>",
       true},
      {"falcon3", {"<|assistant|>", "<|user|>", "</s>"}, "<|user|>\n", "\n<|assistant|>\n"},
      {"glmedge", {"<|assistant|>", "<|user|>"}, "<|user|>\n", "<|assistant|>", "<|user|>"},
      {"glmedge",
       {"<|{{ item['role'] }}|>", "<|begin_of_image|>"},
       "<|user|>\n",
       "<|assistant|>",
       "<|user|>"},
      {"zephyr",
       {"<|user|>", "<|endoftext|>"},
       "<|user|>\n",
       "<|endoftext|>\n<|assistant|>\n",
       "<|endoftext|>"},
      {"monarch", {"bos_token + message['role']"}, "user\n", "</s>\n<s>assistant\n", "</s>"},
      {"gemma",
       {"<start_of_turn>"},
       "<start_of_turn>user\n",
       "<end_of_turn>\n<start_of_turn>model\n",
       "<end_of_turn>",
       true},
      {"orion", {R"('\n\nAssistant: ' + eos_token)"}, "Human: ", "\n\nAssistant: </s>", "</s>"},
      {"openchat",
       {"GPT4 Correct "},
       "GPT4 Correct User: ",
       "<|end_of_turn|>GPT4 Correct Assistant:",
       "<|end_of_turn|>"},
      {"vicuna", {"USER: ", "ASSISTANT: "}, "USER: ", "\nASSISTANT:", "</s>"},
      {"deepseek", {"### Instruction:", "<|EOT|>"}, "### Instruction:\n", "\n### Response:\n", "<|EOT|>"},
      {"command-r",
       {"<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>"},
       "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
       "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
       "<|END_OF_TURN_TOKEN|>",
       true},
      {"llama3",
       {"<|start_header_id|>", "<|end_header_id|>"},
       "<|start_header_id|>user<|end_header_id|>\n\n",
       "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
       "<|eot_id|>",
       true},
      {"chatglm3", {"[gMASK]sop"}, "[gMASK]sop<|user|>\n ", "<|assistant|>", "<|user|>"},
      {"minicpm", {"<用户>"}, "<用户>", "<AI>", "</s>", true},
  };
}

Families with_spelled_roles() {
  return {
      {"deepseek2",
       {"'Assistant: ' + message['content'] + eos_token"},
       "User: ",
       "\n\nAssistant:",
       "<｜end▁of▁sentence｜>"},
      {"deepseek3",
       {"<｜Assistant｜>", "<｜User｜>", "<｜end▁of▁sentence｜>"},
       "<｜User｜>",
       "<｜Assistant｜>",
       "<｜end▁of▁sentence｜>"},
      {"exaone4",
       {"[|system|]", "[|assistant|]", "[|endofturn|]"},
       "[|user|]",
       "\n[|assistant|]",
       "[|endofturn|]",
       true},
      {"rwkv-world", {"rwkv-world"}, "User: ", "\n\nAssistant:", "\n\n", true},
      {"rwkv-world",
       {R"({{- 'User: ' + message['content']|trim + '\n\n' -}})"},
       "User: ",
       "\n\nAssistant:",
       "\n\n",
       true},
      {"granite",
       {"<|start_of_role|>"},
       "<|start_of_role|>user<|end_of_role|>",
       "<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
       "<|end_of_text|>"},
      {"gigachat",
       {"message['role'] + additional_special_tokens[0] + message['content'] + additional_special_tokens[1]"},
       "<s>user<|role_sep|>",
       "<|message_sep|>available functions<|role_sep|>[]<|message_sep|>assistant<|role_sep|>",
       "<|message_sep|>"},
      {"megrez",
       {"<|role_start|>"},
       "<|role_start|>user<|role_end|>",
       "<|turn_end|><|role_start|>assistant<|role_end|>",
       "<|turn_end|>"},
      {"yandex", {" Ассистент:"}, " Пользователь: ", "\n\n Ассистент:[SEP]", "\n\n"},
      {"bailing",
       {"<role>ASSISTANT</role>", "'HUMAN'"},
       "<role>HUMAN</role>",
       "<role>ASSISTANT</role>",
       "<|role_end|>"},
      {"bailing-think",
       {"<role>ASSISTANT</role>", "\"HUMAN\"", "<think>"},
       "<role>HUMAN</role>",
       "<role>ASSISTANT</role><think>",
       "<|role_end|>"},
      {"bailing2",
       {"<role>ASSISTANT</role>", "<role>HUMAN</role>", "<|role_end|>"},
       "<role>SYSTEM</role>detailed thinking off<|role_end|><role>HUMAN</role>",
       "<|role_end|><role>ASSISTANT</role>",
       "<|role_end|>"},
      {"llama4",
       {"<|header_start|>", "<|header_end|>"},
       "<|header_start|>user<|header_end|>\n\n",
       "<|eot|><|header_start|>assistant<|header_end|>\n\n",
       "<|eot|>",
       true},
      {"dots1",
       {"<|endofuserprompt|>"},
       "<|userprompt|>",
       "<|endofuserprompt|><|response|>",
       "<|endofresponse|>"},
      {"hunyuan-moe", {"<|extra_0|>", "<|extra_4|>"}, "<|startoftext|>", "<|extra_0|>", "<|eos|>"},
      {"gpt-oss",
       {"<|start|>", "<|channel|>"},
       "<|start|>user<|message|>",
       "<|end|><|start|>assistant",
       "<|return|>"},
      {"hunyuan-vl",
       {"<｜hy_Assistant｜>", "<｜hy_begin▁of▁sentence｜>"},
       "<｜hy_begin▁of▁sentence｜>",
       "<｜hy_User｜>"},
      {"hunyuan-dense",
       {"<｜hy_Assistant｜>", "<｜hy_place▁holder▁no▁3｜>"},
       "<｜hy_User｜>",
       "<｜hy_Assistant｜>",
       "<｜hy_place▁holder▁no▁2｜>"},
      {"kimi-k2",
       {"<|im_assistant|>assistant<|im_middle|>"},
       "<|im_user|>user<|im_middle|>",
       "<|im_end|><|im_assistant|>assistant<|im_middle|>",
       "<|im_end|>"},
      {"seed_oss", {"<seed:bos>"}, "<seed:bos>user\n", "<seed:eos><seed:bos>assistant\n", "<seed:eos>"},
      {"grok-2",
       {"'Assistant: '  + message['content'] + '<|separator|>"},
       "Human: ",
       "<|separator|>\n\nAssistant:",
       "<|separator|>",
       true},
      {"pangu-embedded",
       {"[unused9]系统：[unused10]"},
       "[unused9]系统：[unused10][unused9]用户：",
       "[unused10][unused9]助手：",
       "[unused10]"},
      {"solar-open",
       {"<|begin|>", "<|end|>", "<|content|>"},
       "<|begin|>user<|content|>",
       "<|end|><|begin|>assistant",
       "<|end|>"},
  };
}

}  // namespace

std::span<const ChatFamily> chat_families() {
  static const Families kAll = [] {
    Families all = with_special_tokens();
    const Families more = with_spelled_roles();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return kAll;
}

const ChatFamily* find_chat_family(std::string_view chat_template) {
  for (const ChatFamily& family : chat_families()) {
    if (chat_template == family.name) return &family;
  }
  for (const ChatFamily& family : chat_families()) {
    const bool all = std::all_of(family.marks.begin(), family.marks.end(), [&](std::string_view mark) {
      return chat_template.find(mark) != std::string_view::npos;
    });
    if (all) return &family;
  }
  return nullptr;
}

std::string chat_prompt(const ChatFamily& family, std::string_view message) {
  if (family.trimmed) {
    message.remove_prefix(std::min(message.find_first_not_of(kWhiteSpaceOfMessage), message.size()));
    message = message.substr(0, message.find_last_not_of(kWhiteSpaceOfMessage) + 1);
  }
  return fmt::format("{}{}{}", family.before, message, family.after);
}

const ChatFamily& chat_family_of(const GgufFile& file) {
  constexpr const char* kKey = "tokenizer.chat_template";
  const std::optional<std::string> text = file.get_string(kKey);
  if (!text) {
    file.fail(
        fmt::format("the file has no {}, so it is not known how this model is spoken to; leave --chat out, "
                    "or use a model that was made for chats",
                    kKey));
  }
  if (const ChatFamily* family = find_chat_family(*text)) return *family;
  file.fail(
      fmt::format("{} is of no known family; its first line is {}. Leave --chat out and write the turns into "
                  "the prompt",
                  kKey, in_quotes(std::string_view(*text).substr(0, text->find('\n')))));
}

}  // namespace tokencycle::model
