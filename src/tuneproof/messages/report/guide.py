"""What the report tells a first-time reader: what to do next, what numbers and words mean. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # What to do next
    "report.advice": ("What to do next", "接下来怎么做"),
    "report.advice.try": ("Ask both models questions of your own, side by side:", "用自己的问题并排试问两个模型："),
    "report.advice.use": (
        "Use it: the first line answers programs on this machine, the second writes it for other tools.",
        "投入使用：第一行在本机供程序调用，第二行导出给其他工具。",
    ),
    "report.advice.blame": (
        "See which training rows cost the lost answers, and mend or remove those that teach something wrong:",
        "查看哪些训练数据导致了丢失的回答，修正或删除教错东西的数据：",
    ),
    "report.advice.cure": (
        "Let it try remedies, from a weaker adapter to more replay, and keep the first that ships:",
        "让它尝试补救办法（从减弱适配器到增加回放），并保留第一个可以上线的：",
    ),
    "report.advice.cured": (
        "Remedies were tried already (see Further runs). What is left are other rows, or a larger base model.",
        "补救办法已经试过（见“补充运行”一节）。剩下的办法是换数据，或换更大的基座模型。",
    ),
    "report.advice.rows": (
        "Read the answers side by side below: where a reference is wrong, or rows contradict each other, mend the rows. "
        "Then train on more of them, or take a larger base model.",
        "请看下面的回答对照：参考答案有误或数据互相矛盾时，先修正数据；然后增加数据，或换更大的基座模型。",
    ),
    "report.advice.prompt": (
        "As it stands, the control is the cheaper way to the same answers.",
        "就目前而言，用对照组的做法更省事，效果一样。",
    ),
    "report.advice.time": (
        "Give it more time (--time), or no limit: to end in time, less was measured than there is.",
        "放宽或取消时限（--time）：为按时结束，评测的题目被减少了。",
    ),
    "report.advice.test": (
        "Measure on more rows: add rows to the data file, or give a file of test rows with --test FILE.",
        "增加测试数据：在数据文件里添加数据，或用 --test FILE 指定一份测试数据。",
    ),
    "report.advice.tiny": (
        "So many test rows, more than {times} times what there are, are not worth collecting: if anything was learnt, it is "
        "very little.",
        "要凑足这么多测试数据（现有的 {times} 倍以上）并不值得：即使学到了什么，也非常少。",
    ),
    "report.advice.probes": (
        "Take a base model that can do more, so that there is more to lose; or add general questions of your own: "
        "--set 'evaluate.probes=[FILE]'. This lists base models:",
        "换一个能力更强的基座，才有足够的题可以判断遗忘；或加入自备的通用题：--set 'evaluate.probes=[FILE]'。列出可选的基座：",
    ),
    # Under the numbers
    "report.drift_how": (
        "KL and loss tell how far the whole model has moved from the base: 0 is not at all. The verdict does not count "
        "them, only answers.",
        "KL 与损失变化说明模型整体偏离基座多远，0 表示完全没有。结论不依据它们，只看回答。",
    ),
    "report.gates_how": (
        "A gate fails where the tuned answers are worse than the base's and also far from the references.",
        "微调后的回答既比基座差、又明显偏离参考答案时，该项检查不通过。",
    ),
    "report.caption.loss": (
        "Loss: how much the right answers of the training rows surprise the model; lower is better. The title has means "
        "over the first and the last tenth of the steps.",
        "损失：训练数据的正确回答让模型有多“意外”，越低越好。标题中是最初与最后十分之一步数的平均值。",
    ),
    "report.split_how": (
        "The model trains on the first part, the checkpoint is chosen by the second, and the verdict rests on the third. "
        "Rows that nearly repeat each other (a cluster) stay on one side, and each part gets its share of every kind.",
        "模型用第一部分训练，用第二部分挑选检查点，结论只依据第三部分。几乎重复的数据（一簇）总在同一侧，各类数据按比例分到每一部分。",
    ),
    # Words
    "report.words": ("The words on this page", "本页用语"),
    "report.word.base": ("Base, tuned", "基座、微调后"),
    "report.meaning.base": (
        "The model as it was before training, and the same model with what training has added to it (the adapter).",
        "训练前的模型，以及加上训练所得部分（适配器）之后的同一个模型。",
    ),
    "report.word.held_out": ("Held-out rows, test items", "未参与训练的数据、测试题"),
    "report.meaning.held_out": (
        "Rows of yours that training never saw. Both models answer them, so they tell what was learnt and not what was "
        "memorised.",
        "你的数据中训练时从未见过的部分。两个模型都来回答，因此反映的是学会了什么，而不是背下了什么。",
    ),
    "report.word.score": ("Score", "得分"),
    "report.meaning.score": (
        "How well an answer agrees with the reference, from 0 to 100 %; each task is judged in its own way, and all tasks "
        "count alike.",
        "回答与参考答案的符合程度，0 到 100%；各任务有各自的评分方法，各任务权重相同。",
    ),
    "report.word.points": ("Points", "百分点"),
    "report.meaning.points": (
        "Percentage points: from 8 % to 49 % is a gain of 41 points.",
        "从 8% 到 49% 就是提升 41 个百分点。",
    ),
    "report.word.interval": ("95 % interval", "95% 区间"),
    "report.meaning.interval": (
        "The true difference lies in it, as far as so many items can tell. Where it holds 0, the difference may be chance.",
        "就这么多题而言，真实的差异落在这个范围内。若区间包含 0，差异可能只是偶然。",
    ),
    "report.word.p": ("p", "p 值"),
    "report.meaning.p": (
        "How often chance alone would give a difference as large; below 0.05 counts as real.",
        "单凭偶然出现这么大差异的概率；小于 0.05 视为真实。",
    ),
    "report.word.control": ("Control", "对照组"),
    "report.meaning.control": (
        "What can be had without training. A gain that does not beat it was not worth the training.",
        "不训练也能得到的结果。胜不过它的提升，不值得训练。",
    ),
    "report.word.general": ("General questions", "通用题"),
    "report.meaning.general": (
        "Short questions that have nothing to do with your rows, asked before and after training: lost is right before "
        "and wrong after, gained the reverse, and the net loss is lost less gained.",
        "与你的数据无关的短题，训练前后各问一次：丢失指原来答对、现在答错，新增则相反；净损失是丢失减去新增。",
    ),
    "report.word.replay": ("Replay", "回放"),
    "report.meaning.replay": (
        "The base's own answers to other questions, mixed into the training so that less is forgotten.",
        "把基座对其他问题的回答混入训练数据，以减少遗忘。",
    ),
    "report.word.checkpoint": ("Step, checkpoint, scale", "步、检查点、缩放"),
    "report.meaning.checkpoint": (
        "A step is one change of the adapter, from one batch of rows. A checkpoint is the adapter as saved after a step. "
        "The scale is the strength it is used at: 1 as trained, 0 is the base.",
        "一步是用一批数据对适配器做一次更新；检查点是某一步之后保存的适配器；缩放是使用它的强度：1 为训练所得，0 即基座。",
    ),
    "report.word.token": ("Token, nat", "token、nat"),
    "report.meaning.token": (
        "A token is a word or a piece of one, as the model reads it. The nat is the unit of surprise in which loss and KL "
        "are counted; 0 is none.",
        "token 是模型读写的单位，一个词或词的一部分。nat 是损失和 KL 的单位，衡量“意外”程度，0 表示没有。",
    ),
}
