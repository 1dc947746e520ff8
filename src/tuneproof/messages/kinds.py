"""What the user reads: short names of what the data doctor finds, beside `finding.KIND` in data.py."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "finding_kind.bad_json": ("unreadable record", "无法读取的记录"),
    "finding_kind.bad_encoding": ("wrong encoding", "编码错误"),
    "finding_kind.missing_field": ("field missing", "缺少字段"),
    "finding_kind.wrong_type": ("wrong type", "类型错误"),
    "finding_kind.empty_instruction": ("no question", "问题为空"),
    "finding_kind.empty_output": ("no answer", "回答为空"),
    "finding_kind.placeholder_output": ("placeholder", "占位回答"),
    "finding_kind.refusal_output": ("refusal", "拒绝回答"),
    "finding_kind.duplicate": ("duplicate", "重复"),
    "finding_kind.near_duplicate": ("near copy", "近似重复"),
    "finding_kind.contradiction": ("contradiction", "相互矛盾"),
    "finding_kind.truncated_output": ("cut off", "回答中断"),
    "finding_kind.over_length": ("too long", "过长"),
    "finding_kind.template_token": ("template token", "模板标记"),
    "finding_kind.leaked_turn": ("next turn in the answer", "混入下一轮"),
    "finding_kind.mojibake": ("garbled text", "乱码"),
    "finding_kind.control_characters": ("control characters", "控制字符"),
    "finding_kind.script_mismatch": ("other language", "语言不一致"),
    "finding_kind.templated_output": ("all alike", "千篇一律"),
    "finding_kind.url_reference": ("link", "链接"),
    "finding_kind.pii": ("personal data", "个人信息"),
    "finding_kind.wrong_arithmetic": ("wrong sum", "算式有误"),
    "finding_kind.label_imbalance": ("uneven labels", "标签失衡"),
    "finding_kind.echo": ("echo", "复述问题"),
    "finding_kind.outlier": ("outlier", "离群"),
    "finding_kind.too_few_rows": ("too few rows", "数据太少"),
}
