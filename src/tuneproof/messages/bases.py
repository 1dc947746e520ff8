"""What the user reads about base models that are good first choices. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.help.models": (
        "Base models that are good first choices, by memory, language and licence, with the reason.",
        "按内存、语言和许可证列出合适的首选基座模型，并说明理由。",
    ),
    "cli.help.completion": (
        "The script that lets a shell complete commands and options.",
        "输出让 shell 补全命令和选项的脚本。",
    ),
    "cli.option.shell": ("bash, zsh, fish or powershell.", "bash、zsh、fish 或 powershell。"),
    "bases.head": ("First choices for {limit} on {device}", "{device} 上 {limit} 可用内存的首选模型"),
    "bases.column.model": ("Model", "模型"),
    "bases.column.full": ("Unquantised", "不量化"),
    "bases.column.nf4": ("4-bit", "4 位"),
    "bases.column.fit": ("Fits", "能否放下"),
    "bases.column.languages": ("Speaks", "语言"),
    "bases.fit.full": ("yes", "能"),
    "bases.fit.nf4": ("in 4 bits", "4 位能"),
    "bases.fit.no": ("no", "不能"),
    "bases.gated": (", gated", "，需申请"),
    "bases.none": ("-", "-"),
    "bases.note": (
        "Planned, not measured: one row of {tokens} tokens, rank {rank} on all linear layers, activations recomputed, "
        "weights in {dtype} or in 4 bits. `tuneproof plan` reckons with your rows. Read the licence before you ship.",
        "以上为估算值，未经实测：单行 {tokens} token、所有线性层 rank {rank}、重算激活值，权重为 {dtype} 或 4 位。"
        "`tuneproof plan` 会按你的数据计算。上线前请阅读许可证。",
    ),
    "bases.next": (
        "Next: tuneproof plan rows.jsonl --model NAME",
        "接下来：tuneproof plan rows.jsonl --model 名称",
    ),
    "bases.demo": (
        "Comes by pip, no hub; runs on two CPU cores. To learn the tool, and for short fixed formats.",
        "随 pip 安装，无需 hub，两个 CPU 核即可运行；用来熟悉本工具，或处理简短固定的格式。",
    ),
    "bases.small_english": (
        "The smallest English one that follows instructions; a laptop without a GPU can train it.",
        "能听从英文指令的最小模型，没有 GPU 的笔记本也能训练。",
    ),
    "bases.small_chinese": (
        "The smallest with sound Chinese; a good first trial of any data set, since it is quick.",
        "中文可用的最小模型；训练快，适合先试一试任何数据集。",
    ),
    "bases.llama": (
        "Widely supported by other tools; its owner asks for consent, and its licence has terms of use.",
        "其他工具支持广泛；下载前需要申请，许可证附有使用条款。",
    ),
    "bases.six_gigabytes": (
        "The first choice for a 6 GB card: Chinese and English, open licence, 16-bit LoRA fits.",
        "6 GB 显卡的首选：中英文俱佳，许可证开放，16 位 LoRA 放得下。",
    ),
    "bases.open_english": (
        "English only, fully open training data and recipe: when you must say what the model was trained on.",
        "仅英文，训练数据和配方完全公开：适合必须说明模型训练来源的场合。",
    ),
    "bases.tutorials": (
        "Named in many tutorials. Its licence allows research only: for a product take Qwen2.5-1.5B.",
        "许多教程使用的模型。许可证仅限研究用途，产品请改用 Qwen2.5-1.5B。",
    ),
    "bases.eight_gigabytes": (
        "The strongest that trains on an 8 GB card in 4 bits; answers at once, without a thinking part.",
        "8 GB 显卡用 4 位能训练的最强模型；直接回答，不带思考过程。",
    ),
    "bases.large_english": (
        "English, open licence, one of the best supported of its size.",
        "英文，许可证开放，同等规模中支持最好的模型之一。",
    ),
    "bases.large_chinese": (
        "Chinese and English with an open licence: the choice for 12 GB in 4 bits and 24 GB in 16 bits.",
        "中英文，许可证开放：12 GB 用 4 位、24 GB 用 16 位时的选择。",
    ),
    "bases.largest": (
        "The largest worth trying on one 24 GB card, in 4 bits. Try a smaller one first: compare verdicts.",
        "单张 24 GB 显卡用 4 位值得一试的最大模型。请先试小的，再比较结论。",
    ),
}
