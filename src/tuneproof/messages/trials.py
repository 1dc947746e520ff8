"""What the user reads about runs inside a run: other seeds, fewer rows, learning rates. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.option.seeds": (
        "Seeds in all, to show how far the numbers lie apart; on top of --time.",
        "随机种子总数，用来显示结果的波动范围；多出的运行不计入 --time。",
    ),
    "cli.option.learning_curve": (
        "Train on 25 and 50 % of the rows too, to see what more data would bring; on top of --time.",
        "另用 25% 和 50% 的数据训练，看增加数据是否有用；不计入 --time。",
    ),
    "cli.option.probe_lr": (
        "Before training, try 1/3, 1 and 3 times the learning rate for at most 60 steps each; on top of --time.",
        "训练前以 1/3、1、3 倍学习率各试训最多 60 步，再选定学习率；不计入 --time。",
    ),
    "cli.option.from": (
        "Go on from the adapter of this run; what is forgotten is still counted against the untouched base.",
        "从这次运行的适配器接着训练；遗忘仍以未经微调的基座为基准。",
    ),
    "report.topic.trials": ("Further runs", "补充运行"),
    "report.axis.rows": ("training rows", "训练条数"),
    "report.axis.curve_gain": ("gain over the base, percentage points", "相对基座的提升（百分点）"),
    "report.fingerprint_of.rows": ("rows of the run it belongs to", "所属运行的数据"),
    "report.fingerprint_of.start": ("adapter gone on from", "接续的适配器"),
    "trials.ahead": (
        "Further runs: {n}, about {time} in all; --time does not cover them.",
        "另需运行 {n} 次，共约 {time}；不计入 --time 的时限。",
    ),
    "trials.begin": ("Run {at} of {n}: {name}", "第 {at}/{n} 次：{name}"),
    "trials.failed": ("The training of {name} failed: {why}", "{name} 训练失败：{why}"),
    "trials.this_run": ("this run", "本次运行"),
    "trials.seeds": ("Other seeds", "更换随机种子"),
    "trials.seeds_range": (
        "{n} seeds: gain {mean} on average, from {low} to {high}; net loss from {lost_low} to {lost_high}.",
        "{n} 个种子：平均提升 {mean}，范围 {low} 至 {high}；净损失范围 {lost_low} 至 {lost_high}。",
    ),
    "trials.seeds_agree": ("Every seed ends in the same verdict.", "所有种子的结论一致。"),
    "trials.seeds_disagree": (
        "With another seed the verdict would be another one: {decisions}.",
        "换一个随机种子，结论就会不同：{decisions}。",
    ),
    "trials.seed_decision": ("{decision} with seed {seed}", "种子 {seed} 为“{decision}”"),
    "trials.between": (", ", "，"),
    "trials.seed_failed": ("no adapter with seed {seed} (its training failed)", "种子 {seed} 训练失败"),
    "trials.seeds_note": (
        "The verdict is that of seed {seed}, fixed before training; no seed is chosen by its score. What varies is the "
        "order of the rows and the initial adapter; the split stays.",
        "结论以训练前就定下的种子 {seed} 为准，不按得分挑选种子。变化的只是数据顺序和适配器初始值，数据划分不变。",
    ),
    "trials.curve": ("How much data", "数据量与提升"),
    "trials.curve_last": (
        "The last doubling of the rows brought {points} ({interval}).",
        "最近一次数据翻倍带来 {points}（{interval}）。",
    ),
    "trials.curve_next": (
        "Twice the rows would likely bring {points} more ({interval}).",
        "数据再翻一倍，可能再提升 {points}（{interval}）。",
    ),
    "trials.curve_unclear": (
        "Whether more rows would help cannot be told: the interval of the last doubling holds zero.",
        "无法判断增加数据是否有用：最近一次翻倍的区间包含零。",
    ),
    "trials.curve_short": (
        "Too little was measured to say what more rows would bring.",
        "测量结果太少，无法推断增加数据的效果。",
    ),
    "trials.curve_note": (
        "Each with the same number of passes over its rows, measured on the same test rows. The forecast takes a power "
        "law through the three points; its interval counts the test rows, not the luck of a training.",
        "各次训练的轮数相同，测试数据也相同。预测用经过三个点的幂律曲线；区间只反映测试数据的抽样误差，"
        "不含训练本身的随机性。",
    ),
    "trials.rate": ("Learning rate", "学习率"),
    "trials.rate_chosen": (
        "{chosen} was taken for the training; {before} was planned.",
        "训练采用 {chosen}，原计划为 {before}。",
    ),
    "trials.rate_note": (
        "Short trainings, scored on the select rows and a slice of the general questions; the test rows had no part in "
        "it.",
        "短训练，只用选择集和一部分通用题打分，没有用到测试集。",
    ),
    "trials.column.seed": ("Seed", "种子"),
    "trials.column.rows": ("Rows", "训练条数"),
    "trials.column.share": ("Share", "占比"),
    "trials.column.steps": ("Steps", "步数"),
    "trials.column.gain": ("Gain, points", "提升（百分点）"),
    "trials.column.ci95": ("95 % interval", "95% 区间"),
    "trials.column.flips": ("Lost, gained", "丢失、新增"),
    "trials.column.net": ("Net loss", "净损失"),
    "trials.column.verdict": ("Verdict", "结论"),
    "trials.column.rate": ("Rate", "学习率"),
    "trials.column.score": ("Select score", "选择集得分"),
    "trials.column.gates": ("Gates", "检查"),
    "trials.column.remedy": ("Remedy", "办法"),
    "trials.column.place": ("Checkpoint × scale", "检查点 × 缩放"),
    "trials.column.slice": ("Lost, gained of the slice", "丢失、新增（选择用题）"),
    "trials.column.chance": ("Chance to ship", "达标可能性"),
    "trials.column.look": ("Look", "第几次评测"),
    "trials.column.folder": ("In trials/", "trials/ 中的目录"),
    "trials.gate.failed": ("training failed", "训练失败"),
    "trials.gate.net_loss": ("forgets too much", "遗忘过多"),
    "rate.chosen": (
        "Learning rate: {chosen} (planned: {before}).",
        "学习率：{chosen}（原计划 {before}）。",
    ),
    "rate.best": ("It has the best score on the select rows.", "它在选择集上得分最高。"),
    "rate.within_error": (
        "It is the lowest rate within one standard error of the best: less forgetting at no measurable cost.",
        "它是与最佳相差不超过一个标准误的最低学习率：遗忘更少，且没有可测的代价。",
    ),
    "rate.none_passes": (
        "At every rate too much is forgotten or the answers degenerate; this one is the lowest near the best score.",
        "每个学习率都遗忘过多或出现退化；这是得分接近最佳的最低学习率。",
    ),
    "rate.no_gain": (
        "At no rate did the short training lift the score, so nothing tells them apart: the rate stays as it was.",
        "各个学习率的短训练都没有提高得分，无从比较，学习率保持不变。",
    ),
    "rate.no_rows": (
        "There are no select rows to judge by, so the rate stays as it was.",
        "没有选择集可供判断，学习率保持不变。",
    ),
    "rate.all_failed": (
        "Every short training failed, so the rate stays as it was.",
        "所有短训练都失败了，学习率保持不变。",
    ),
    "start.itself": ("A run cannot go on from itself.", "一次运行不能从它自己接着训练。"),
    "start.itself.hint": ("Choose another folder with --out.", "请用 --out 指定另一个目录。"),
    "start.no_adapter": ("This run has no adapter to go on from.", "这次运行没有可以继续训练的适配器。"),
    "start.no_adapter.hint": (
        "Let it end first: tuneproof resume {run}",
        "请先让它完成：tuneproof resume {run}",
    ),
    "start.other_base": (
        "The adapter of {run} belongs to another base model ({theirs}, not {ours}).",
        "{run} 的适配器属于另一个基座模型（{theirs}，而不是 {ours}）。",
    ),
    "start.other_base.hint": (
        "Name the model that it was trained on with --model, or leave --from out.",
        "请用 --model 指定训练它时所用的模型，或去掉 --from。",
    ),
    "start.other_shape": (
        "The adapter of {run} has {key} {theirs}, not {ours}.",
        "{run} 的适配器 {key} 为 {theirs}，而不是 {ours}。",
    ),
    "start.other_shape.hint": (
        "Leave {key} out: it is taken from the run that is gone on from.",
        "请去掉 {key}：它会沿用上一轮运行的值。",
    ),
    "start.dropped": (
        "{n} rows of the test file were trained on in an earlier round and are left out of the test.",
        "测试文件中有 {n} 条数据在之前的轮次中训练过，不参与测试。",
    ),
    "start.moved": (
        "{n} rows were trained on in an earlier round and cannot be a test of this one: they stay on the training side.",
        "有 {n} 条数据在之前的轮次中训练过，不能用来检验这一轮：仍归入训练集。",
    ),
}
