"""Sentences of errors that no single stage owns: key -> (English, Chinese); `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "run.missing": ("This run has no {file}.", "这个运行目录里没有 {file}。"),
    "run.missing.hint": (
        "Run the stage that makes it first: `tuneproof run` goes on where it stopped.",
        "请先执行产生它的阶段：`tuneproof run` 会从中断处继续。",
    ),
    "run.damaged": ("The file cannot be read: {why}.", "文件无法读取：{why}。"),
    "run.damaged.hint": (
        "Remove this file and run the command again: what is missing is made anew.",
        "请删除该文件后重新执行命令，缺少的部分会重新生成。",
    ),
    "run.locked": ("Another process is writing to this run ({owner}).", "另一个进程正在写入该运行目录（{owner}）。"),
    "run.locked.hint": (
        "Wait until it ends, or choose another folder with --out.",
        "请等待它结束，或用 --out 指定另一个目录。",
    ),
    "run.other": (
        "The folder belongs to another experiment: {differences}.",
        "该目录属于另一个实验：{differences}。",
    ),
    "run.other.hint": (
        "Choose another folder with --out; or --fork begins a new run beside it from its weights, --restart starts this "
        "one over (its records are removed).",
        "请用 --out 指定另一个目录；也可以用 --fork 在旁边新建运行、从它的权重继续，或用 --restart 从头开始（会删除其中的记录）。",
    ),
    "run.change": ("{name} was {before}, is now {now}", "{name} 原为 {before}，现为 {now}"),
    "run.not_set": ("not set", "未设置"),
    "run.versions": (
        "This run was begun with other versions, and half of it is not done yet: {differences}.",
        "该运行是用其他版本开始的，且尚未完成：{differences}。",
    ),
    "run.versions.hint": (
        "Install those versions again, or begin a new run: --fork goes on from these weights, --restart starts over.",
        "请装回原来的版本，或开始新的运行：--fork 从现有权重继续，--restart 从头开始。",
    ),
    "run.stopped": ("Stopped. What was done is saved.", "已停止，已完成的部分都已保存。"),
    "run.stopped.hint": ("`tuneproof resume {run}` goes on from there.", "用 `tuneproof resume {run}` 从那里继续。"),
    "run.foreign": (
        "Files that no run wrote would be overwritten or removed: {files}.",
        "这会覆盖或删除并非由运行写入的文件：{files}。",
    ),
    "run.foreign.hint": (
        "Name a folder for the run alone: --out runs/NAME, with the rows outside of it.",
        "请为运行单独指定一个目录：--out runs/NAME，数据文件放在它之外。",
    ),
    "run.unwritable": ("The run folder cannot be written: {why}.", "无法写入运行目录：{why}。"),
    "run.unwritable.hint": (
        "Check the disk and the rights of the folder; the same command goes on from what is saved.",
        "请检查磁盘和目录权限；再次执行同一命令会从已保存处继续。",
    ),
    "fork.begun": (
        "{origin} belongs to another experiment: this one is {run}, and begins with the weights from there.",
        "{origin} 属于另一个实验：本次运行放在 {run}，从那里的权重开始。",
    ),
    "fork.fresh": (
        "{origin} belongs to another experiment, and its weights do not fit this one: {run} begins with a fresh adapter.",
        "{origin} 属于另一个实验，且其权重不适用：{run} 从全新的适配器开始。",
    ),
    "fork.or_restart": (
        "A folder is either left as it is or started over.",
        "目录要么保持原样，要么从头开始，不能两者兼有。",
    ),
    "fork.or_restart.hint": ("Leave out --fork or --restart.", "请去掉 --fork 或 --restart。"),
    "run.not_a_run": ("This is not a run folder.", "这不是一个运行目录。"),
    "run.not_a_run.hint": (
        "Give the folder that `tuneproof run` or `tuneproof demo` wrote.",
        "请给出 `tuneproof run` 或 `tuneproof demo` 写入的目录。",
    ),
    "disk.full": (
        "The disk is full: {needed} MB are needed, {free} MB are free.",
        "磁盘已满：需要 {needed} MB，剩余 {free} MB。",
    ),
    "disk.full.hint": (
        "Free some space and give the same command again, or choose another folder with --out.",
        "请释放空间后再次执行同一命令，或用 --out 指定另一个目录。",
    ),
    "disk.filled": (
        "The disk is full, so this file could not be written. What was saved before is whole.",
        "磁盘已满，无法写入该文件。此前保存的内容完好无损。",
    ),
    "disk.filled.hint": (
        "Free some space and give the same command again: it goes on from what is saved.",
        "请释放空间后再次执行同一命令，会从已保存处继续。",
    ),
    "config.no_model": ("No base model is named.", "没有指定基座模型。"),
    "config.no_model.hint": (
        "Add --model with a hub id, a local folder, a GGUF file, or `demo`; `tuneproof models` lists good first choices.",
        "请用 --model 指定 hub 上的模型、本地目录、GGUF 文件或 `demo`；`tuneproof models` 会列出合适的首选。",
    ),
    "data.no_files": ("No data file is named.", "没有指定数据文件。"),
    "data.no_files.hint": (
        "Name at least one: tuneproof run rows.jsonl --model demo",
        "请至少指定一个：tuneproof run rows.jsonl --model demo",
    ),
    "data.capped": (
        "{rows} rows of more than {cap} tokens do not fit into memory and are left out of training.",
        "有 {rows} 条数据超过 {cap} 个 token，内存放不下，不参与训练。",
    ),
    "data.no_test": (
        "{rows} rows are too few to hold some out for a test: the run goes on, and its verdict will be NOT ENOUGH EVIDENCE.",
        "只有 {rows} 条数据，无法留出测试集：流程会继续，但结论将是“证据不足”。",
    ),
}
