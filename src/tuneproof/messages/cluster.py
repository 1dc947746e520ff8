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
    "cli.option.trials": (
        "Trials of learning rate, rank, passes and replay; a knob that you set is not searched.",
        "试验次数：试不同的学习率、秩、轮数和回放比例；你自己设定的项不参与搜索。",
    ),
    "cli.help.search": (
        "Try several settings, compare them on the select rows, and measure the best one on the test rows.",
        "试多组设置，在选择集上比较，只把最好的一组拿到测试集上测量。",
    ),
    "stage.search": ("Searching", "搜索"),
    "trials.search": ("Search", "搜索"),
    "trials.column.trial": ("Trial", "试验"),
    "trials.column.rank": ("Rank", "秩"),
    "trials.column.passes": ("Passes", "轮数"),
    "trials.column.replay": ("Replay", "回放"),
    "trials.column.end": ("End", "结局"),
    "search.end.ended": ("ended", "跑完"),
    "search.end.halved": ("halved", "中途淘汰"),
    "search.chosen": (
        "{name} was taken of {n} trials, of which {ended} ran to their end; its score on the select rows is {score}.",
        "{n} 次试验中有 {ended} 次跑完，取用 {name}；它在选择集上的得分为 {score}。",
    ),
    "search.loss": (
        "As the best of several it is expected to lose {points} on rows that had no part in the choice, and to score "
        "{expected} there (bootstrap over {rows} select rows).",
        "因为是多次试验中挑出的最好成绩，在未参与挑选的数据上预计会低 {points}，即得分约 {expected}（对 {rows} 条选择集数据做自助法估计）。",
    ),
    "search.test": (
        "On the test rows, which no trial has seen, it scored {test}.",
        "在任何试验都没见过的测试集上，它的得分为 {test}。",
    ),
    "search.no_choice": ("No trial has been taken yet.", "还没有取用任何试验。"),
    "search.note": (
        "Trials were compared at as many optimizer steps each, and the worse half of them ended there (ASHA). The verdict "
        "is that of the test rows alone. Expected loss: bootstrap bias correction (Tsamardinos et al. 2018).",
        "各试验在相同的优化步数处比较，较差的一半就此结束（ASHA）。结论只看测试集。预计损失用自助法偏差校正"
        "（Tsamardinos 等，2018）估计。",
    ),
    "search.none": ("No trial of the search ran to its end.", "搜索中没有一次试验跑完。"),
    "search.none.hint": (
        "Each folder's run.json says why; mend it and give the same command again.",
        "原因见各目录的 run.json；解决之后重新运行同一条命令。",
    ),
    "search.unfinished": ("The search in this folder has not chosen yet.", "这个目录里的搜索还没有选出结果。"),
    "search.unfinished.hint": (
        "Give the same `tuneproof search` command again: it goes on where it stopped.",
        "请重新运行同一条 `tuneproof search` 命令，它会从停下的地方继续。",
    ),
    "search.plain_run": (
        "This folder has a run that was begun without a search.",
        "这个目录里的运行不是从搜索开始的。",
    ),
    "search.plain_run.hint": (
        "Choose another folder with --out, or start over with --restart.",
        "请用 --out 指定另一个目录，或用 --restart 重新开始。",
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
