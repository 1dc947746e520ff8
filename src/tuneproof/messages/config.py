"""Sentences about the config: key -> (English, Chinese); `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "config.missing": ("There is no such config file.", "找不到这个配置文件。"),
    "config.missing.hint": (
        "Check the path; `tuneproof config show` prints a config with every key.",
        "请检查路径；`tuneproof config show` 会打印包含全部键的配置。",
    ),
    "config.unreadable": ("The config file cannot be read: {why}.", "无法读取配置文件：{why}。"),
    "config.unreadable.hint": ("Save it as UTF-8 text.", "请以 UTF-8 文本保存。"),
    "config.alias": ("YAML aliases (`*name`) are not accepted.", "不接受 YAML 别名（`*name`）。"),
    "config.alias.hint": ("Write the value out.", "请把值直接写出来。"),
    "config.syntax": ("This is not valid YAML: {why}.", "这不是有效的 YAML：{why}。"),
    "config.syntax.hint": (
        "Mend the line; `key: value`, sections indented.",
        "请修正该行；写法是 `key: value`，各节缩进。",
    ),
    "config.no_mapping": ("The file is not a config: it has no sections.", "该文件不是配置：没有任何小节。"),
    "config.no_mapping.hint": (
        "Write sections such as `train:` with keys below; see `tuneproof config show`.",
        "请写成 `train:` 之类的小节，键写在下面；参见 `tuneproof config show`。",
    ),
    "config.doubled": ("The key {key} comes twice.", "键 {key} 出现了两次。"),
    "config.doubled.hint": ("Keep one of them.", "请只保留一个。"),
    "config.no_equals": ("A setting is written key=value.", "设置的写法是 key=value。"),
    "config.no_equals.hint": ("For example: --set lora.rank=8", "例如：--set lora.rank=8"),
    "config.unknown": ("There is no key {key}.", "没有 {key} 这个键。"),
    "config.unknown.hint": (
        "Did you mean {nearest}? `tuneproof config show` lists all keys.",
        "是不是想写 {nearest}？`tuneproof config show` 会列出全部键。",
    ),
    "config.strange": ("There is no key {key}.", "没有 {key} 这个键。"),
    "config.strange.hint": ("The keys here are: {known}.", "此处可用的键：{known}。"),
    "config.dotted": (
        "{key} is written as one word; that works with --set, not in a file.",
        "{key} 写成了一个词；这种写法只能用于 --set，不能用在文件里。",
    ),
    "config.dotted.hint": (
        "Write the section `{section}:` and below it, indented, `{name}: ...`.",
        "请先写小节 `{section}:`，再在下一行缩进写 `{name}: ...`。",
    ),
    "config.value": ("{key} cannot be {value}: {why}.", "{key} 不能是 {value}：{why}。"),
    "config.value.hint": (
        "`tuneproof config schema` has the type and bounds of every key.",
        "`tuneproof config schema` 给出每个键的类型和取值范围。",
    ),
    "config.why.bool_type": ("it must be true or false", "只能是 true 或 false"),
    "config.why.dict_type": ("it must be a mapping of names to names", "应为“名称: 名称”的映射"),
    "config.why.finite_number": ("it must be a finite number", "应为有限的数"),
    "config.why.float_type": ("it must be a number", "应为数字"),
    "config.why.greater_than": ("it must be above {gt}", "必须大于 {gt}"),
    "config.why.greater_than_equal": ("it must be at least {ge}", "不能小于 {ge}"),
    "config.why.int_type": ("it must be a whole number", "应为整数"),
    "config.why.less_than": ("it must be below {lt}", "必须小于 {lt}"),
    "config.why.less_than_equal": ("it must be at most {le}", "不能大于 {le}"),
    "config.why.list_type": ("it must be a list, such as [1, 2]", "应为列表，例如 [1, 2]"),
    "config.why.literal_error": ("it must be one of {expected}", "可选值：{expected}"),
    "config.why.model_type": ("it is a section: write its keys below it", "这是一个小节，下面应写各个键"),
    "config.why.string_type": ("it must be text", "应为文本"),
    "config.why.other": ("it breaks the rule “{why}”", "不符合规则“{why}”"),
}
