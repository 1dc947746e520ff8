"""Sentences of the evidence: verdict, reasons, selection. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "verdict.summary.ship": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}), and"
        " of {probes} general questions {lost} answers were lost and {gained} gained: the gain is real and nothing"
        " noticeable was forgotten.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 提高到 {tuned}（{delta} 分，95% 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对：提升真实，没有明显遗忘。",
    ),
    "verdict.summary.dont_ship": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}); of"
        " {probes} general questions {lost} answers were lost and {gained} gained. The reasons below speak against"
        " shipping it.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 变为 {tuned}（{delta} 分，95% 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对。下列理由说明它不应上线。",
    ),
    "verdict.summary.not_enough_evidence": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}); of"
        " {probes} general questions {lost} answers were lost and {gained} gained. That is not enough to decide.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 变为 {tuned}（{delta} 分，95% 区间 {low} 至 {high}）；{probes} 道通用题中，"
        "{lost} 道由对变错，{gained} 道由错变对。现有证据不足以下结论。",
    ),
    "verdict.summary.no_probes": (
        "On {n} held-out rows the score went from {base} to {tuned} ({delta} points, 95 % interval {low} to {high}); of"
        " the general questions the base answers too few to say what was forgotten. That is not enough to decide.",
        "在 {n} 条未参与训练的数据上，得分从 {base} 变为 {tuned}（{delta} 分，95% 区间 {low} 至 {high}）；"
        "通用题中基座能答对的太少，无法判断忘掉了什么。现有证据不足以下结论。",
    ),
    "verdict.summary.no_test": (
        "There were too few rows to hold some out for a test, so nothing can be said about a gain; of the general"
        " questions {lost} answers were lost and {gained} gained.",
        "数据太少，无法留出测试集，因此无法判断是否有提升；通用题中 {lost} 道由对变错，{gained} 道由错变对。",
    ),
    "verdict.reason.gain_real": (
        "The gain over the base is real: its 95 % interval lies above zero.",
        "相对基座模型的提升是真实的：95% 区间完全在零以上。",
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
        "More general questions were lost than gained, and not by chance alone.",
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
    "probes.own_left_out": (
        "Of your own probes {kept} are asked and {count} left out:\n{reasons}",
        "自备的通用题中，采用 {kept} 道，剔除 {count} 道：\n{reasons}",
    ),
    "probes.none": (
        "None of your own probes can be asked ({count} left out):\n{reasons}",
        "自备的通用题没有一道可用（剔除 {count} 道）：\n{reasons}",
    ),
    "probes.none.hint": (
        "A probe is a row with a question and an answer that is not among the training rows; see `evaluate.probes`.",
        "通用题应是带问题和答案、且不在训练数据中的数据；参见 `evaluate.probes`。",
    ),
    "probes.why.empty": ("it has no question or no answer.", "缺少问题或答案。"),
    "probes.why.trained": ("training asks nearly the same in {place}.", "训练数据 {place} 问的几乎相同。"),
    "probes.why.twice": ("{place} asks the same.", "与 {place} 问的相同。"),
    "probes.too_long": ("it has {tokens} tokens, {cap} is the limit.", "共 {tokens} 个 token，上限为 {cap}。"),
    "scorer.unknown": ("There is no scorer {name}.", "没有名为 {name} 的评分方法。"),
    "scorer.unknown.hint": (
        "Known here: {known}. A scorer of your own is installed with an entry point of the group `tuneproof.scorers`.",
        "可用的有：{known}。自己的评分方法需随软件包安装，并登记在入口点组 `tuneproof.scorers` 中。",
    ),
    "scorer.no_task": ("No row belongs to the task {task}.", "没有任何数据属于任务 {task}。"),
    "scorer.no_task.hint": ("The tasks are: {known}.", "现有任务：{known}。"),
    "scorer.broken": ("The scorer {name} cannot be loaded: {why}.", "评分方法 {name} 无法加载：{why}。"),
    "scorer.broken.hint": (
        "Check the package that brings it, and its entry point in the group `tuneproof.scorers`.",
        "请检查提供它的软件包，以及入口点组 `tuneproof.scorers` 中的登记。",
    ),
    "scorer.raised": (
        "The scorer {name} failed on the answer “{answer}”: {why}.",
        "评分方法 {name} 在处理回答“{answer}”时出错：{why}。",
    ),
    "scorer.raised.hint": (
        "Mend the scorer and run the same command again. What was answered is kept, the answers not yet scored in "
        "eval/unscored.jsonl.",
        "请修好评分方法，再执行同样的命令。已有的回答都保留着，尚未评分的在 eval/unscored.jsonl 中。",
    ),
    "scorer.outside": (
        "The scorer {name} returned {value} for the answer “{answer}”; a score is a number from 0 to 1.",
        "评分方法 {name} 对回答“{answer}”返回了 {value}；得分应是 0 到 1 之间的数。",
    ),
    "scorer.outside.hint": (
        "Mend the scorer and run the same command again. What was answered is kept, the answers not yet scored in "
        "eval/unscored.jsonl.",
        "请修好评分方法，再执行同样的命令。已有的回答都保留着，尚未评分的在 eval/unscored.jsonl 中。",
    ),
    "scorer.strict": (
        "The scorer {name} gives {low} of the {rows} reference answers of {task} less than 1 against themselves.",
        "评分方法 {name} 拿任务 {task} 的参考答案与其自身比较，{rows} 条中有 {low} 条不到 1 分。",
    ),
    "judge.key": ("A judge has no {key}.", "评判模型的设置里没有 {key} 这一项。"),
    "judge.key.hint": ("It has: {known}.", "可用的有：{known}。"),
    "judge.no_url": ("The judge's address is missing, or is no URL.", "缺少评判模型的地址，或地址不是有效的 URL。"),
    "judge.no_url.hint": (
        "For example base_url: http://127.0.0.1:8000/v1",
        "例如 base_url: http://127.0.0.1:8000/v1",
    ),
    "judge.no_model": ("The judge model is not named.", "没有指定评判模型的名称。"),
    "judge.no_model.hint": ("Add `model`, as the server calls it.", "请加上 `model`，写服务端使用的模型名。"),
    "judge.no_key": ("The environment has no {variable}.", "环境变量 {variable} 没有设置。"),
    "judge.no_key.hint": (
        "Set it to the server's key, or leave `api_key_env` out where none is needed.",
        "请把它设为服务的密钥；不需要密钥时可以去掉 `api_key_env`。",
    ),
    "judge.failed": ("The judge's server answers: {why}.", "评判模型的服务返回：{why}。"),
    "judge.failed.hint": (
        "Check address, model and key; the same command asks on where it stopped.",
        "请检查地址、模型名和密钥；再次执行同样的命令会从中断处继续。",
    ),
    "judge.open": (
        "The judge model has not judged all rows ({why}). The verdict does not need it; the same command asks on.",
        "评判模型没有判完全部数据（{why}）。结论不依赖它；再次执行同样的命令会继续。",
    ),
    "harness.missing": (
        "lm-evaluation-harness is not installed: there is no program lm_eval.",
        "没有安装 lm-evaluation-harness：找不到程序 lm_eval。",
    ),
    "harness.missing.hint": (
        'Install it: pip install "lm-eval[hf]", or take `evaluate.harness` out.',
        '请安装：pip install "lm-eval[hf]"，或去掉 `evaluate.harness`。',
    ),
    "harness.failed": (
        "lm_eval ended with {code} on the {arm} model: {why}",
        "lm_eval 在 {arm} 模型上以 {code} 退出：{why}",
    ),
    "harness.failed.hint": (
        "The run itself is whole. Mend what it complains of; the same command tries again.",
        "运行本身是完整的。请解决它报告的问题；再次执行同样的命令会重试。",
    ),
    "harness.failed_said": (
        "The benchmarks could not be run; the verdict does not need them. {why}",
        "标准评测没有跑成；结论不依赖它。{why}",
    ),
    "select.only": (
        "There was no other candidate.",
        "没有别的候选。",
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
    "select.likelier": (
        "The best score belongs to a candidate that is less likely to ship: it forgets more, or its output degenerates.",
        "得分最高的候选更难达到发布标准：它忘得更多，或输出已退化。",
    ),
    "select.unlikely": (
        "No candidate is likely to ship; this one is the most promising.",
        "没有哪个候选有把握达到发布标准；它是其中最有希望的。",
    ),
    "select.no_rows": (
        "There are no select rows; the last checkpoint is taken at full scale.",
        "没有选择集；采用最后一个检查点，不缩放。",
    ),
}
