"""What the user reads: data. key -> (English, Chinese).

`data.*` are errors; `finding.KIND[.VARIANT]` is what the data doctor found (about records that cannot be read: in
reading.py), `.fix` what to do about it. A variant without a fix of its own takes the kind's.
"""

from __future__ import annotations

from tuneproof.messages.reading import READING

ERRORS: dict[str, tuple[str, str]] = {
    "data.no_file": ("No data file was given.", "没有给出数据文件。"),
    "data.no_file.hint": (
        "Name at least one file or folder, e.g. `tuneproof check rows.jsonl`.",
        "请至少给出一个文件或目录，例如 `tuneproof check rows.jsonl`。",
    ),
    "data.missing_file": ("There is no such file or folder.", "文件或目录不存在。"),
    "data.missing_file.hint": ("Check the path for a typo.", "请检查路径是否写错。"),
    "data.unreadable": ("The file cannot be opened: {why}.", "无法打开文件：{why}。"),
    "data.unreadable.hint": ("Check that you may read it.", "请检查是否有读取权限。"),
    "data.unknown_extension": (
        'Files that end in "{ending}" cannot be read; known are {known}.',
        "不支持“{ending}”结尾的文件，支持的格式有 {known}。",
    ),
    "data.unknown_extension.hint": (
        "Save the data as JSON lines or CSV, or rename the file if it is one of these already.",
        "请把数据另存为 JSON Lines 或 CSV；如果内容本来就是这些格式，改一下扩展名即可。",
    ),
    "data.empty_folder": ("The folder holds no data file ({known}).", "目录里没有数据文件（{known}）。"),
    "data.empty_folder.hint": (
        "Name the file itself, or a folder that holds data files (folders inside it are not searched).",
        "请直接给出文件，或给出含有数据文件的目录（不会查找子目录）。",
    ),
    "data.unknown_encoding": ('There is no encoding "{encoding}".', "没有名为“{encoding}”的编码。"),
    "data.unknown_encoding.hint": (
        "Use a name such as utf-8, gb18030, big5, utf-16 or cp1252.",
        "可用的名称如 utf-8、gb18030、big5、utf-16、cp1252。",
    ),
    "data.unknown_column": (
        'data.columns has no entry "{column}"; it maps our names to those of your file.',
        "data.columns 不支持“{column}”，它用来把本工具的列名对应到文件里的列名。",
    ),
    "data.unknown_column.hint": ("Did you mean: {nearest}?", "你要写的是不是：{nearest}？"),
    "data.missing_column": (
        'No record has the column "{column}"; the columns found are: {columns}.',
        "所有记录都没有“{column}”这一列，找到的列有：{columns}。",
    ),
    "data.missing_column.hint": (
        "Correct the name; upper and lower case count.",
        "请改正列名，注意区分大小写。",
    ),
    "data.empty_file": ("The file holds no record.", "文件里没有任何记录。"),
    "data.empty_file.hint": (
        "Check that the export that wrote it has finished, and that you named the right file.",
        "请确认导出已经完成，并且文件没有给错。",
    ),
    "data.wrong_encoding": (
        "The file is not UTF-8; its bytes look like {encoding}.",
        "文件不是 UTF-8 编码，从字节看像是 {encoding}。",
    ),
    "data.wrong_encoding.hint": (
        "Add `--set data.encoding={encoding}`, or save the file as UTF-8.",
        "请加上 `--set data.encoding={encoding}`，或把文件另存为 UTF-8。",
    ),
    "data.unknown_shape": (
        "No question and answer were recognised; the columns found are: {columns}.",
        "没有认出问题和回答所在的列，找到的列有：{columns}。",
    ),
    "data.unknown_shape.hint": (
        "Name them, e.g. `--set data.columns.instruction=NAME --set data.columns.output=NAME`, or for conversations "
        "`--set data.columns.messages=NAME`.",
        "请指明列名，例如 `--set data.columns.instruction=列名 --set data.columns.output=列名`；"
        "多轮对话用 `--set data.columns.messages=列名`。",
    ),
    "data.no_usable_row": (
        "Not one row can be used. The first of {count} findings:\n{reasons}\n",
        "没有一行可用。共 {count} 个问题，最前面的是：\n{reasons}\n",
    ),
    "data.all_leaked": (
        "No row is left to train on: the test file holds {count} of them, or nearly the same ones.",
        "没有剩下可训练的数据：其中 {count} 条就在测试文件里，或与之几乎相同。",
    ),
    "data.all_leaked.hint": (
        "Name a test file with rows that are not in the training data.",
        "请换一个与训练数据不重复的测试文件。",
    ),
    "data.no_usable_row.hint": (
        "Correct the file and run `tuneproof check` on it: it names the lines, with --json all of them.",
        "请修正文件后运行 `tuneproof check`：它会指出是哪些行，加 --json 则全部列出。",
    ),
}

ROWS: dict[str, tuple[str, str]] = {
    "finding.empty_instruction": ("The question is empty.", "问题为空。"),
    "finding.empty_instruction.fix": ("Write the question; the row is left out.", "请补上问题，该行不会被使用。"),
    "finding.empty_output": ("An answer is empty.", "回答为空。"),
    "finding.empty_output.fix": (
        "Write the answer; the row is left out, for it would teach silence.",
        "请补上回答。该行不会被使用，否则模型会学着什么都不说。",
    ),
    "finding.placeholder_output": ('The answer "{text}" stands for an answer.', "回答“{text}”只是占位内容。"),
    "finding.placeholder_output.fix": ("Write the answer or remove the row.", "请写出真正的回答，或删除该行。"),
    "finding.placeholder_output.input": (
        "The input says only that there is none.",
        "输入内容只是“无输入”一类的占位文字。",
    ),
    "finding.placeholder_output.input.fix": ("Leave the input empty.", "请把输入留空。"),
    "finding.refusal_output": ('The answer refuses: "{text}".', "回答是拒绝：“{text}”。"),
    "finding.refusal_output.fix": (
        "Answer the question or remove the row; many refusals teach the model to refuse.",
        "请给出回答或删除该行；拒绝太多，模型会学着拒绝。",
    ),
    "finding.leaked_turn": ('The next turn runs into the answer: "{text}".', "下一轮对话混进了回答：“{text}”。"),
    "finding.leaked_turn.fix": ("Cut the answer before it.", "请从这里截断回答。"),
    "finding.echo": ('The answer is the question again: "{text}".', "回答只是重复问题：“{text}”。"),
    "finding.echo.fix": ("Write an answer or remove the row.", "请写出回答，或删除该行。"),
    "finding.truncated_output": ('The answer stops before its end: "{text}".', "回答没有写完就中断：“{text}”。"),
    "finding.truncated_output.fix": (
        "Complete it or remove the row; the model learns where to stop from the ends.",
        "请补全或删除该行；模型是从结尾学会何时停下的。",
    ),
    "finding.mojibake": (
        'The text was decoded with the wrong encoding: "{text}".',
        "文本曾被用错误的编码解读（乱码）：“{text}”。",
    ),
    "finding.mojibake.fix": (
        "Export the data again as UTF-8; the damage is often beyond repair.",
        "请重新以 UTF-8 导出数据，乱码往往无法还原。",
    ),
    "finding.control_characters": ("The text holds the control character {code}.", "文本含有控制字符 {code}。"),
    "finding.control_characters.fix": ("Remove it.", "请删除该字符。"),
    "finding.template_token": (
        'The text holds "{token}", a mark of a chat template.',
        "文本含有对话模板的标记“{token}”。",
    ),
    "finding.template_token.fix": (
        "Remove it: the template adds its own, and the model would take this for the end of a turn.",
        "请删除：模板会自行添加标记，模型会误以为一轮对话到此结束。",
    ),
    "finding.script_mismatch": (
        'The question is in script "{asked}", the answer in "{answered}", and no translation is asked for.',
        "问题的文字是“{asked}”，回答却是“{answered}”，而且没有要求翻译。",
    ),
    "finding.script_mismatch.fix": (
        "Answer in the language of the question, or say in the question which one is wanted.",
        "请用问题的语言回答，或在问题里写明要用哪种语言。",
    ),
    "finding.url_reference": (
        'The question refers to "{text}", which the model never sees.',
        "问题提到“{text}”，但模型看不到它。",
    ),
    "finding.url_reference.fix": (
        "Put its content into the question or remove the row; such rows teach the model to invent.",
        "请把内容写进问题，或删除该行；这类数据会教模型编造。",
    ),
    "finding.url_reference.link": (
        "The question refers to the page {text}, which the model cannot open.",
        "问题引用了网页 {text}，模型无法打开。",
    ),
    "finding.url_reference.answer": ("The answer names the address {text}.", "回答里给出了网址 {text}。"),
    "finding.url_reference.answer.fix": (
        "Make sure it exists; models learn from this to make up addresses.",
        "请确认网址真实存在；模型会从中学会编造网址。",
    ),
    "finding.pii.fix": (
        "Replace it by an invented one: the model may repeat it to anyone.",
        "请换成虚构的内容：模型可能把它透露给任何人。",
    ),
    "finding.pii.id": (
        "A Chinese identity number with a right check digit: {text}.",
        "含有校验位正确的身份证号：{text}。",
    ),
    "finding.pii.card": ("A bank card number with a right check digit: {text}.", "含有校验位正确的银行卡号：{text}。"),
    "finding.pii.social": ("What looks like a US social security number: {text}.", "疑似美国社会保障号：{text}。"),
    "finding.pii.phone": ("A phone number: {text}.", "含有电话号码：{text}。"),
    "finding.pii.email": ("An e-mail address: {text}.", "含有电子邮箱地址：{text}。"),
    "finding.wrong_arithmetic": ("A sum is wrong: {sum}; it comes to {right}.", "算式有误：{sum}，应为 {right}。"),
    "finding.wrong_arithmetic.fix": ("Correct the sum and what follows from it.", "请改正算式以及由它得出的结果。"),
    "finding.over_length": (
        "The row has {tokens} tokens, {limit} are allowed.",
        "该行有 {tokens} 个 token，上限为 {limit}。",
    ),
    "finding.over_length.fix": (
        "Shorten it, or allow more with --set data.max_tokens={tokens} (takes more memory).",
        "请缩短内容，或用 --set data.max_tokens={tokens} 提高上限（会占用更多内存）。",
    ),
}

SETS: dict[str, tuple[str, str]] = {
    "finding.duplicate": ("The row is the same as row {other}.", "该行与第 {other} 行相同。"),
    "finding.duplicate.fix": ("Remove it; only the first of the two is used.", "请删除；两者中只使用前一行。"),
    "finding.near_duplicate": ("The question is nearly that of row {other}.", "问题与第 {other} 行几乎相同。"),
    "finding.near_duplicate.fix": (
        "Nothing has to be done: both stay on one side of the split. Fewer of them save time.",
        "无需处理：划分时两者会在同一侧。减少这类数据可以节省时间。",
    ),
    "finding.near_duplicate.leak": (
        "The question is nearly that of row {other} of the test file.",
        "问题与测试文件第 {other} 行几乎相同。",
    ),
    "finding.near_duplicate.leak.fix": (
        "The row must not be trained on, or the test measures what was learnt by heart.",
        "该行不能用于训练，否则测试测到的只是死记硬背。",
    ),
    "finding.contradiction.fix": (
        "Keep the right one; the model cannot learn both.",
        "请保留正确的那个，模型无法同时学会两个答案。",
    ),
    "finding.contradiction.value": (
        'Row {other} answers the same question with "{first}", this row with "{second}".',
        "同一个问题，第 {other} 行的回答是“{first}”，本行的回答是“{second}”。",
    ),
    "finding.contradiction.number": (
        "Row {other} answers the same question and arrives at {first}, this row at {second}.",
        "同一个问题，第 {other} 行得出 {first}，本行得出 {second}。",
    ),
    "finding.contradiction.text": (
        'Row {other} answers the same question differently: "{first}", this row: "{second}".',
        "同一个问题，第 {other} 行的回答不同：“{first}”，本行：“{second}”。",
    ),
    "finding.contradiction.text.fix": (
        "Keep the better one, unless several answers are meant to be right.",
        "请保留更好的那个，除非本来就允许多种答案。",
    ),
    "finding.templated_output": (
        'In the task "{task}" {count} of {rows} answers begin with "{text}".',
        "任务“{task}”的 {rows} 个回答里有 {count} 个以“{text}”开头。",
    ),
    "finding.templated_output.fix": (
        "Vary the openings, unless this one is wanted in every answer.",
        "请让开头有所变化，除非每个回答都需要这样开头。",
    ),
    "finding.label_imbalance": (
        'In the task "{task}" {share} % of the answers ({count} of {rows}) are "{label}".',
        "任务“{task}”中有 {share}% 的回答（{rows} 个中的 {count} 个）是“{label}”。",
    ),
    "finding.label_imbalance.fix": (
        "Add rows with the other labels: always giving this one would already score {share} %.",
        "请补充其他标签的数据：永远给出这一个标签就能得到 {share}% 的分数。",
    ),
    "finding.too_few_rows.no_test": (
        "{rows} rows are too few for a test split.",
        "只有 {rows} 行，不足以划出测试集。",
    ),
    "finding.too_few_rows.fix": (
        "Collect more; from {needed} rows on the test split has its full size.",
        "请收集更多数据；达到 {needed} 行后，测试集才有完整的规模。",
    ),
    "finding.too_few_rows.small_test": (
        "{rows} rows make a test split of fewer than 100 rows: only large gains can be shown.",
        "只有 {rows} 行，测试集不足 100 行，只能看出较大的提升。",
    ),
    "finding.too_few_rows.empty_file": ("The file holds no record.", "文件里没有任何记录。"),
    "finding.too_few_rows.empty_file.fix": (
        "Check that the export that wrote it has finished, or leave it out.",
        "请确认导出已经完成，或不要给出该文件。",
    ),
}

SCREEN: dict[str, tuple[str, str]] = {
    "cli.check.headline": ("{usable} of {rows} rows can be used", "{rows} 条数据中 {usable} 条可用"),
    "cli.check.findings": ("Findings: {n}", "发现问题：{n} 处"),
    "cli.check.kind": ("Kind", "种类"),
    "cli.check.severity": ("Severity", "级别"),
    "cli.check.count": ("n", "n"),
    "cli.check.what": ("What it is, what to do, and where", "问题、处理办法和位置"),
    "cli.check.counted": (
        "In a table a row is counted below the line of headings: its row 1 is the spreadsheet's row 2.",
        "表格的行号从标题行之下算起：这里的第 1 行是电子表格的第 2 行。",
    ),
    "cli.severity.error": ("error", "错误"),
    "cli.severity.warning": ("warning", "警告"),
    "cli.severity.info": ("note", "提示"),
    "cli.check.lengths": ("Length of the rows", "数据长度"),
    "cli.check.characters": ("Characters", "字符数"),
    "cli.check.sides": (
        "train {train}: what is learnt; select {select}: chooses checkpoint and scale; test {test}: asked once, for the "
        "verdict",
        "训练 {train}：用来学习；选择 {select}：挑选检查点和缩放；测试 {test}：只在下结论时用一次",
    ),
    "cli.check.no_test": (
        "Too few rows to hold some out for a test: no gain could be shown.",
        "数据太少，无法留出测试集，也就无法证明有提升。",
    ),
}
"""What `check` shows."""

MESSAGES: dict[str, tuple[str, str]] = {**ERRORS, **READING, **ROWS, **SETS, **SCREEN}
