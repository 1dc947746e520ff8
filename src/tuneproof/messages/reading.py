"""What the reader says about records that cannot be used: key -> (English, Chinese). Part of the catalogue `data`."""

from __future__ import annotations

READING: dict[str, tuple[str, str]] = {
    "finding.bad_json.fix": (
        "Correct the JSON at this place; the record is left out.",
        "请修正此处的 JSON，这条记录不会被使用。",
    ),
    "finding.bad_json.value": (
        "Column {column}: a value is missing or misspelt.",
        "第 {column} 列：缺少值，或值的写法有误。",
    ),
    "finding.bad_json.comma": ("Column {column}: a comma is missing.", "第 {column} 列：缺少逗号。"),
    "finding.bad_json.between": (
        "Column {column}: a comma between two records is missing.",
        "第 {column} 列：两条记录之间缺少逗号。",
    ),
    "finding.bad_json.between.fix": ("Add the comma; both records are used.", "请补上逗号；两条记录都会使用。"),
    "finding.bad_json.colon": (
        "Column {column}: a colon is missing after the key.",
        "第 {column} 列：键后面缺少冒号。",
    ),
    "finding.bad_json.name": (
        "Column {column}: a key in double quotes is missing.",
        "第 {column} 列：缺少用双引号括起来的键。",
    ),
    "finding.bad_json.open_string": (
        "Column {column}: the string that begins here never ends.",
        "第 {column} 列：从这里开始的字符串没有结束。",
    ),
    "finding.bad_json.control": (
        "Column {column}: a raw line end, tab or control character inside a string.",
        "第 {column} 列：字符串里有未转义的换行、制表符或控制字符。",
    ),
    "finding.bad_json.control.fix": (
        "Write it as \\n, \\t or \\u00XX; the record is left out.",
        "请写成 \\n、\\t 或 \\u00XX，这条记录不会被使用。",
    ),
    "finding.bad_json.escape": ("Column {column}: a wrong backslash escape.", "第 {column} 列：反斜杠转义有误。"),
    "finding.bad_json.escape.fix": (
        "Write a backslash as \\\\; the record is left out.",
        "反斜杠本身要写成 \\\\，这条记录不会被使用。",
    ),
    "finding.bad_json.extra": (
        "Column {column}: something follows behind the end of the JSON.",
        "第 {column} 列：JSON 结束之后还有内容。",
    ),
    "finding.bad_json.extra.fix": ("Put each record on a line of its own.", "请让每条记录单独占一行。"),
    "finding.bad_json.trailing_comma": (
        "Column {column}: a comma before the closing bracket.",
        "第 {column} 列：右括号之前多了一个逗号。",
    ),
    "finding.bad_json.trailing_comma.fix": ("Remove the comma.", "请删除这个逗号。"),
    "finding.bad_json.line_comma": (
        "Column {column}: a comma follows the record.",
        "第 {column} 列：记录后面多了一个逗号。",
    ),
    "finding.bad_json.line_comma.fix": (
        "Remove it, for other tools: in a .jsonl file each line is a record by itself. The record is used.",
        "为了其他工具，请删除：.jsonl 文件里每行自成一条记录。这条记录会照常使用。",
    ),
    "finding.bad_json.cut": (
        "Column {column}: the text ends before the JSON does.",
        "第 {column} 列：JSON 还没有结束，内容就中断了。",
    ),
    "finding.bad_json.cut.fix": (
        "The file or line was probably cut while it was written or copied: fetch it again.",
        "文件或该行可能在写入或复制时被截断，请重新获取。",
    ),
    "finding.bad_json.constant": (
        "Column {column}: {word} is no JSON value.",
        "第 {column} 列：{word} 不是合法的 JSON 值。",
    ),
    "finding.bad_json.constant.fix": (
        'Write null, or "{word}" in quotes if the text is meant; the record is left out.',
        '请改成 null；如果指的是文本，请写成带引号的 "{word}"。这条记录不会被使用。',
    ),
    "finding.bad_json.double_key": (
        'Column {column}: the name "{word}" comes twice.',
        "第 {column} 列：名称“{word}”出现了两次。",
    ),
    "finding.bad_json.double_key.fix": (
        "Keep one of the two; which is meant cannot be known, so nothing of it is used.",
        "请只保留其中一个；无法判断以哪个为准，因此不会使用。",
    ),
    "finding.bad_json.too_deep": ("Brackets are nested too deeply.", "括号嵌套层数过深。"),
    "finding.bad_json.too_long": (
        "The record is longer than {limit} characters.",
        "记录超过 {limit} 个字符。",
    ),
    "finding.bad_json.too_long.fix": (
        "This is hardly a training row: check how the file was written.",
        "这不像一条训练数据，请检查文件是怎样生成的。",
    ),
    "finding.bad_json.open_quote": (
        "A quotation mark is opened here and never closed; what follows could not be read.",
        "这里的引号没有闭合，后面的内容都无法读取。",
    ),
    "finding.bad_json.open_quote.fix": (
        'Close it, and write a quotation mark inside a cell as "".',
        '请补上引号；单元格内的引号要写成 ""。',
    ),
    "finding.bad_json.table": ("The row breaks the rules of CSV ({reason}).", "该行不符合 CSV 规则（{reason}）。"),
    "finding.bad_json.table.fix": (
        'Put cells with commas, quotes or line ends in quotes, and write quotes inside as "".',
        '含逗号、引号或换行的单元格要用引号括起来，其中的引号写成 ""。',
    ),
    "finding.bad_encoding.fix": (
        "Save the file as UTF-8, or name its encoding with --set data.encoding=NAME.",
        "请把文件另存为 UTF-8，或用 --set data.encoding=编码名 指明编码。",
    ),
    "finding.bad_encoding.looks_like": (
        "The bytes are not UTF-8; they look like {encoding}.",
        "字节不是 UTF-8 编码，看起来像 {encoding}。",
    ),
    "finding.bad_encoding.looks_like.fix": (
        "Add --set data.encoding={encoding}, or save the file as UTF-8.",
        "请加上 --set data.encoding={encoding}，或把文件另存为 UTF-8。",
    ),
    "finding.bad_encoding.unknown": (
        "The bytes are not UTF-8, nor any encoding that could be recognised.",
        "字节不是 UTF-8 编码，也认不出是哪种编码。",
    ),
    "finding.bad_encoding.bytes": (
        "There are bytes that do not exist in {encoding}.",
        "含有 {encoding} 编码中不存在的字节。",
    ),
    "finding.bad_encoding.stream": (
        "The file is not in the encoding that was named ({reason}).",
        "文件不是所指明的编码（{reason}）。",
    ),
    "finding.bad_encoding.stream.fix": (
        "Leave data.encoding out, or name another one.",
        "请去掉 data.encoding，或换一个编码名。",
    ),
    "finding.bad_encoding.surrogate": (
        'The field "{column}" holds half a character (\\uD800 to \\uDFFF on its own).',
        "字段“{column}”里有半个字符（单独的 \\uD800–\\uDFFF）。",
    ),
    "finding.bad_encoding.surrogate.fix": (
        "Write the whole pair or the character itself; the record is left out.",
        "请写出完整的代理对，或直接写该字符；这条记录不会被使用。",
    ),
    "finding.bad_encoding.gzip": (
        "The gzip file is damaged or cut here ({reason}).",
        "gzip 文件在这里损坏或被截断（{reason}）。",
    ),
    "finding.bad_encoding.gzip.fix": (
        "Fetch the file again; what could be unpacked before this place is used.",
        "请重新获取文件；此处之前能解压的内容仍会使用。",
    ),
    "finding.missing_field.fix": (
        "Complete the record, or name the columns with --set data.columns.instruction=NAME and the like.",
        "请补全记录，或用 --set data.columns.instruction=列名 等方式指明列。",
    ),
    "finding.missing_field.columns": (
        "No question and answer among the columns: {columns}.",
        "这些列里没有问题和回答：{columns}。",
    ),
    "finding.missing_field.no_answer": ("The conversation holds no answer.", "对话里没有回答。"),
    "finding.missing_field.no_question": (
        "The conversation begins with its answer: no turn of the user comes before.",
        "对话里只有回答，前面没有用户的提问。",
    ),
    "finding.missing_field.unanswered": (
        "{turns} turn(s) behind the last answer have none; they are left out, the rest is used.",
        "最后一个回答之后还有 {turns} 轮没有回答；这几轮不使用，其余照常使用。",
    ),
    "finding.missing_field.unanswered.fix": ("Add the answer, or remove the turns.", "请补上回答，或删除这几轮。"),
    "finding.missing_field.role": (
        'Turn {turn} of "{column}" says not whose it is; its fields are: {columns}.',
        "“{column}”的第 {turn} 轮没有说明是谁说的，其字段有：{columns}。",
    ),
    "finding.missing_field.content": (
        "{column} has no text; its fields are: {columns}.",
        "{column} 没有文本，其字段有：{columns}。",
    ),
    "finding.wrong_type.fix": (
        "Write the field as text, an answer in JSON as a string; the record is left out.",
        "请把该字段写成文本，JSON 形式的回答写成字符串；这条记录不会被使用。",
    ),
    "finding.wrong_type.record": ("The record must be an object, not {got}.", "记录应为对象，而不是 {got}。"),
    "finding.wrong_type.record.fix": (
        'Write each record as {{"instruction": ..., "output": ...}}; it is left out.',
        '每条记录要写成 {{"instruction": ..., "output": ...}} 的形式；这条不会被使用。',
    ),
    "finding.wrong_type.text": (
        'The field "{column}" must be text, not {got}.',
        "字段“{column}”应为文本，而不是 {got}。",
    ),
    "finding.wrong_type.history": (
        'The field "{column}" is no list of pairs of question and answer.',
        "字段“{column}”不是由“问、答”两两组成的列表。",
    ),
    "finding.wrong_type.history.fix": (
        'Write it as [["question", "answer"], ...]; the record is left out.',
        '请写成 [["问", "答"], ...]，这条记录不会被使用。',
    ),
    "finding.wrong_type.turns": (
        'The field "{column}" is no list of turns but: {got}, or an empty one.',
        "字段“{column}”不是对话轮次的列表，而是 {got}，或列表为空。",
    ),
    "finding.wrong_type.turns.fix": (
        'Write it as [{{"role": "user", "content": "..."}}, ...]; the record is left out.',
        '请写成 [{{"role": "user", "content": "..."}}, ...]；这条记录不会被使用。',
    ),
    "finding.wrong_type.turn.fix": (
        'Write each turn as {{"role": "user", "content": "..."}}; the record is left out.',
        '每一轮要写成 {{"role": "user", "content": "..."}}；这条记录不会被使用。',
    ),
    "finding.wrong_type.turn": (
        'Turn {turn} of "{column}" must be an object, not {got}.',
        "“{column}”的第 {turn} 轮应为对象，而不是 {got}。",
    ),
    "finding.wrong_type.role": (
        'Turn {turn} of "{column}" has the unknown role "{role}".',
        "“{column}”的第 {turn} 轮的角色“{role}”无法识别。",
    ),
    "finding.wrong_type.role.fix": (
        "Use system, user, assistant or tool (or ShareGPT's human, gpt, observation, function_call); "
        "the record is left out.",
        "请使用 system、user、assistant、tool（或 ShareGPT 的 human、gpt、observation、function_call）；"
        "这条记录不会被使用。",
    ),
    "finding.wrong_type.part": (
        "{column} holds an image or another part that is no text.",
        "{column} 含有图片等非文本内容。",
    ),
    "finding.wrong_type.part.fix": (
        "Only text can be trained; the record is left out.",
        "只能用文本训练，这条记录不会被使用。",
    ),
    "finding.wrong_type.required": (
        'The field "{column}" is no list of strings and is not used.',
        "字段“{column}”不是字符串列表，不会使用。",
    ),
    "finding.wrong_type.required.fix": (
        'Write the strings that a right answer must contain: ["...", "..."].',
        '请写出正确回答必须包含的字符串：["...", "..."]。',
    ),
    "finding.wrong_type.double_column": (
        'The header has two columns "{column}"; the first is used.',
        "表头里有两列“{column}”，使用第一列。",
    ),
    "finding.wrong_type.double_column.fix": ("Rename or remove the other.", "请重命名或删除另一列。"),
    "finding.wrong_type.cells": (
        "The row has {found} cells, the header {expected}.",
        "该行有 {found} 个单元格，表头有 {expected} 个。",
    ),
    "finding.wrong_type.cells.fix": (
        "Put cells with separators in quotes; the row is left out.",
        "含分隔符的单元格要用引号括起来；该行不会被使用。",
    ),
    "finding.wrong_type.no_list": (
        "The file is one object, but holds not exactly one list of records ({columns}).",
        "文件是单个对象，但其中的记录列表不是恰好一个（{columns}）。",
    ),
    "finding.wrong_type.no_list.fix": (
        "Keep the list that is meant in a file of its own.",
        "请把需要的列表单独存成一个文件。",
    ),
}
