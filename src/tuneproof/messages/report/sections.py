"""Sentences of the report page, in its order. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # Numbers
    "report.not_measured": ("not measured", "未测量"),
    "report.not_planned": ("not planned", "未计划"),
    "report.points": ("{number} points", "{number} 个百分点"),
    "report.percent": ("{number} %", "{number}%"),
    "report.interval": ("{low} to {high}", "{low} 至 {high}"),
    "report.seconds": ("{seconds} s", "{seconds} 秒"),
    "report.whole_minutes": ("{minutes} min", "{minutes} 分钟"),
    "report.minutes": ("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒"),
    "report.hours": ("{hours} h {minutes} min", "{hours} 小时 {minutes} 分"),
    # Frame
    "report.skip": ("Skip to the verdict", "跳到结论"),
    "report.contents": ("Contents", "目录"),
    "report.as_table": ("The same data as a table", "以表格查看同样的数据"),
    "report.unfold": ("show all {n} characters", "展开全部 {n} 个字符"),
    "report.empty": ("(empty)", "（空）"),
    "report.yes": ("yes", "是"),
    "report.no": ("no", "否"),
    "report.status.running": ("This run has not ended yet.", "本次运行尚未结束。"),
    "report.status.stopped": ("This run was stopped; it can go on.", "本次运行已停止，可以继续。"),
    "report.status.failed": ("This run failed.", "本次运行失败。"),
    "report.missing.verdict": (
        "No verdict yet: the tuned model has not been measured.",
        "还没有结论：微调后的模型尚未评测。",
    ),
    "report.missing.answers": (
        "No answers to compare yet: base and tuned model have not both answered the test items.",
        "还没有可对照的回答：基座与微调后的模型尚未都回答测试题。",
    ),
    "report.missing.losses": ("No training step has been recorded yet.", "还没有训练步的记录。"),
    "report.missing.selection": ("No checkpoint has been chosen yet.", "还没有选定检查点。"),
    "report.missing.data": ("The data have not been checked yet.", "数据尚未检查。"),
    "report.missing.plan": ("No plan has been made yet.", "还没有资源计划。"),
    "report.missing.config": ("No config has been written yet.", "还没有写入配置。"),
    # Verdict
    "report.decision.ship": ("SHIP", "可以上线"),
    "report.decision.dont_ship": ("DON'T SHIP", "不要上线"),
    "report.decision.not_enough_evidence": ("NOT ENOUGH EVIDENCE", "证据不足"),
    "report.decision.none": ("NO VERDICT YET", "尚无结论"),
    "report.number.gain": ("Gain on the task", "任务得分的提升"),
    "report.number.gain_scores": ("Base {base}, tuned {tuned}", "基座 {base}，微调后 {tuned}"),
    "report.number.interval": (
        "95\u00a0% interval {interval}; n\u00a0=\u00a0{n} test items",
        "95% 区间 {interval}；n\u00a0=\u00a0{n} 道测试题",
    ),
    "report.number.lost": ("Answers lost, net", "净损失的回答"),
    "report.number.lost_of": ("{net} of {n}", "{net} / {n}"),
    "report.number.lost_parts": ("{lost} lost, {gained} gained", "丢失 {lost}，新增 {gained}"),
    "report.number.lost_interval": (
        "{net} of loss, at most {upper} (95\u00a0%); n\u00a0=\u00a0{n} questions",
        "净损失 {net}，上界 {upper}（95%）；n\u00a0=\u00a0{n} 道通用题",
    ),
    "report.number.control": ("Ahead of the control", "领先对照组"),
    "report.named_score": ("{name}: {score}", "{name}：{score}"),
    "report.number.lead_interval": ("95\u00a0% interval of the lead {interval}", "领先幅度的 95% 区间 {interval}"),
    "report.control_meaning.few_shot": (
        "The control is the base with a few examples in its prompt. Beating it means that training gave more than a "
        "prompt would.",
        "对照组是在提示词里放入几条示例的基座模型。领先它，说明训练带来的收获超过写提示词。",
    ),
    "report.control_meaning.most_frequent": (
        "The control always gives the most frequent answer. Beating it means that the model looks at the question.",
        "对照组永远给出最常见的答案。领先它，说明模型确实在看题作答。",
    ),
    "report.control_meaning.permuted": (
        "The control is the tuned answers, scored against other items of the same task. Beating it means that the "
        "model learnt content, not only form.",
        "对照组是把微调后的回答拿去和同任务其他题的参考答案比。领先它，说明模型学到了内容，而不只是格式。",
    ),
    "report.why": ("Why", "理由"),
    "report.rows_needed": (
        "About {n} test rows would be needed to settle it.",
        "大约需要 {n} 条测试数据才能得出定论。",
    ),
    "report.probes_needed": (
        "About {n} general questions would be needed to settle it.",
        "大约需要 {n} 道通用题才能得出定论。",
    ),
    "report.thresholds": ("The rule and its thresholds", "判定规则与阈值"),
    "report.rule": (
        "Ship: the gain’s whole interval lies above 0 against the base and against the control, the net loss of "
        "answers is neither significant nor large, and the output has not degenerated. Don’t ship: one of these is "
        "clearly violated. Everything else is not enough evidence.",
        "可以上线：相对基座与对照组，提升的整个区间都在 0 以上；净损失既不显著也不大；输出没有退化。"
        "不要上线：其中任何一条被明确违反。其余情况都算证据不足。",
    ),
    "report.detectable": (
        "This test split finds a difference of {effect} or more in four of five cases (80 % power at the 5 % level); a "
        "smaller one may stay unclear.",
        "这份测试集对 {effect}及以上的差异有八成把握检出（5% 显著性水平，80% 检验功效）；更小的差异可能无法判断。",
    ),
    # Gain
    "report.headline.gain_unknown": ("Nothing was held out to test on.", "没有留出测试数据。"),
    "report.headline.gain": (
        "Clearly better: {better} of {tasks} tasks. Clearly worse: {worse}.",
        "{tasks} 个任务中，明显变好 {better} 个，明显变差 {worse} 个。",
    ),
    "report.caption.gain": (
        "Mark: difference of the scores on the same items; line: its 95 % interval. ▲ the whole interval is above 0, "
        "▼ below 0, ○ it holds 0: unclear.",
        "标记：同一批题目上的得分差；横线：95% 区间。▲ 整个区间大于 0，▼ 小于 0，○ 区间包含 0，尚不明确。",
    ),
    "report.all_tasks": ("All tasks", "全部任务"),
    "report.each_its_own": ("each task's own, averaged", "各任务各自的指标，取平均"),
    "report.against_control": ("… over control", "……相对对照组"),
    # Answers
    "report.headline.answers": (
        "Of {n} answers, {improved} improved, {regressed} regressed, {unchanged} scored the same.",
        "{n} 个回答中，变好 {improved} 个，变差 {regressed} 个，得分不变 {unchanged} 个。",
    ),
    "report.answers_how": (
        "What regressed comes first, then what improved, then equal scores. Marked words: solid underline, only in "
        "the tuned answer; dashed underline, missing from it. Invisible control characters are written out, as in ‹U+200B›.",
        "变差的排在最前，其次是变好的，最后是得分不变的。标记：实线下划线表示只出现在微调后的回答中，虚线下划线表示微调后的回答里没有。"
        "不可见的控制字符会写成 ‹U+200B› 这样的形式。",
    ),
    "report.show": ("Show", "显示"),
    "report.search": ("Search", "搜索"),
    "report.shown": ("Shown:", "当前显示："),
    "report.open_all": ("Open all", "全部展开"),
    "report.close_all": ("Close all", "全部收起"),
    "report.prompt": ("Prompt", "题目"),
    "report.reference": ("Reference", "参考答案"),
    "report.accepted": ("Accepted", "正确答案"),
    "report.base": ("Base", "基座"),
    "report.tuned": ("Tuned", "微调后"),
    "report.answer_facts": ("score {score} · tokens {tokens}", "得分 {score} · {tokens} 个 token"),
    "report.cut.length": ("cut at the length limit", "达到长度上限被截断"),
    "report.cut.loop": ("stopped: it only repeated itself", "已停止：只在重复自己"),
    "report.judged_by": ("Judged by: {scorers}.", "评分方法：{scorers}。"),
    "report.compared.reference": (
        "Marked: where the tuned answer and the reference differ.",
        "标记处：微调后的回答与参考答案的不同。",
    ),
    "report.compared.base": (
        "Marked: where the tuned answer and the base’s answer differ.",
        "标记处：微调后的回答与基座回答的不同。",
    ),
    "report.compared.neither": (
        "Nothing is marked: the tuned answer shares too little with the reference and with the base’s answer.",
        "未作标记：微调后的回答与参考答案、基座回答的共同之处都太少。",
    ),
    "report.same_as.reference": (
        "The tuned answer equals the reference word for word.",
        "微调后的回答与参考答案完全一致。",
    ),
    "report.same_as.base": (
        "The tuned answer equals the base’s answer word for word.",
        "微调后的回答与基座的回答完全一致。",
    ),
    # Forgotten
    "report.headline.forgotten": (
        "Lost: {lost} of the {base_right} answers that the base had right. Gained: {gained}.",
        "基座答对的 {base_right} 题中丢失 {lost} 题；另外新答对 {gained} 题。",
    ),
    "report.forgotten_how": (
        "{n} short general questions, asked before and after; the base answered {right} of them right.",
        "训练前后各问同样的 {n} 道通用短题，基座答对其中 {right} 道。",
    ),
    "report.left_out": (
        "Left out, since the base itself cannot answer them: {families}.",
        "基座本身答不了、因而不计入的类别：{families}。",
    ),
    "report.counts_by.family": ("Counts by family", "按题目类别统计"),
    "report.counts_by.language": ("Counts by language", "按语言统计"),
    "report.lost_items": ("Lost: right before, wrong now", "丢失：原来答对，现在答错"),
    "report.blame_command": (
        "Which training rows cost these answers? This ranks them, for one item with its id in the place of lost:",
        "是哪些训练数据导致了这些丢失？用下面的命令追溯；只看一道题时，把 lost 换成它的编号：",
    ),
    "report.blamed": ("Rows that pushed this way", "把回答推向这里的训练数据"),
    "report.blamed_out": (
        "The first of {n} rows lies {spread} standard deviations above the mean; noise alone would give {noise}.",
        "{n} 条数据中排第一的比均值高 {spread} 个标准差；单凭噪声约为 {noise} 个。",
    ),
    "report.blamed_flat": (
        "No single row stands out: the first of {n} lies {spread} standard deviations above the mean, and noise alone "
        "would give {noise}.",
        "没有哪一条特别突出：{n} 条数据中排第一的只比均值高 {spread} 个标准差，而单凭噪声就会有 {noise} 个。",
    ),
    "report.blamed_how": (
        "Score: how well the row’s gradient agrees with that of the answer (cosine). A hint, not a proof.",
        "得分：该数据的梯度与回答的梯度有多一致（余弦）。这是提示，不是证明。",
    ),
    "report.blamed_none": ("No training row pushed this way.", "没有任何一条训练数据把回答推向这里。"),
    "report.own_answer": ("replay (by the base)", "回放（基座自答）"),
    "report.gained_items": ("Gained: wrong before, right now", "新增：原来答错，现在答对"),
    "report.none_lost": ("No right answer was lost.", "没有丢失任何答对的题。"),
    # Stereotyped output
    "report.headline.degeneration_unknown": ("Too few answers to measure it.", "回答太少，无法测量。"),
    "report.headline.degeneration": (
        "No loops, no stock phrases: all gates passed.",
        "没有循环，也没有套话：各项检查均通过。",
    ),
    "report.headline.degeneration_failed": ("Gates failed: {n}.", "未通过的检查：{n} 项。"),
    "report.gate.failed": ("failed", "未通过"),
    "report.gate.passed": ("passed", "通过"),
    # Curves
    "report.headline.loss_fell": (
        "Training loss fell from {first} to {last} in {steps} steps.",
        "训练损失在 {steps} 步内从 {first} 降到 {last}。",
    ),
    "report.headline.loss_rose": (
        "Training loss did not fall: {first} at first, {last} after {steps} steps.",
        "训练损失没有下降：起初 {first}，{steps} 步后 {last}。",
    ),
    "report.headline.selection": (
        "Chosen: step {step} at adapter scale {scale}, {score} on the select split.",
        "选定第 {step} 步、适配器缩放 {scale}，在选择集上得分 {score}。",
    ),
    "report.headline.trade": (
        "At scale {scale}, {lost} of {probes} general questions were lost and {gained} won, on a slice kept for the choice.",
        "缩放 {scale} 时，在专供选择的 {probes} 道通用题中丢失 {lost} 道、新增 {gained} 道。",
    ),
    "report.caption.trade": (
        "The adapter's strength is turned down without training: less is learnt, less is forgotten. Kept: of the "
        "questions that the base had right, those still right.",
        "无需重新训练即可调低适配器强度：学到的少一些，忘掉的也少一些。“保住的”指基座答对的题中现在仍答对的比例。",
    ),
    "report.line.score": ("select score", "选择集得分"),
    "report.line.kept": ("kept", "保住的"),
    "report.caption.selection": (
        "◆ chosen; × adapter scale other than 1; whiskers: ± 1 standard error of the paired difference from the best.",
        "◆ 选定；× 表示不为 1 的适配器缩放；须线：与最佳候选的配对差的 ±1 标准误。",
    ),
    "report.chosen": ("chosen", "选定"),
    # Data
    "report.headline.data": (
        "Rows used: {usable} of {rows}. Findings: {found}.",
        "共 {rows} 条数据，可用 {usable} 条；发现问题 {found} 处。",
    ),
    "report.headline.lengths": (
        "The middle row has {low} to {high} characters.",
        "处于中间的一条有 {low} 到 {high} 个字符。",
    ),
    "report.moved": (
        "Rows on another side than in the run that is gone on from",
        "与上一次运行所在一侧不同的数据",
    ),
    "report.related": ("see also line {lines}", "另见第 {lines} 行"),
    "report.more_findings": ("{n} more in data/report.json.", "另有 {n} 处，见 data/report.json。"),
    "report.no_findings": ("Nothing was found.", "没有发现问题。"),
    "report.split": ("The split", "数据划分"),
    "report.likeness": (
        "A stratum is a kind of row: task, language, kind of answer, length; its gap is how much more or less of it there "
        "is than among the training rows. KS: how far the lengths lie apart, from 0 to 1. AUC: how well a classifier on "
        "simple features tells the rows from those of training; 0.5 is not at all, and by chance it lies within the "
        "range beside it.",
        "“层”指同一类数据：任务、语言、回答类型、长度；差值是它的占比比训练集多多少或少多少。KS：长度分布相差多远，从 0 到 1。"
        "AUC：用简单特征训练的分类器区分这些数据与训练集的能力，0.5 表示完全无法区分；纯属偶然时落在右侧的范围内。",
    ),
    "report.strata": ("Strata (task / language / kind of answer / length)", "分层（任务/语言/回答类型/长度）"),
    # Memory and time
    "report.headline.memory": (
        "Peak memory: {predicted} predicted, {measured} measured ({error} off).",
        "峰值内存：预测 {predicted}，实测 {measured}（偏差 {error}）。",
    ),
    "report.headline.memory_predicted": (
        "Peak memory: {predicted} predicted, not measured yet.",
        "峰值内存：预测 {predicted}，尚未实测。",
    ),
    "report.headline.time": ("Time: {real}.", "用时 {real}。"),
    "report.headline.time_planned": ("Time: {real}; planned {planned}.", "用时 {real}；计划 {planned}。"),
    "report.headline.time_held": (
        "Time: {real}; planned {planned}. The stages that were planned are {error} off.",
        "用时 {real}；计划 {planned}。列入计划的各阶段偏差 {error}。",
    ),
    "report.within": ("{planned} within a limit of {limit}", "{planned}，上限 {limit}"),
    "report.ran_out": ("Memory ran out all the same, and was recovered from:", "内存仍然不足过，已自动恢复："),
    "report.never_ran_out": ("Memory never ran out.", "内存从未不足。"),
    "report.recovered": (
        "{where}{step}: {lever} {before} -> {after}, then done again with the same rows.",
        "{where}{step}：{lever} 由 {before} 改为 {after}，并用同样的数据重做。",
    ),
    "report.at_step": (", step {step}", "第 {step} 步"),
    "report.ran_out.rehearse": ("Before training", "训练前"),
    "report.ran_out.train": ("Training", "训练"),
    "report.ran_out.evaluate": ("Answering", "生成回答"),
    "report.settings": ("Settings chosen", "选定的设置"),
    "report.alternatives": ("What other choices would take", "其他选择需要多少"),
    "report.rejected": ("Turned down", "被否决的设置"),
    "report.cut_to_fit": ("Cut to end in time, in this order:", "为按时结束，依次做了这些缩减："),
    "report.nothing_cut": ("Nothing was cut to end in time.", "没有为赶时间作任何缩减。"),
    # How to repeat it
    "report.command": ("The command", "命令"),
    "report.next": ("What to type next", "接下来可以执行"),
    "report.identity": ("What exactly ran", "运行的确切内容"),
    "report.translated": ("This report in Chinese", "英文版的报告"),
    "report.fingerprint": ("Fingerprint:", "指纹："),
}
