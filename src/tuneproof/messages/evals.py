"""Sentences of the evidence: verdict, reasons, selection. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "verdict.summary.ship": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}), and"
        " of {probes} general questions {lost} answers were lost and {gained} gained: the gain is real and nothing"
        " noticeable was forgotten.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 提高到 {tuned}（{delta} 分，95 % 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对：提升真实，没有明显遗忘。",
    ),
    "verdict.summary.dont_ship": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}); of"
        " {probes} general questions {lost} answers were lost and {gained} gained. The reasons below speak against"
        " shipping it.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 变为 {tuned}（{delta} 分，95 % 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对。下列理由说明它不应上线。",
    ),
    "verdict.summary.not_enough_evidence": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}); of"
        " {probes} general questions {lost} answers were lost and {gained} gained. That is not enough to decide.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 变为 {tuned}（{delta} 分，95 % 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对。现有证据不足以下结论。",
    ),
    "verdict.summary.no_test": (
        "There were too few rows to hold some out for a test, so nothing can be said about a gain; of the general"
        " questions {lost} answers were lost and {gained} gained.",
        "数据太少，无法留出测试集，因此无法判断是否有提升；通用题中 {lost} 道由对变错，{gained} 道由错变对。",
    ),
    "verdict.reason.gain_real": (
        "The gain over the base is real: its 95 % interval lies above zero.",
        "相对基座模型的提升是真实的：95 % 区间完全在零以上。",
    ),
    "verdict.reason.gain_unclear": (
        "The interval of the gain holds zero: with these rows a gain cannot be told from chance.",
        "提升的区间包含零：凭这些数据无法区分提升与偶然。",
    ),
    "verdict.reason.worse_than_base": (
        "The tuned model is worse than the base on the held-out rows.",
        "在未参与训练的数据上，微调后的模型比基座更差。",
    ),
    "verdict.reason.beats_control": (
        "It also beats the control, so it learnt the content and not only the form of an answer.",
        "它也胜过对照组，说明学到的是内容，而不只是回答的格式。",
    ),
    "verdict.reason.not_beats_control": (
        "It does not beat the control: a prompt with examples, the most frequent answer, or answers to other questions"
        " score as well.",
        "它没有胜过对照组：带示例的提示词、最常见的答案，或张冠李戴的答案也能得到同样的分数。",
    ),
    "verdict.reason.control_unclear": (
        "Its lead over the control is too small to be told from chance.",
        "它对对照组的领先太小，无法与偶然区分。",
    ),
    "verdict.reason.loss_significant": (
        "More general questions were lost than gained, and that is no chance.",
        "通用题丢失的多于新增的，而且不是偶然。",
    ),
    "verdict.reason.loss_large": (
        "The net loss of general answers is above the limit.",
        "通用题的净丢失超过了上限。",
    ),
    "verdict.reason.loss_small": (
        "The net loss of general answers is within the limit and not significant.",
        "通用题的净丢失在上限之内，且不显著。",
    ),
    "verdict.reason.too_few_base_right": (
        "The base answers too few of the general questions for a claim about forgetting.",
        "基座模型答对的通用题太少，无法判断是否遗忘。",
    ),
    "verdict.reason.degenerate": (
        "The tuned answers have degenerated (see stereotyped output).",
        "微调后的回答出现退化（见“回答模式化”一节）。",
    ),
    "verdict.reason.no_test": (
        "There is no test split: too few rows.",
        "没有测试集：数据太少。",
    ),
    "verdict.reason.test_small": (
        "The test split is below 100 rows, so its intervals are wide.",
        "测试集少于 100 条，区间较宽。",
    ),
    "verdict.reason.few_clusters": (
        "The test split has fewer than 30 independent groups of rows (near-duplicates count as one), so its interval is"
        " less sure than it says.",
        "测试集中相互独立的数据不足 30 组（近似重复的数据算作一组），区间的实际可靠性低于标称水平。",
    ),
    "probes.left_out": (
        "Probes in {language} are left out: the base answers {right} of {asked} right.",
        "不评测 {language} 语言的通用题：基座在 {asked} 道中只答对 {right} 道。",
    ),
    "select.best": (
        "It has the best score on the select split.",
        "它在选择集上得分最高。",
    ),
    "select.within_error": (
        "It is the earliest and weakest candidate within one standard error of the best: less drift at no measurable"
        " cost.",
        "它是与最佳候选相差不超过一个标准误的最早、最弱的候选：偏移更小，且没有可测的代价。",
    ),
    "select.passes": (
        "The best score belongs to a candidate that forgets too much or degenerates; this one passes both gates.",
        "得分最高的候选遗忘过多或已退化；它是通过这两项检查的候选。",
    ),
    "select.none_passes": (
        "Every candidate forgets too much or degenerates; this one is chosen by its score alone.",
        "所有候选都遗忘过多或已退化；仅按得分选了它。",
    ),
    "select.no_rows": (
        "There are no select rows; the last checkpoint is taken at full scale.",
        "没有选择集；采用最后一个检查点，不缩放。",
    ),
}
