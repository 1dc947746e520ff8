"""Sentences of the report about overfitting, and about what stands beside the verdict. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # Overfitting
    "report.overfitting.gap": (
        "On {n} training rows the tuned model scores {train}, on test rows of the same tasks {held_out}: a gap of "
        "{gap} points (95 % interval {interval}).",
        "微调后的模型在 {n} 条训练数据上得 {train}，在相同任务的测试数据上得 {held_out}：差距 {gap} 个百分点（95% 区间 {interval}）。",
    ),
    "report.overfitting.memorised": (
        "It knows its training rows better than new ones: part of what it learnt is the rows, not the task.",
        "它对训练过的数据明显更熟：学到的有一部分是数据本身，而不是任务。",
    ),
    "report.overfitting.even": (
        "No sign that it learnt the rows by heart.",
        "没有死记训练数据的迹象。",
    ),
    "report.overfitting.copied": (
        "Of its longer test answers {share} repeat a training answer where the reference is another; of the references "
        "themselves {known} stand in the training rows.",
        "在较长的测试回答中，{share} 照抄了某条训练回答，而参考答案并非如此；参考答案本身有 {known} 能在训练数据中找到。",
    ),
    "report.overfitting.copy": ("A copied answer, from training row", "一个照抄的回答，来自训练数据"),
    "report.overfitting.training": ("Training", "训练数据"),
    "report.overfitting.opening": (
        "Most frequent opening: {count} of {n} answers, and {references} of the references:",
        "最常见的开头：{n} 个回答中有 {count} 个，参考答案中有 {references} 个：",
    ),
    "report.overfitting.example": ("An answer that begins so", "一个这样开头的回答"),
    # Beside the verdict
    "report.headline.opinion_unknown": ("The judge model has judged no row yet.", "评判模型还没有评判任何数据。"),
    "report.headline.opinion_better": (
        "A judge model prefers the tuned answer {wins} times and the base’s {losses} times, of {n}.",
        "评判模型在 {n} 对回答中，{wins} 次认为微调后的更好，{losses} 次认为基座的更好。",
    ),
    "report.headline.opinion_worse": (
        "A judge model prefers the base’s answer {losses} times and the tuned one {wins} times, of {n}.",
        "评判模型在 {n} 对回答中，{losses} 次认为基座的更好，{wins} 次认为微调后的更好。",
    ),
    "report.headline.opinion_unclear": (
        "A judge model sees no clear difference: {wins} for the tuned answer, {losses} for the base’s, of {n}.",
        "评判模型看不出明显差别：{n} 对回答中，认为微调后的更好 {wins} 次，基座的更好 {losses} 次。",
    ),
    "report.opinion_how": (
        "{model} at {host} read each pair of test answers in both orders, without their names; a win is a preference in "
        "both. It has no part in the verdict.",
        "由 {host} 上的 {model} 评判：每对测试回答按两种顺序各看一次，不标明来源，两次都更好才算赢。它不参与结论。",
    ),
    "report.opinion_numbers": (
        "Ties {ties}, of them {inconsistent} where the choice went with the order; unclear replies {unclear}.",
        "平局 {ties} 次，其中 {inconsistent} 次是随顺序改变选择；回复不明确 {unclear} 次。",
    ),
    "report.opinion_error": ("Not all rows are judged:", "尚未判完全部数据："),
    "report.harness": ("Standard benchmarks", "标准评测"),
    "report.harness_how": (
        "By lm-evaluation-harness {version}, ± one standard error. They have no part in the verdict.",
        "由 lm-evaluation-harness {version} 测得，± 后为一个标准误。它们不参与结论。",
    ),
    "report.harness_error": ("The benchmarks could not be run:", "标准评测没有跑成："),
    "report.rewording": (
        "Asked in other words, {n} test rows score {reworded} instead of {plain} (difference {delta} points, 95 % interval "
        "{interval}).",
        "换一种说法提问时，{n} 条测试数据得分 {reworded}，原来的说法得 {plain}（相差 {delta} 个百分点，95% 区间 {interval}）。",
    ),
    "report.rewording.fell": (
        "The model leans on the wording of its training rows: vary it in the data.",
        "模型依赖训练数据的措辞：请让数据的问法更多样。",
    ),
    "report.rewording.example": ("The question that fell furthest", "得分下降最多的一题"),
    "report.rewording.plain": ("As it was", "原来的说法"),
    "report.rewording.reworded": ("In other words", "换个说法"),
    "report.prompt_cost": (
        "Its prompt shows {examples} solved rows and takes {tokens} tokens at every call; the tuned model reads {plain}.",
        "它的提示词带 {examples} 个解好的例子，每次调用要读 {tokens} 个 token；微调后的模型只读 {plain} 个。",
    ),
}
