"""What the user reads: exports and their proof. key -> (English, Chinese). Errors have a `KEY.hint`."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "stage.export": ("Writing the export", "写出导出文件"),
    "stage.prove": ("Proving that it answers as the run did", "验证导出文件的回答与本次运行一致"),
    # The command line
    "cli.help.export": (
        "Write the tuned model for PEFT, transformers, llama.cpp, Ollama or vLLM, and prove that it answers as the run "
        "did. Exit code 7 when it does not.",
        "把微调后的模型导出给 PEFT、transformers、llama.cpp、Ollama 或 vLLM，并验证它的回答与本次运行一致；不一致时退出码为 7。",
    ),
    "cli.option.to": (
        "Target: peft, merged, gguf, ollama or vllm; may be given several times.",
        "导出目标：peft、merged、gguf、ollama 或 vllm；可重复。",
    ),
    "cli.option.dtype": (
        "Type of the weights: f32, f16, bf16; for gguf and ollama q8_0, q5_0, q4_0 too. Default: the run's "
        "own; for gguf f16.",
        "权重类型：f32、f16、bf16；gguf 和 ollama 还可用 q8_0、q5_0、q4_0。默认：与运行相同，gguf 为 f16。",
    ),
    "cli.option.export_base": (
        "Another base than the run's (NAME or NAME@COMMIT): does the adapter answer the same on it?",
        "换一个基座（名称或 名称@提交号）：适配器在它上面的回答是否相同？",
    ),
    "cli.option.base_id": (
        "What the base is called on a hub, written into the export (ORG/NAME or ORG/NAME@COMMIT).",
        "基座在模型库中的 id，写入导出文件（组织/名称 或 组织/名称@提交号）。",
    ),
    "cli.option.items": ("Test items that are answered for the proof.", "验证时回答的测试题数量。"),
    "cli.option.check_only": (
        "Write nothing: prove again what lies in the export's folder.",
        "不写文件：重新验证导出目录里已有的内容。",
    ),
    # Errors
    "export.no_type": (
        "The target {target} cannot be written as {dtype}.",
        "导出目标 {target} 不支持类型 {dtype}。",
    ),
    "export.no_type.hint": (
        "Types it can be written as: {known}. An adapter (peft, vllm) keeps its own type: leave --dtype out.",
        "可用的类型：{known}。适配器（peft、vllm）保持自己的类型，请去掉 --dtype。",
    ),
    "export.not_plain": (
        "This adapter is not a plain LoRA adapter: {key} is {value}.",
        "这个适配器不是普通的 LoRA 适配器：{key} 为 {value}。",
    ),
    "export.not_plain.hint": (
        "Only adapters that tuneproof has trained can be exported; merge others with PEFT's merge_and_unload().",
        "只能导出 tuneproof 训练出的适配器；其他适配器请用 PEFT 的 merge_and_unload() 合并。",
    ),
    "export.other_base": (
        "The adapter does not fit this base model: it has no weight of shape {shape} named {module}.",
        "适配器与这个基座模型不匹配：找不到形状为 {shape} 的权重 {module}。",
    ),
    "export.other_base.hint": (
        "Export with the base that the run was trained on; leave --base out to use it.",
        "请使用训练时的基座模型导出；不加 --base 即可。",
    ),
    "export.no_safetensors": (
        "The base model has no safetensors files, and pickles are not read.",
        "基座模型没有 safetensors 文件，而 pickle 文件不会被读取。",
    ),
    "export.no_safetensors.hint": (
        "Take a revision of the model that has model.safetensors.",
        "请使用带有 model.safetensors 的模型版本。",
    ),
    "export.overflow": (
        "A weight is too large for {dtype}, which ends at 65504.",
        "有权重超出了 {dtype} 的范围（最大 65504）。",
    ),
    "export.overflow.hint": ("Export with --dtype bf16 or f32.", "请改用 --dtype bf16 或 f32。"),
    "export.no_disk": (
        "The export needs {needed}, and {free} are free.",
        "导出需要 {needed}，磁盘只剩 {free}。",
    ),
    "export.no_disk.hint": (
        "Free some space, or choose a smaller type: --dtype f16, q8_0 or q4_0.",
        "请腾出空间，或选更小的类型：--dtype f16、q8_0 或 q4_0。",
    ),
    "export.nothing": ("There is no export to prove.", "没有可以验证的导出。"),
    "export.nothing.hint": ("Leave --check out to write it first.", "去掉 --check，先写出导出文件。"),
    "export.unreadable": (
        "The export cannot be read back with {reader}: {why}",
        "无法用 {reader} 读回导出文件：{why}",
    ),
    "export.unreadable.hint": (
        "Do not ship it. Export again; if that does not help, report it with the line above.",
        "请不要发布它。请重新导出；若仍然失败，请附上上面这行报告问题。",
    ),
    "export.no_family": (
        "Models of type {family} are not written as GGUF here; these are: {known}.",
        "这里不能把 {family} 类型的模型写成 GGUF；支持的有：{known}。",
    ),
    "export.no_family.hint": (
        "Export with --to merged and convert that folder with llama.cpp's own script: "
        "python convert_hf_to_gguf.py RUN/export/merged",
        "请先用 --to merged 导出，再用 llama.cpp 自带的脚本转换：python convert_hf_to_gguf.py RUN/export/merged",
    ),
    "export.no_setting": (
        "{setting} of this {family} model would be lost in a GGUF file.",
        "这个 {family} 模型的 {setting} 在 GGUF 文件里会丢失。",
    ),
    "export.no_setting.hint": (
        "Export with --to merged and convert that folder with llama.cpp's own script: "
        "python convert_hf_to_gguf.py RUN/export/merged",
        "请先用 --to merged 导出，再用 llama.cpp 自带的脚本转换：python convert_hf_to_gguf.py RUN/export/merged",
    ),
    "export.no_tensor_name": (
        "llama.cpp has no place for this tensor in a {family} model.",
        "llama.cpp 的 {family} 模型里没有这个张量的位置。",
    ),
    "export.no_tensor_name.hint": (
        "Export with --to merged and convert that folder with llama.cpp's own script.",
        "请先用 --to merged 导出，再用 llama.cpp 自带的脚本转换。",
    ),
    "export.no_tokenizer": (
        "Tokenizers of the kind {kind} are not written as GGUF here, only byte-level BPE.",
        "这里只能把字节级 BPE 分词器写进 GGUF，不支持 {kind}。",
    ),
    "export.no_tokenizer.hint": (
        "Export with --to merged and convert that folder with llama.cpp's own script: "
        "python convert_hf_to_gguf.py RUN/export/merged",
        "请先用 --to merged 导出，再用 llama.cpp 自带的脚本转换：python convert_hf_to_gguf.py RUN/export/merged",
    ),
    "export.no_splitting": (
        "llama.cpp would cut text otherwise than this tokenizer does, so its tokens would be others.",
        "llama.cpp 切分文本的方式与这个分词器不同，token 会不一样。",
    ),
    "export.no_splitting.hint": (
        "Rules that are known: {known}. Serve the model with vLLM or transformers instead: --to merged, --to vllm.",
        "已知的切分规则：{known}。请改用 vLLM 或 transformers：--to merged、--to vllm。",
    ),
    "export.no_pieces": (
        "This chat template cannot be written as an Ollama template: it is more than a piece of text around each turn.",
        "这个对话模板无法写成 Ollama 模板：它不只是在每轮对话前后加文字。",
    ),
    "export.no_pieces.hint": (
        "Export with --to gguf and serve it with llama-server --jinja, which reads the template as it is.",
        "请用 --to gguf 导出，再用 llama-server --jinja 启动，它能直接读取原模板。",
    ),
    # The screen
    "export.head": ("Export {target}: {folder}", "导出 {target}：{folder}"),
    "export.passed": ("It answers as the run did.", "导出文件的回答与本次运行一致。"),
    "export.failed": (
        "IT DOES NOT ANSWER AS THE RUN DID. Do not ship it.",
        "导出文件的回答与本次运行不一致，请不要发布。",
    ),
    "export.column.file": ("File", "文件"),
    "export.column.reader": ("Reader", "读取工具"),
    "export.column.dtype": ("Type", "类型"),
    "export.column.logits": ("Logits off", "logits 偏差"),
    "export.column.bound": ("Bound", "上限"),
    "export.column.answers": ("Answers", "相同回答"),
    "export.column.passed": ("Proof", "验证"),
    "export.column.run": ("Run", "本次运行"),
    "export.column.export": ("Export", "导出文件"),
    "export.column.prompt": ("Question", "问题"),
    "export.column.check": ("Check", "检查项"),
    "export.ok": ("passed", "通过"),
    "export.bad": ("FAILED", "未通过"),
    "export.check.template": ("Text of the chat template", "对话模板生成的文本"),
    "export.check.tokens": ("Tokens of the prompts", "提示词的 token"),
    "export.check.special": ("Special tokens", "特殊 token"),
    "export.check.ends": ("Tokens that end an answer", "结束回答的 token"),
    "export.check.logits": ("Logits", "logits"),
    "export.check.answers": ("Greedy answers", "贪心解码的回答"),
    "export.check.weights": ("Weights in the file", "文件中的权重"),
    "export.differences": ("Answers that differ", "不同的回答"),
    "export.recorded": (
        "Of the {n} answers, {equal} are word for word those that the run has measured; the others differ since the run "
        "computed in {dtype} and in batches, and the proof computes in {precision}, one by one.",
        "这 {n} 个回答中，有 {equal} 个与运行时测得的逐字相同；其余的差异来自计算方式：运行时用 {dtype} 成批计算，"
        "验证时用 {precision} 逐个计算。",
    ),
    "export.notes": ("Good to know", "须知"),
    "export.use": ("Use it", "使用方法"),
    # Notes
    "export.note.no_id": (
        "The base is called {base} in this export, since its hub id is not known: give it with --base-id ORG/NAME.",
        "导出文件中基座模型记为 {base}，因为不知道它在模型库中的 id：可用 --base-id 组织/名称 指定。",
    ),
    "export.note.demo": (
        "The demo model is a 4-bit copy of {base}: on the original weights the adapter answers a little differently.",
        "演示模型是 {base} 的 4 位量化副本：在原始权重上，适配器的回答会略有不同。",
    ),
    "export.note.nf4": (
        "The base was held in 4 bits while training. On a base in 16 bits the adapter answers a little differently; "
        "--to merged keeps the 4-bit values that it was trained on.",
        "训练时基座为 4 位。在 16 位基座上，适配器的回答会略有不同；--to merged 会保留训练时所用的 4 位数值。",
    ),
    "export.note.no_llamacpp": (
        "llama-cpp-python is not installed, so the file was read back with transformers. To prove it in llama.cpp "
        "itself: pip install 'tuneproof[llamacpp]' (a source build of some minutes), then run this again with --check.",
        "没有安装 llama-cpp-python，因此用 transformers 读回文件。要在 llama.cpp 中验证："
        "pip install 'tuneproof[llamacpp]'（需编译几分钟），然后加 --check 再运行一次。",
    ),
    "export.note.coarse": (
        "{dtype} is too coarse for this model. Take q8_0 or f16; for K-quants, which keep more, give the f16 file to "
        "llama.cpp's llama-quantize (what comes out is not proven here).",
        "{dtype} 对这个模型过于粗糙。请用 q8_0 或 f16；若要用精度更高的 K 量化，请把 f16 文件交给 llama.cpp 的 "
        "llama-quantize（其结果不在此验证之内）。",
    ),
    "export.note.ollama": (
        "Modelfile starts from the merged GGUF, Modelfile.adapter from a base GGUF of yours with the adapter as GGUF.",
        "Modelfile 使用合并后的 GGUF，Modelfile.adapter 使用你自己的基座 GGUF 加上 GGUF 格式的适配器。",
    ),
    "export.note.no_adapters": (
        "Adapters in safetensors Ollama reads for llama and gemma2 models only, and this is a {family} model.",
        "Ollama 只能读取 llama 和 gemma2 模型的 safetensors 适配器，而这是 {family} 模型。",
    ),
    "export.vllm.yes": (
        "vLLM: yes, it serves this adapter beside the base.",
        "vLLM：可以，它能在基座上直接加载这个适配器。",
    ),
    "export.vllm.no": (
        "vLLM: no, because {why}. The merged model is served instead.",
        "vLLM：不行，因为{why}。因此改为部署合并后的模型。",
    ),
    "export.vllm.between": ("; ", "；"),
    "export.vllm.rank": ("its rank is above 512", "它的秩超过 512"),
    "export.vllm.modules": ("it has modules_to_save", "它带有 modules_to_save"),
    "export.vllm.dora": ("it is a DoRA adapter", "它是 DoRA 适配器"),
    "export.vllm.bias": ("it trains biases", "它训练了偏置"),
    "export.vllm.head": ("it adapts embeddings or head", "它改动了词嵌入或输出层"),
    "export.ollama.comment": (
        "ollama create {name} -f Modelfile\nThe answers were measured at temperature 0.",
        "ollama create {name} -f Modelfile\n评测时温度为 0。",
    ),
    "export.ollama.adapter_comment": (
        "ollama create {name} -f Modelfile.adapter\n"
        "The adapter alone. Put {base} as F16 or F32 GGUF beside it as base.gguf; a quantised base answers otherwise.",
        "ollama create {name} -f Modelfile.adapter\n"
        "只含适配器。请把 {base} 的 F16 或 F32 GGUF 命名为 base.gguf 放在旁边；量化过的基座回答会不同。",
    ),
    # The model card
    "export.card.about": (
        "A LoRA fine-tune of `{base}`, trained, measured and exported by tuneproof {version}.",
        "基于 `{base}` 的 LoRA 微调，由 tuneproof {version} 训练、评测并导出。",
    ),
    "export.card.not_judged": (
        "This run has not been measured: nothing is known of what it gained or forgot.",
        "这次运行没有评测：学到了什么、忘记了什么都不清楚。",
    ),
    "export.card.result": ("Result on held-out rows", "在留出数据上的结果"),
    "export.card.all": ("all", "全部"),
    "export.card.column.task": ("Task", "任务"),
    "export.card.column.n": ("n", "n"),
    "export.card.column.base": ("Base", "基座"),
    "export.card.column.tuned": ("Tuned", "微调后"),
    "export.card.column.gain": ("Gain", "提升"),
    "export.card.column.interval": ("95 % interval", "95% 区间"),
    "export.card.column.p": ("p", "p"),
    "export.card.column.prompt": ("Question", "问题"),
    "export.card.training": ("Training", "训练"),
    "export.card.data": ("Data: {files}; {rows} rows trained on", "数据：{files}；用于训练 {rows} 条"),
    "export.card.adapter": (
        "Adapter: LoRA, rank {rank}, alpha {alpha}, on {targets}",
        "适配器：LoRA，秩 {rank}，alpha {alpha}，作用于 {targets}",
    ),
    "export.card.base": (
        "Base: `{base}`, revision {revision}, held in {dtype}",
        "基座：`{base}`，版本 {revision}，以 {dtype} 保存",
    ),
    "export.card.steps": (
        "{steps} optimizer steps, {tokens} trained tokens, learning rate {rate}, seed {seed}",
        "优化 {steps} 步，训练 {tokens} 个 token，学习率 {rate}，随机种子 {seed}",
    ),
    "export.card.system": ("System prompt: {prompt}", "系统提示词：{prompt}"),
    "export.card.lost": ("What was forgotten", "忘记了什么"),
    "export.card.lost_text": (
        "Of {n} general questions the base answered {base_right} right. After training {lost} of those answers were "
        "wrong, and {gained} wrong ones were right.",
        "在 {n} 道通用题中，基座答对 {base_right} 道。训练后，其中 {lost} 道变错，另有 {gained} 道由错变对。",
    ),
    "export.card.use": ("How to use it", "使用方法"),
    "export.card.folder": ("the folder of this card", "本说明所在的目录"),
    "export.card.proof": ("Proof of this export", "导出验证"),
    "export.card.proof_text": (
        "`parity.json` beside this card says what was compared with the run in a fresh process (the text of the chat "
        "template, tokens, special and end tokens, logits, greedy answers), by which reader, and how far they differ.",
        "旁边的 `parity.json` 记录了在全新进程中与本次运行比对的内容（对话模板文本、token、特殊与结束 token、logits、"
        "贪心回答）、所用的读取工具以及差异大小。",
    ),
}
