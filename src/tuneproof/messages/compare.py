"""What the user reads: runs side by side. key -> (English, Chinese). Errors have a `KEY.hint` that says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "compare.one_run": ("One run alone cannot be compared.", "只有一个运行目录，无法比较。"),
    "compare.one_run.hint": (
        "Give two or more: tuneproof compare runs/first runs/second",
        "请给出两个或更多：tuneproof compare runs/first runs/second",
    ),
    "compare.nothing_shared": (
        "These two runs share no test row: none has the same id, question, reference and scorer in both.",
        "这两次运行没有共同的测试数据：没有任何一条在两边的编号、问题、参考答案和评分方法都相同。",
    ),
    "compare.nothing_shared.hint": (
        "Run both on the same data file with the same seed, or give both the same test rows with --test FILE.",
        "请让两次运行使用同一份数据和同一个随机种子，或用 --test FILE 指定同一份测试数据。",
    ),
    "compare.runs": ("Runs", "参与比较的运行"),
    "compare.run_on": ("{run}, base model {model}", "{run}，基座模型 {model}"),
    "compare.reference": (
        "{run} (the first: every other run is compared with it)",
        "{run}（第一个：其余各次都与它比较）",
    ),
    "compare.test.tuned": ("Test rows, tuned models", "测试集，微调后的模型"),
    "compare.test.base": ("Test rows, base against base", "测试集，基座对基座"),
    "compare.retention.tuned": ("General questions, tuned models", "通用题，微调后的模型"),
    "compare.retention.base": ("General questions, base against base", "通用题，基座对基座"),
    "compare.column.run": ("Run", "运行"),
    "compare.column.n": ("n", "n"),
    "compare.column.first": ("First", "第一个"),
    "compare.column.score": ("This", "本次"),
    "compare.column.delta": ("Change", "变化"),
    "compare.column.ci95": ("95 % interval", "95% 区间"),
    "compare.column.p": ("p", "p"),
    "compare.column.outcomes": ("+/-/=", "+/-/="),
    "compare.column.first_right": ("First right", "第一个答对"),
    "compare.column.right": ("This right", "本次答对"),
    "compare.column.lost": ("Lost", "丢失"),
    "compare.column.gained": ("Gained", "新增"),
    "compare.column.net": ("Change", "变化"),
    "compare.shared": ("Shared items", "共同的题目"),
    "compare.shared_all": ("{run}, {suite}: {n} shared, none left out", "{run}，{suite}：共同 {n} 题，没有排除"),
    "compare.shared_some": ("{run}, {suite}: {n} shared; left out: {why}", "{run}，{suite}：共同 {n} 题；排除：{why}"),
    "compare.between": ("; ", "；"),
    "compare.left_out.only_first": ("{n} that only the first run has", "{n} 题只有第一个运行有"),
    "compare.left_out.only_other": ("{n} that only this run has", "{n} 题只有本次运行有"),
    "compare.left_out.changed": (
        "{n} with another question or reference under the same id",
        "{n} 题编号相同，但问题或参考答案不同",
    ),
    "compare.left_out.scorer": ("{n} that the two runs score in different ways", "{n} 题两次运行的评分方法不同"),
    "compare.reading": ("How to read it", "读法"),
    "compare.note.units": (
        "Scores are averages over the tasks, changes are in points; +/-/= counts the items that this run answers"
        " better, worse and equally well. p is that of no difference.",
        "得分是各任务的平均，变化以百分点计；+/-/= 依次是本次运行回答得更好、更差和一样的题数。p 是“没有差别”的 p 值。",
    ),
    "compare.note.holm": (
        "The p-values of a table carry Holm's correction for all its rows; the intervals are those of each row alone.",
        "每张表的 p 值已按其行数做 Holm 校正；区间只针对单独一行。",
    ),
}
