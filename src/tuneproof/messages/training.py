"""Sentences of training: key -> (English, Chinese); `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "model.no_liger": (
        "Liger's kernels are asked for, and liger-kernel or Triton is not installed.",
        "要求使用 Liger 的内核，但没有安装 liger-kernel 或 Triton。",
    ),
    "model.no_liger.hint": (
        "pip install 'tuneproof[liger]' on Linux with a CUDA device; or leave out train.kernels.",
        "在带 CUDA 设备的 Linux 上执行 pip install 'tuneproof[liger]'；或者去掉 train.kernels。",
    ),
    "report.no_tracker": ("The tracker {name} is not installed.", "没有安装跟踪工具 {name}。"),
    "report.no_tracker.hint": ("pip install {name}, or leave it out.", "请运行 pip install {name}，或去掉它。"),
    # Memory at run time.
    "memory.lighter": (
        "Memory ran out ({stage}): {lever} {before} -> {after}, and it is done again. Nothing else changes.",
        "内存不足（{stage}）：{lever} 由 {before} 改为 {after}，并重做这一步。其他都不变。",
    ),
    "memory.more_than_planned": (
        "{measured} in use at the peak, {planned} planned.",
        "峰值实际占用 {measured}，计划 {planned}。",
    ),
    "memory.spilling": (
        "Steps take {factor} times as long as before: the driver is probably moving tensors to the computer's own "
        "memory. Close what else uses the card, or lower train.micro_batch.",
        "每步耗时变为先前的 {factor} 倍：驱动程序很可能正把张量挪到系统内存。请关闭占用显卡的其他程序，或调低 train.micro_batch。",
    ),
    "train.out_of_memory": (
        "Memory ran out with one row at a time and recomputed activations: {why}",
        "每次只放一条、并重算激活值，内存仍然不足：{why}",
    ),
    "train.out_of_memory.hint": (
        "Checkpoints so far are kept. Close what else uses memory and resume; or lower data.max_tokens, or set "
        "memory.quantization=nf4 in a new run; `tuneproof plan` shows what would fit.",
        "已有的检查点都还在。请关闭占用内存的程序后继续；或另起一次运行并调低 data.max_tokens、设 memory.quantization=nf4；"
        "`tuneproof plan` 会告诉你什么放得下。",
    ),
    "train.out_of_memory_split": (
        "Memory ran out on one of the processes over which the model is split: {why}",
        "模型拆到多个进程上，其中一个内存不足：{why}",
    ),
    "train.out_of_memory_split.hint": (
        "Checkpoints so far are kept. Close what else uses memory and resume with the same --gpus; or in a new run lower "
        "train.micro_batch or data.max_tokens, or use more GPUs.",
        "已有的检查点都还在。请关闭占用内存的程序，用同样的 --gpus 继续；或另起一次运行，调低 train.micro_batch 或 data.max_tokens，或多用几块 GPU。",
    ),
    "memory.spilling.setting": (
        "On Windows: NVIDIA Control Panel, Manage 3D settings, CUDA - Sysmem Fallback Policy: Prefer No Sysmem Fallback "
        "makes it fail at once instead, which is then handled.",
        "Windows 上：在 NVIDIA 控制面板的“管理 3D 设置”中，把“CUDA - 系统内存回退策略”设为“首选无系统内存回退”，"
        "这样会立即报告内存不足并由本工具处理。",
    ),
    "train.several_processes": (
        "{processes} processes were started to work together, and nothing says which of them this one is.",
        "启动了 {processes} 个进程一起工作，但没有说明这是其中的哪一个。",
    ),
    "train.several_processes.hint": (
        "Start the command line by torchrun or with --gpus (docs/scale.md), or take WORLD_SIZE out of the environment.",
        "请用 torchrun 或 --gpus 启动命令行（docs/scale.zh-CN.md），或者去掉环境变量 WORLD_SIZE。",
    ),
    "train.no_rows": ("There is no row to train on.", "没有可用于训练的数据。"),
    "train.no_rows.hint": (
        "Add rows, or look at the findings of `tuneproof check`.",
        "请增加数据，或查看 `tuneproof check` 的结果。",
    ),
    "train.nothing_trained": (
        "Nothing of this row would be trained: it has no answer after the template is applied.",
        "这一行没有任何可训练的内容：套用模板后没有回答。",
    ),
    "train.nothing_trained.hint": (
        "Give the row an answer, or remove it.",
        "请补上回答，或删除这一行。",
    ),
    "train.not_finite": (
        "The {what} is {value}: training stopped before the weights changed. Rows of this step: {rows}.",
        "{what} 变成了 {value}：已在权重改变之前停止训练。本步的数据：{rows}。",
    ),
    "train.not_finite.hint": (
        "Look at these rows, or lower the rate: --set train.learning_rate=1e-4",
        "请检查这些数据，或降低学习率：--set train.learning_rate=1e-4",
    ),
    "train.stopped": (
        "Stopped at step {step} of {steps}; everything up to there is saved.",
        "已在第 {step} 步（共 {steps} 步）停止，之前的内容都已保存。",
    ),
    "train.stopped.hint": (
        "`tuneproof resume {run}` goes on from there.",
        "用 `tuneproof resume {run}` 从那里继续。",
    ),
    "base.remembered": (
        "Answers of the base that earlier runs have made and this one takes over: {n}",
        "取用以前的运行已生成的基座回答：{n} 条",
    ),
    "replay.short": (
        "Replay is {share} of the training tokens instead of {wanted}: there are {n} answers, each seen at most four times a pass.",
        "回放占训练 token 的 {share}，而不是 {wanted}：可用的回放回答只有 {n} 条。",
    ),
    "train.skipped": (
        "A damaged checkpoint was passed over: {why}.",
        "跳过了一个损坏的检查点：{why}。",
    ),
    "train.no_checkpoint": (
        "No checkpoint is whole, so there is nothing to go on from: {why}.",
        "没有一个检查点是完好的，无法继续训练：{why}。",
    ),
    "train.no_checkpoint.hint": (
        "Put the files back, or begin anew with --restart (the records of the run are removed).",
        "请恢复这些文件，或用 --restart 重新开始（会删除该运行的记录）。",
    ),
    "train.diverged": (
        "Training diverges: over the last {n} steps the loss is {now} on average, {before} over the first {n}.",
        "训练发散：最近 {n} 步的平均损失为 {now}，而最初 {n} 步为 {before}。",
    ),
    "train.diverged.hint": (
        "Lower the rate and begin anew: --restart --set train.learning_rate=1e-4",
        "请降低学习率后重新开始：--restart --set train.learning_rate=1e-4",
    ),
    "train.no_packing": (
        "This model cannot keep packed rows apart, so rows are trained one at a time (slower, same result).",
        "该模型无法隔离打包在一起的数据，因此逐条训练（更慢，结果相同）。",
    ),
    "train.bad_adapter": (
        "The weight {name} is not finite, so no adapter is written.",
        "权重 {name} 不是有限数，因此不写出适配器。",
    ),
    "train.bad_adapter.hint": (
        "Start over with a lower rate: --restart --set train.learning_rate=1e-4",
        "请降低学习率后重新开始：--restart --set train.learning_rate=1e-4",
    ),
    "crew.lost": (
        "Another process of this run has ended ({why}).",
        "这次运行的另一个进程已经结束（{why}）。",
    ),
    "crew.lost.hint": (
        "Its own message says why; `tuneproof resume` goes on from the last checkpoint.",
        "原因见它自己的信息；`tuneproof resume` 会从最近的检查点继续。",
    ),
}
