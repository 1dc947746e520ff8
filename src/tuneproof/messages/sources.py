"""What the user reads about where data comes from: files of other kinds, stdin, a hub, weights. key -> (English, Chinese).

Errors have a `KEY.hint` that says what to do, findings a `KEY.fix`.
"""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "stage.read": ("Reading the data", "读取数据"),
    "data.no_room": (
        "The rows cannot be kept while they are checked: {why}.",
        "检查数据时无法保存中间数据：{why}。",
    ),
    "data.no_room.hint": (
        "Free as much room as the data takes, or name another folder for temporary files with TMPDIR.",
        "请腾出与数据大小相当的空间，或用 TMPDIR 指定另一个临时目录。",
    ),
    "data.detectable": (
        "{n} rows are held out to test on: a difference of {effect} points or more will be found 4 times in 5.",
        "留出 {n} 条数据用于测试：{effect} 个百分点及以上的差异，五次里能发现四次。",
    ),
    "stage.tokens": ("Counting tokens", "统计 token"),
    "stage.outliers": ("Weighing the answers", "用基座模型衡量回答"),
    "data.outliers_model": ("Outliers are told by a model, and none is named.", "异常要由模型判断，但没有指定模型。"),
    "data.outliers_model.hint": (
        "Name one with --model, or leave data.outliers out.",
        "请用 --model 指定模型，或去掉 data.outliers。",
    ),
    "finding.outlier.fix": (
        "Read the row: it may belong to another task or be damaged, or be merely unusual. Correct or remove it if so.",
        "请看一下该行：可能属于其他任务或已损坏，也可能只是少见。有问题则改正或删除。",
    ),
    "finding.outlier.unlikely": (
        'The base model finds the answer far less likely ({loss} nats a token) than is usual in the task "{task}" ({usual}).',
        "基座模型认为这个回答远不如任务“{task}”的其他回答常见（每个 token {loss} nat，通常为 {usual}）。",
    ),
    "finding.outlier.unrelated": (
        "The question makes the answer no likelier to the base model ({ratio} times the loss without it).",
        "对基座模型来说，有没有这个问题，回答都一样不可能（有问题时的损失是没有时的 {ratio} 倍）。",
    ),
    "finding.outlier.unrelated.fix": (
        "Check that the answer belongs to this question.",
        "请检查回答与问题是否对应。",
    ),
    "data.one_fault": ("{message}", "{message}"),
    "data.one_fault.hint": ("{fix}", "{fix}"),
    "data.no_parquet": (
        "Parquet files are read by pyarrow, which is not installed.",
        "读取 Parquet 文件需要 pyarrow，但尚未安装。",
    ),
    "data.no_parquet.hint": (
        "Install it with `pip install pyarrow`, or save the data as JSON lines.",
        "请运行 `pip install pyarrow` 安装，或把数据另存为 JSON Lines。",
    ),
    "data.no_excel": (
        "Excel files are read by python-calamine, which is not installed.",
        "读取 Excel 文件需要 python-calamine，但尚未安装。",
    ),
    "data.no_excel.hint": (
        "Install it with `pip install 'tuneproof[excel]'`, or save the sheet as CSV.",
        "请运行 `pip install 'tuneproof[excel]'` 安装，或把工作表另存为 CSV。",
    ),
    "data.no_stdin": (
        "`-` reads rows from standard input, but nothing is piped into it.",
        "`-` 表示从标准输入读取数据，但没有数据通过管道传入。",
    ),
    "data.no_stdin.hint": (
        "Pipe a file into it, e.g. `tuneproof check - < rows.jsonl`, or name the file.",
        "请用管道传入文件，例如 `tuneproof check - < rows.jsonl`，或直接给出文件。",
    ),
    "data.other_stdin": (
        "This run was begun with other rows from standard input; they lie in {kept}.",
        "这次运行最初从标准输入读到的是另一份数据，保存在 {kept}。",
    ),
    "data.other_stdin.hint": (
        "Go on with those by `tuneproof resume {run}`, name another folder with --out, or begin anew with --restart.",
        "要接着用那份数据，请运行 `tuneproof resume {run}`；否则请用 --out 指定另一个目录，或用 --restart 重新开始。",
    ),
    "data.hub_offline": (
        "There is no file or folder of this name, and the data set {name} could not be fetched from the hub: {why}",
        "没有同名的文件或目录，也无法从 hub 获取数据集 {name}：{why}",
    ),
    "data.hub_offline.hint": (
        "Check the path or the network (HF_ENDPOINT names a mirror), or download the data set elsewhere and name its folder.",
        "请检查路径或网络（可用 HF_ENDPOINT 指定镜像站），或在别处下载好数据集，再给出它所在的目录。",
    ),
    "data.hub_missing": (
        "There is no file or folder of this name, and the hub has no data set {name} with this revision: {why}",
        "没有同名的文件或目录，hub 上也没有数据集 {name} 或没有这个版本：{why}",
    ),
    "data.hub_missing.hint": (
        "Check the name for a typo; a private data set needs a token (`hf auth login`).",
        "请检查名称是否写错；私有数据集需要先登录（`hf auth login`）。",
    ),
    "data.hub_gated": (
        "The data set {name} asks for consent before it may be downloaded: {why}",
        "数据集 {name} 需要先同意其条款才能下载：{why}",
    ),
    "data.hub_gated.hint": (
        "Accept its terms on its page at the hub, then log in with `hf auth login`.",
        "请在 hub 的数据集页面上同意条款，再用 `hf auth login` 登录。",
    ),
    "data.hub_part": (
        'The data set has no data file for "{part}"; its data files are: {files}.',
        "数据集里没有“{part}”对应的数据文件，已有的数据文件：{files}。",
    ),
    "data.hub_part.hint": (
        "Name a split, as in `owner/name:train`, or a path, as in `owner/name:data/train-*`.",
        "请给出划分名，如 `owner/name:train`；或给出路径，如 `owner/name:data/train-*`。",
    ),
    "data.hub_several": (
        "The files lie in several folders of the data set, which may be different data: {files}.",
        "这些文件分布在数据集的多个目录里，可能是不同的数据：{files}。",
    ),
    "data.hub_several.hint": (
        "Name what is meant by its path, as in `owner/name:main/train-*`; `owner/name:*` stands for all.",
        "请用路径指明，如 `owner/name:main/train-*`；全部都要则用 `owner/name:*`。",
    ),
    "data.hub_files": (
        "The data set holds no file that can be read; its files are: {files}.",
        "数据集里没有可以读取的文件，已有的文件：{files}。",
    ),
    "data.hub_files.hint": (
        "Choose one with JSON, CSV or Parquet files, or convert it and name the folder.",
        "请换一个含有 JSON、CSV 或 Parquet 文件的数据集，或转换格式后给出目录。",
    ),
    "data.unknown_weight": (
        'data.weights names "{name}", which is none of the data files: {files}.',
        "data.weights 里的“{name}”不在数据文件之中，已有的数据文件：{files}。",
    ),
    "data.unknown_weight.hint": (
        "Write the name as it is given on the command line, or the file's own name.",
        "请按命令行里的写法填写，或只写文件名。",
    ),
    "data.light_weights": (
        "Every file has a weight below 1, so that no row is left to test on.",
        "所有文件的权重都小于 1，没有可以留作测试的数据。",
    ),
    "data.light_weights.hint": (
        "Give the file that stands for your task the weight 1 or more, or name a test file with --test.",
        "请把代表任务的文件的权重设为 1 或以上，或用 --test 指定测试文件。",
    ),
    "data.weighted": (
        "{file} has the weight {weight}: {used} of its {rows} rows are used, and a pass over the data sees {seen}{note}",
        "{file} 的权重为 {weight}：共 {rows} 行，使用其中 {used} 行，每轮训练看到 {seen} 行{note}",
    ),
    "data.for_training": (" (for training only)", "（只用于训练）"),
    "data.shadowed": (
        "{count} rows of files that are for training only are left out: they are nearly rows that are tested or chosen by.",
        "{count} 行来自只用于训练的文件，因与测试集或选择集的数据几乎相同而被剔除。",
    ),
    "data.left_out": ("Not read: {files}", "未读取：{files}"),
    "data.in_line": ("Line {line} of the file. {message}", "文件第 {line} 行。{message}"),
    "finding.bad_encoding.disguise": (
        'The file is named "{ending}", but holds: {found}.',
        "文件名以“{ending}”结尾，内容却是 {found}。",
    ),
    "finding.bad_encoding.disguise.fix": (
        "Give it the ending of what it is, or save it as JSON lines or CSV.",
        "请改成与内容相符的扩展名，或另存为 JSON Lines 或 CSV。",
    ),
    "finding.bad_encoding.damaged": (
        "The {format} file is damaged or cut, or is none ({reason}).",
        "{format} 文件已损坏、被截断，或并非该格式（{reason}）。",
    ),
    "finding.bad_encoding.damaged.fix": (
        "Fetch or save the file again; what could be read before this place is used.",
        "请重新获取或保存文件；此处之前能读出的内容仍会使用。",
    ),
    "finding.bad_encoding.value": (
        "A value of the record cannot be shown as text ({reason}).",
        "这条记录里有无法转成文本的值（{reason}）。",
    ),
    "finding.bad_encoding.value.fix": (
        "Write the column as UTF-8 text; the record is left out.",
        "请把该列写成 UTF-8 文本；这条记录不会被使用。",
    ),
    "finding.wrong_type.sheets": (
        'The sheet "{sheet}" is read; further sheets are not: {others}.',
        "只读取工作表“{sheet}”，其余工作表不读取：{others}。",
    ),
    "finding.wrong_type.sheets.fix": (
        "Save each sheet that is meant as a file of its own.",
        "请把需要的工作表各自存成一个文件。",
    ),
    "finding.wrong_type.second_list": (
        "The object holds further lists of records behind this one; they are not read.",
        "这个对象里后面还有其他记录列表，不会读取。",
    ),
    "finding.wrong_type.second_list.fix": (
        "Keep each list that is meant in a file of its own.",
        "请把需要的列表各自存成一个文件。",
    ),
}
