"""What the user reads: the rows to blame for an answer. key -> (English, Chinese). Errors have a `KEY.hint`."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "blame.not_measured": (
        "The tuned model of this run has not been measured yet: there is no answer to explain.",
        "这次运行还没有评测微调后的模型，没有可以追溯的回答。",
    ),
    "blame.not_measured.hint": (
        "Go on with the run first: tuneproof resume {run}",
        "请先继续这次运行：tuneproof resume {run}",
    ),
    "blame.no_item": ("This run has asked no item {item}.", "这次运行没有问过编号为 {item} 的题。"),
    "blame.no_item.hint": (
        "Nearest ids: {near}. All ids stand in eval/tuned/retention.jsonl and eval/tuned/test.jsonl of the run folder, "
        "those of lost answers in its report too; all lost answers at once: tuneproof blame {run} lost",
        "最接近的编号：{near}。全部编号见运行目录中的 eval/tuned/retention.jsonl 和 eval/tuned/test.jsonl，"
        "丢失的题的编号也列在报告里；一次追溯所有丢失的回答：tuneproof blame {run} lost",
    ),
    "blame.no_checkpoint": (
        "No whole checkpoint is left from before the chosen adapter ({why}).",
        "所选适配器及之前的检查点已没有一个完整的（{why}）。",
    ),
    "blame.no_checkpoint.hint": (
        "Gradients are compared at the checkpoints, so they must be there: train again into another folder, with "
        "tuneproof run --config {run}/config.yaml --out NEW",
        "追溯需要在检查点上比较梯度，缺了检查点就无法进行：请重新训练到另一个目录，"
        "tuneproof run --config {run}/config.yaml --out NEW",
    ),
    "blame.none_lost": ("No right answer was lost: there is nothing to blame.", "没有丢失任何答对的题，无需追溯。"),
    "blame.item": ("Item {id}", "题目 {id}"),
    "blame.reference": ("Right", "正确答案"),
    "blame.meaning.wrong": (
        "Rows that pushed towards this wrong answer, of {n}",
        "把回答推向这个错误的训练数据（共比较 {n} 条）",
    ),
    "blame.meaning.right": (
        "The answer is right. Rows that taught it, of {n}",
        "这个回答是对的。教会它的训练数据（共比较 {n} 条）",
    ),
    "blame.column.rank": ("#", "#"),
    "blame.column.place": ("Row", "数据位置"),
    "blame.column.task": ("Task", "任务"),
    "blame.column.score": ("Score", "得分"),
    "blame.column.text": ("Question -> answer", "问题 -> 回答"),
    "blame.together": (
        "Rows among the first {top} of most of these {items} items",
        "在这 {items} 道题中最常进入前 {top} 名的数据",
    ),
    "blame.column.items": ("Items", "题数"),
    "blame.note": (
        "Score: cosine of the row's gradient with that of the answer, averaged over the checkpoints {steps}. "
        "It is a hint where to look in the data, not a proof.",
        "得分：该数据的梯度与回答的梯度的余弦，在检查点 {steps} 上取平均。它提示该检查哪些数据，并不是证明。",
    ),
    "blame.report": ("Show it in the report", "写进报告"),
}
