"""What the user reads about clusters and searches. key -> (English, Chinese); `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.option.cluster": (
        "Work on a Ray cluster: `auto`, HOST:PORT, or `local` for a Ray of its own on this machine.",
        "在 Ray 集群上运行：`auto`、HOST:PORT，或用 `local` 在本机临时启动一个 Ray。",
    ),
    "cli.option.workers": (
        "Workers on the cluster; default: one for each GPU, without GPUs one for each machine.",
        "集群上的工作进程数；默认每块 GPU 一个，没有 GPU 时每台机器一个。",
    ),
    "cluster.no_ray": ("Ray is not installed.", "没有安装 Ray。"),
    "cluster.no_ray.hint": ("pip install 'tuneproof[cluster]'", "请运行 pip install 'tuneproof[cluster]'"),
    "cluster.no_answer": ("No Ray cluster answers at {address}: {why}", "{address} 处没有 Ray 集群应答：{why}"),
    "cluster.no_answer.hint": (
        "Start one with `ray start --head` and name its HOST:PORT, or use `--cluster local`.",
        "请用 `ray start --head` 启动集群并写明它的 HOST:PORT，或使用 `--cluster local`。",
    ),
    "cluster.few_gpus": (
        "{asked} GPUs are asked for, and the cluster has {found}.",
        "要求 {asked} 块 GPU，集群里有 {found} 块。",
    ),
    "cluster.few_gpus.hint": (
        "Ask for fewer, or add machines: `ray status` shows what is there.",
        "请减少数量或增加机器；`ray status` 会列出现有资源。",
    ),
    "cluster.few_cpus": (
        "{asked} workers are asked for, and the cluster has {found} processors for them.",
        "要求 {asked} 个工作进程，集群里有 {found} 个处理器可用。",
    ),
    "cluster.few_cpus.hint": (
        "Ask for fewer with --workers, or add machines: `ray status` shows what is there.",
        "请用 --workers 减少数量或增加机器；`ray status` 会列出现有资源。",
    ),
    "cluster.no_folder": (
        "The machine {node} does not see this folder.",
        "机器 {node} 看不到这个目录。",
    ),
    "cluster.no_folder.hint": (
        "Data, base model and run folder must lie on storage that all machines mount at the same path.",
        "数据、基座模型和运行目录必须放在所有机器以相同路径挂载的存储上。",
    ),
    "cluster.stdin": (
        "Rows from standard input do not reach the machines of a cluster.",
        "标准输入里的数据到不了集群的机器。",
    ),
    "cluster.stdin.hint": (
        "Write them to a file on the storage that all machines share.",
        "请写入所有机器共享的存储上的文件。",
    ),
    "cluster.given_up": ("The cluster gave the run up: {why}", "集群放弃了这次运行：{why}"),
    "cluster.given_up.hint": (
        "The same command goes on from the last checkpoint; `ray status` and Ray's logs tell what its machines lack.",
        "重新运行同一条命令会从最近的检查点继续；机器缺什么，请看 `ray status` 和 Ray 的日志。",
    ),
    "cluster.workers_of_none": (
        "Workers belong to a cluster, and none is named.",
        "指定了工作进程数，却没有指定集群。",
    ),
    "cluster.workers_of_none.hint": (
        "Add --cluster ADDRESS, or use --gpus for the GPUs of this machine.",
        "请加上 --cluster ADDRESS；若要用本机的 GPU，请用 --gpus。",
    ),
}
