"""What the user reads: the clean file of `check --write-clean` and its log. key -> (English, Chinese)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "start.sides": (
        "{n} rows changed their side since the earlier run, for rows that are new join them to others: see `moved` in data/split.json.",
        "新增的数据把原有数据连成了一组，有 {n} 条与上一次运行所在的一侧不同，见 data/split.json 的 `moved`。",
    ),
    "data.clean_kind": (
        "A clean file can be written as {known}.",
        "清洗后的文件只能写成 {known}。",
    ),
    "data.clean_kind.hint": (
        "Give the name one of these endings, or name a folder: the file in it is called like yours.",
        "请使用其中一种扩展名，或给出一个目录，文件名会与原文件相同。",
    ),
    "data.clean_folder": (
        "There are {count} data files, and one clean file is named.",
        "共有 {count} 个数据文件，却只给出了一个输出文件。",
    ),
    "data.clean_folder.hint": (
        "Name a folder, e.g. `--write-clean clean`: each file gets its clean one in it.",
        "请给出一个目录，例如 `--write-clean clean`，每个文件会各自写入其中。",
    ),
    "data.clean_over_input": (
        "The clean file would be written over a data file.",
        "清洗后的文件会覆盖原数据文件。",
    ),
    "data.clean_over_input.hint": (
        "Name another file or folder: your data is never written over.",
        "请换一个文件或目录，原数据绝不会被覆盖。",
    ),
    "stage.clean": ("Writing the clean data", "写出清洗后的数据"),
    "clean.mojibake": (
        'repaired: "{text}" was decoded with the wrong encoding, and is decoded right.',
        "已修复：“{text}”曾被用错误的编码解读，已按正确的编码还原。",
    ),
    "clean.control": ("repaired: {codes} taken out.", "已修复：删除了 {codes}。"),
    "clean.tokens": (
        'repaired: {count} characters of template marks and of what followed them taken out: "{text}".',
        "已修复：删除了模板标记及其后的内容，共 {count} 个字符：“{text}”。",
    ),
    "clean.turn": (
        'repaired: the answer ends before the next turn; cut off: "{text}".',
        "已修复：回答在下一轮对话之前结束，截去：“{text}”。",
    ),
    "clean.no_input": ('repaired: the input "{text}" is left empty.', "已修复：输入“{text}”改为空。"),
    "clean.left_out": ("left out: {why}", "已去除：{why}"),
    "clean.left_in": ("left in, for you to decide: {why} {fix}", "保留，由你决定：{why}{fix}"),
    "cli.clean.headline": ("Clean data written: {written} rows", "已写出清洗后的数据：{written} 条"),
    "cli.clean.counts": (
        "{repaired} rows repaired, {left_out} left out, {left_in} left in for you to decide",
        "修复 {repaired} 条，去除 {left_out} 条，另有 {left_in} 条保留并由你决定",
    ),
    "cli.clean.files": ("Files", "文件"),
    "cli.clean.log": ("Log", "日志"),
    "cli.option.write_clean": (
        "Write the repaired data to this file (or folder), and beside it a log of every change.",
        "修复后的数据写到此文件（或目录），旁边附有改动日志。",
    ),
}
