"""What the user reads: the command line. key -> (English, Chinese). Errors have a `KEY.hint` that says what to do.

`stage.NAME` is the name of a stage beside its bar, `cli.help.COMMAND` one line about a command.
"""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # Stages
    "stage.check": ("Checking the data", "检查数据"),
    "stage.plan": ("Planning", "制定计划"),
    "stage.load": ("Loading the model", "加载模型"),
    "stage.rehearse": ("Rehearsing a step", "试跑一步"),
    "stage.base": ("Measuring the base", "评测基座模型"),
    "stage.replay": ("Making replay", "生成回放数据"),
    "stage.train": ("Training", "训练"),
    "stage.select": ("Choosing a checkpoint", "选择检查点"),
    "stage.tuned": ("Measuring the tuned", "评测微调后的模型"),
    "stage.drift": ("Measuring the drift", "评测偏移量"),
    "stage.blame": ("Weighing the training rows", "比对训练数据"),
    "stage.answer": ("Answering", "回答问题"),
    "stage.verdict": ("Judging", "得出结论"),
    "stage.probe": ("Trying learning rates", "试探学习率"),
    "stage.trials": ("Further runs", "补充运行"),
    "stage.opinion": ("Asking the judge model", "询问评判模型"),
    "stage.harness": ("Running benchmarks", "运行标准评测"),
    "stage.report": ("Writing the report", "撰写报告"),
    "cli.progress.left": ("{time} left", "剩余 {time}"),
    "cli.progress.done": ("{stage}: done in {time}", "{stage}：完成，用时 {time}"),
    "cli.fact.loss": ("loss", "损失"),
    # Help
    "cli.help.tuneproof": (
        "Fine-tune a small chat model on your rows, and prove or refute that it helped.",
        "用自己的数据微调小型对话模型，并用测量证明或否定它确实有用。",
    ),
    "cli.help.examples": ("Examples:", "示例："),
    "cli.help.demo": (
        "The whole chain on the small real model and the rows that come with the package.",
        "用随包附带的小模型和数据走完整个流程。",
    ),
    "cli.help.run": (
        "The whole chain on your rows: check, split, plan, measure, train, choose, measure again, verdict, report. "
        "Run again, it goes on where it stopped.",
        "用你的数据走完整个流程：检查、划分、计划、评测、训练、选择、再评测、结论、报告。再次运行会从中断处继续。",
    ),
    "cli.help.check": ("Look for defects in your rows; nothing is trained.", "检查数据中的缺陷，不做训练。"),
    "cli.help.plan": (
        "What fits into memory, why, and how long it takes; no weights are loaded. Exit code 4 when nothing fits.",
        "算出内存放得下什么、为什么、要多久；不加载权重。放不下时退出码为 4。",
    ),
    "cli.help.train": (
        "Train from a config file, or go on in a run folder; measuring is left to eval.",
        "按配置文件训练，或在运行目录中继续训练；评测交给 eval。",
    ),
    "cli.help.resume": ("Go on with a run that was stopped.", "继续一次中断的运行。"),
    "cli.help.eval": (
        "Measure base and tuned model on the test split and the retention probes.",
        "在测试集和通用题上评测基座与微调后的模型。",
    ),
    "cli.help.compare": (
        "Runs side by side, paired on the items that they share; the first is the reference.",
        "多次运行并排比较，在共同的题目上逐题配对；以第一个为基准。",
    ),
    "cli.help.answer": (
        "Answers of the tuned model, or of the base, to a file of questions, as JSON lines.",
        "用微调后的模型（或基座）回答一个文件里的问题，输出 JSON Lines。",
    ),
    "cli.help.blame": (
        "The training rows that did most to change an answer; a hint where to mend the data.",
        "找出对某个回答的改变影响最大的训练数据，提示该修改哪里。",
    ),
    "cli.help.report": ("Write report.html again from a run folder.", "根据运行目录重新生成 report.html。"),
    "cli.help.doctor": (
        "Versions, device, memory, disk, what is missing and how to get it.",
        "查看版本、设备、内存、磁盘，以及缺少什么、如何补上。",
    ),
    "cli.help.config": ("Every setting: its meaning, bounds and source.", "所有设置：含义、取值范围与来源。"),
    "cli.help.config_schema": ("The JSON Schema of the config, for editors.", "配置的 JSON Schema，供编辑器使用。"),
    "cli.help.config_show": (
        "A config with every key, where its value came from, and what it means; the output is a config file.",
        "列出配置的每个键、值的来源与含义；输出本身就是一份配置文件。",
    ),
    "cli.panel.commands": ("Commands", "命令"),
    "cli.panel.options": ("Options", "选项"),
    "cli.panel.arguments": ("Arguments", "参数"),
    "cli.option.version": ("The version of tuneproof.", "tuneproof 的版本。"),
    "cli.option.help": ("Show this help.", "显示本帮助。"),
    "cli.option.json": (
        "Print one JSON object on stdout, everything else on stderr.",
        "在标准输出上打印一个 JSON 对象，其余内容写到标准错误。",
    ),
    "cli.option.lang": ("Language; default: the locale's.", "语言；默认取系统区域设置。"),
    "cli.option.debug": ("Show the traceback of a user error.", "出错时显示完整的调用栈。"),
    "cli.option.config": ("Config file in YAML; flags and --set beat it.", "YAML 配置文件；命令行选项和 --set 优先。"),
    "cli.option.set": (
        "Set one key of the config, such as train.epochs=2; may be given several times.",
        "设置一个配置键，例如 train.epochs=2；可以多次使用。",
    ),
    "cli.option.data": (
        "Data files or folders: JSONL, JSON, CSV, TSV, Parquet, Excel, each also as .gz; owner/name of a hub; `-` for a pipe.",
        "数据文件或目录：JSONL、JSON、CSV、TSV、Parquet、Excel，也可以是 .gz；hub 上的 owner/name；`-` 表示管道。",
    ),
    "cli.option.model": (
        "Base model: a hub id, a local folder, a GGUF file, or demo; `tuneproof models` lists good first choices.",
        "基座模型：hub 上的名称、本地目录、GGUF 文件或 demo；`tuneproof models` 会列出合适的首选。",
    ),
    "cli.option.trust": (
        "Run the Python code that the model's folder brings along, with all your rights: only code that you have read.",
        "执行模型目录自带的 Python 代码（拥有你的全部权限）：只用于你读过的代码。",
    ),
    "cli.trusting": (
        "Warning: the model's own Python code will run here with all your rights. Pin a hub's model to what you have "
        "read: --set model.revision=COMMIT",
        "警告：模型自带的 Python 代码将在本机以你的全部权限运行。hub 上的模型请固定到你读过的版本：--set model.revision=COMMIT",
    ),
    "cli.option.hub": (
        "Where a model of this name is fetched; default: huggingface, or the mirror in HF_ENDPOINT.",
        "从哪里下载模型；默认 huggingface，或 HF_ENDPOINT 指定的镜像站。",
    ),
    "cli.option.test": ("Your own test rows, instead of a held-out part.", "自备的测试数据，不再从数据中留出。"),
    "cli.option.memory": (
        "Memory that may be used, such as 6GB or 6GiB; default: what the device has free.",
        "可用内存，例如 6GB 或 6GiB；默认取设备的空闲内存。",
    ),
    "cli.option.cards": (
        "Show what cards of 4 to 80 GB would do as well.",
        "同时列出 4 至 80 GB 各档显存的结果。",
    ),
    "cli.option.time": (
        "Time for the whole run, such as 20min or 2h; what is cut to keep it is said.",
        "整个流程的时限，例如 20min 或 2h；为此缩减了什么会说明。",
    ),
    "cli.option.device": ("Where to compute; default: auto.", "计算设备；默认 auto。"),
    "cli.option.out": ("Folder of the run; default: named after data and model.", "运行目录；默认按数据和模型命名。"),
    "cli.option.gate": (
        "Exit code by verdict: 0 ship, 10 don't ship, 11 not enough evidence.",
        "按结论返回退出码：0 可以上线，10 不要上线，11 证据不足。",
    ),
    "cli.option.restart": (
        "Remove the records of the run folder and start over.",
        "删除运行目录中的记录，从头开始。",
    ),
    "cli.option.gpus": (
        "GPUs of this machine to use, a process on each.",
        "使用本机几块 GPU，每块一个进程。",
    ),
    "cli.option.fork": (
        "Where the run folder belongs to another experiment, begin a new run beside it, from its weights.",
        "运行目录属于另一个实验时，在旁边新建运行，从它的权重继续。",
    ),
    "cli.option.run": ("Folder of a run.", "运行目录。"),
    "cli.option.runs": ("Folders of runs, the reference first.", "运行目录，基准放在最前。"),
    "cli.option.questions": (
        "Questions: any file that check reads, answers optional, or a .txt with a question a line.",
        "问题文件：check 能读的任何文件，可以没有回答；也可以是每行一个问题的 .txt。",
    ),
    "cli.option.arm": ("Which model answers; default: tuned.", "由哪个模型回答；默认 tuned。"),
    "cli.option.max_new_tokens": (
        "Longest answer in tokens; default: the longest that the run allowed a test answer.",
        "回答最长多少个 token；默认取该运行允许测试回答的最大长度。",
    ),
    "cli.option.item": (
        "Id of a probe or a test row, as the report has it; lost: every lost answer.",
        "通用题或测试数据的编号，见报告；lost 表示所有丢失的回答。",
    ),
    "cli.option.top": ("Rows to show for each item.", "每道题列出多少条数据。"),
    "cli.option.answers": ("Write the answers to this file instead of stdout.", "把回答写入该文件，不写到标准输出。"),
    "cli.option.source": ("Folder of a run, or a config file.", "运行目录或配置文件。"),
    "cli.option.resolved": ("A config file, or the folder of a run.", "配置文件或运行目录。"),
    # Errors
    "cli.error": ("Error: ", "错误："),
    "cli.bug": (
        "This is a bug in tuneproof, not in your input. Please report it with the lines above, the command as typed, "
        "and what `tuneproof doctor` prints.",
        "这是 tuneproof 自身的缺陷，与你的输入无关。请附上以上内容、所输入的命令和 `tuneproof doctor` 的输出进行反馈。",
    ),
    "cli.stopped": (
        "Stopped before the end: there is no result, and nothing was changed.",
        "在完成之前已停止：没有结果，也没有改动任何内容。",
    ),
    "cli.hub_without_model": (
        "--hub says where a model of a hub is fetched, and none is named by --model.",
        "--hub 说明从哪里下载模型，但 --model 没有给出 hub 上的模型。",
    ),
    "cli.hub_without_model.hint": (
        "Name one: --hub modelscope --model Qwen/Qwen2.5-0.5B-Instruct",
        "请指定一个：--hub modelscope --model Qwen/Qwen2.5-0.5B-Instruct",
    ),
    "cli.bad_size": ("{text} is no size.", "{text} 不是有效的大小。"),
    "cli.bad_size.hint": ("Write it with its unit: 6GB, 6GiB, 6000MB.", "请带上单位：6GB、6GiB、6000MB。"),
    "cli.bad_duration": ("{text} is no duration.", "{text} 不是有效的时长。"),
    "cli.bad_duration.hint": (
        "Write it with its unit: 90s, 20min, 2h, 1h30min.",
        "请带上单位：90s、20min、2h、1h30min。",
    ),
    "cli.no_option": ("There is no such option: {name}.", "没有这个选项：{name}。"),
    "cli.no_option.hint": ("`{path} --help` lists all.", "`{path} --help` 会列出全部选项。"),
    "cli.near_option": ("There is no such option: {name}.", "没有这个选项：{name}。"),
    "cli.near_option.hint": (
        "Did you mean {nearest}? `{path} --help` lists all.",
        "是不是想写 {nearest}？`{path} --help` 会列出全部选项。",
    ),
    "cli.key_option": ("There is no such option: {name}.", "没有这个选项：{name}。"),
    "cli.key_option.hint": (
        "It is a key of the config: `--set {key}=...`; `tuneproof config show` has all of them.",
        "它是一个配置键：`--set {key}=...`；`tuneproof config show` 会列出全部。",
    ),
    "cli.no_value": ("{name} needs a value.", "{name} 后面需要一个值。"),
    "cli.no_value.hint": ("`{path} --help` shows examples.", "`{path} --help` 里有示例。"),
    "cli.no_command": ("There is no such command: {name}.", "没有这个命令：{name}。"),
    "cli.no_command.hint": ("`{path} --help` lists all.", "`{path} --help` 会列出全部命令。"),
    "cli.near_command": ("There is no such command: {name}.", "没有这个命令：{name}。"),
    "cli.near_command.hint": (
        "Did you mean {nearest}? `{path} --help` lists all.",
        "是不是想写 {nearest}？`{path} --help` 会列出全部命令。",
    ),
    "cli.missing": ("{name} is missing.", "缺少 {name}。"),
    "cli.missing.hint": ("`{path} --help` shows examples.", "`{path} --help` 里有示例。"),
    "cli.bad_value": ("This value cannot be used: {why}", "这个值不能用：{why}"),
    "cli.bad_value.hint": ("`{path} --help` lists what can be given.", "`{path} --help` 会列出可用的值。"),
    "cli.usage": ("{why}", "命令行有误：{why}"),
    "cli.usage.hint": ("`{path} --help` shows how it is used.", "`{path} --help` 说明用法。"),
    "cli.settled": (
        "This run has its config already; settings cannot be changed any more.",
        "这次运行的配置已经确定，不能再更改设置。",
    ),
    "cli.settled.hint": (
        "Leave out --set and --out, or train from a config file into another folder.",
        "请去掉 --set 和 --out，或用配置文件训练到另一个目录。",
    ),
    # The loss mask
    "cli.mask.title": (
        "What is trained, on one row: only the text in [[double brackets]].",
        "以一条数据为例，只有 [[双方括号]] 里的文字参与训练：",
    ),
    "cli.mask.counts": (
        "Trained tokens: {trained} of {total} ({share}). The question is read, never learnt.",
        "参与训练的 token：{trained} / {total}（{share}）。问题只读不学。",
    ),
    # Screens
    "cli.more": ("{n} more", "另有 {n} 项"),
    "cli.next": ("Next", "接下来"),
    "cli.took": ("Time", "用时"),
    "cli.train.headline": ("Trained", "训练完成"),
    "cli.train.checkpoints": ("Checkpoints: {place}", "检查点：{place}"),
    "cli.train.rows": ("Rows", "数据条数"),
    "cli.train.replay": ("{n} of them replay", "其中回放 {n} 条"),
    "cli.train.tokens": ("Trained / all tokens", "训练 token / 全部 token"),
    "cli.train.loss": ("Final loss, nats", "最终损失（nat）"),
    "cli.eval.headline": ("Answers, before and after", "训练前后的回答"),
    "cli.eval.suite": ("Suite", "题集"),
    "cli.eval.arm": ("Model", "模型"),
    "cli.eval.n": ("n", "n"),
    "cli.eval.score": ("Score", "得分"),
    "cli.eval.right": ("Right", "答对"),
    "cli.eval.ci95": ("95 % interval", "95% 区间"),
    "cli.eval.cut": ("Cut", "被截断"),
    "cli.suite.test": ("test rows", "测试集"),
    "cli.suite.retention": ("retention probes", "通用题"),
    "cli.run.numbers": ("Measured", "测量结果"),
    "cli.run.scores": ("{gain} ({base} -> {tuned})", "{gain}（{base} -> {tuned}）"),
    "cli.run.evidence": ("95 % interval {interval}, n = {n}, {p}", "95% 区间 {interval}，n = {n}，{p}"),
    "cli.run.control": (
        "{name}: {score}; lead {lead} ({interval})",
        "{name}：{score}；领先 {lead}（{interval}）",
    ),
    "cli.run.forgotten": (
        "{lost} of {right} right answers lost, {gained} gained, of {n} general questions",
        "{n} 道通用题，原来答对的 {right} 题中答错 {lost} 题，另新答对 {gained} 题",
    ),
    "cli.run.net_loss": ("net loss {net}, at most {upper} (95 %)", "净损失 {net}，上界 {upper}（95%）"),
    "cli.run.net_gain": (
        "net gain {net}; a loss above {upper} is ruled out (95 %)",
        "净增加 {net}；损失不会超过 {upper}（95%）",
    ),
    "cli.run.task": ("Task", "任务"),
    "cli.run.n": ("n", "n"),
    "cli.run.gain": ("Gain, points", "提升（百分点）"),
    "cli.run.interval": ("95 % interval", "95% 区间"),
    "cli.run.degenerate": ("failed: {measures}", "未通过：{measures}"),
    "cli.run.needed": ("To settle it", "要得出定论"),
    "cli.run.lost": ("Lost answers, {shown} of {lost}", "丢失的回答（{lost} 题中的 {shown} 题）"),
    "cli.run.report": ("Report, to open in a browser: {place}", "报告（用浏览器打开）：{place}"),
    "cli.run.adapter": ("Adapter: {place}", "适配器：{place}"),
    "cli.run.took": ("Time: {time}", "用时：{time}"),
    "cli.run.item": ("Id", "编号"),
    "cli.run.blame": ("See which training rows cost the lost answers", "查看哪些训练数据导致了丢失的回答"),
    "cli.run.chat": ("Talk to base and tuned side by side", "与基座和微调后的模型并排对话"),
    "cli.run.use": ("Use the adapter in Python", "在 Python 中使用适配器"),
    "cli.report.written": ("The report is written: {path}", "报告已写入：{path}"),
    "cli.config.default": ("default", "默认"),
}
