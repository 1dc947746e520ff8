"""What the user reads in `tuneproof chat`. key -> (English, Chinese); an error's `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.help.chat": (
        "Talk to base and tuned side by side; keep better answers for the next round.",
        "与基座和微调模型并排对话；把更好的回答存下来供下一轮训练。",
    ),
    "cli.option.corrections": (
        "File that /save appends to; default: RUN-corrections.jsonl in this folder.",
        "/save 追加到的文件；默认为当前目录下的 RUN-corrections.jsonl。",
    ),
    "cli.option.chat_tokens": ("New tokens of an answer at most.", "每个回答最多生成的 token 数。"),
    "chat.hello": (
        "Type a question. /scale 0.5 weakens the adapter, /save keeps a better answer, /help shows all, Ctrl-D ends.",
        "请输入问题。/scale 0.5 减弱适配器，/save 保存更好的回答，/help 查看全部命令，Ctrl-D 结束。",
    ),
    "chat.proven": (
        "Sides proven: with the adapter at 0 the base is itself bit for bit ({base}), the tuned side is another ({tuned}).",
        "已验证两边：适配器强度为 0 时与基座逐位相同（{base}），微调一侧则不同（{tuned}）。",
    ),
    "chat.same": (
        "The adapter changes nothing here: both sides are the base ({base} = {off} = {tuned}).",
        "适配器在此没有任何作用：两边都是基座（{base} = {off} = {tuned}）。",
    ),
    "chat.not_proven": (
        "SIDES NOT PROVEN: with the adapter at 0 the base is not itself ({base}, {off}; tuned {tuned}).",
        "未能验证两边：适配器强度为 0 时与基座不一致（{base}、{off}；微调 {tuned}）。",
    ),
    "chat.command.scale": ("/scale 0.5", "/scale 0.5"),
    "chat.does.scale": (
        "the adapter's scale, 0 (the base) to 2; the tuned side answers the last question again",
        "适配器强度，0（即基座）到 2；微调一侧会重新回答上一个问题",
    ),
    "chat.command.save": ("/save TEXT", "/save 文本"),
    "chat.does.save": (
        "TEXT is the right answer to the last question: a row for the next round, with the conversation before it; "
        "without TEXT the tuned answer was right",
        "“文本”是上一个问题的正确回答：连同之前的对话存为下一轮的一条数据；省略时表示微调一侧答对了",
    ),
    "chat.command.system": ("/system TEXT", "/system 文本"),
    "chat.does.system": (
        "another system prompt, and a new conversation; without TEXT the run's own",
        "更换系统提示并重新开始对话；省略时用该运行自己的",
    ),
    "chat.command.proof": ("/proof", "/proof"),
    "chat.does.proof": ("prove on this conversation which side is which", "用当前对话验证哪一边是哪一边"),
    "chat.command.reset": ("/reset", "/reset"),
    "chat.does.reset": ("forget what was said", "清空对话"),
    "chat.command.help": ("/help", "/help"),
    "chat.does.help": ("this list", "显示本列表"),
    "chat.command.quit": ("/quit", "/quit"),
    "chat.does.quit": ("end; Ctrl-D does too. Ctrl-C ends an answer", "结束，Ctrl-D 亦可；Ctrl-C 中断当前回答"),
    "chat.no_command": ("There is no such command. There are: {names}.", "没有这个命令。可用的有：{names}。"),
    "chat.no_scale": (
        "A scale is a number from 0 to 2, such as /scale 0.5.",
        "强度是 0 到 2 之间的数，例如 /scale 0.5。",
    ),
    "chat.scale_is": ("The tuned side is now {name}.", "微调一侧现在是 {name}。"),
    "chat.nothing_yet": ("Nothing has been asked yet.", "还没有提过问题。"),
    "chat.saved": (
        "Saved. Rows in {file} now: {rows}. When they are enough, the next round:",
        "已保存：{file} 现有 {rows} 条。积累够了就可以开始下一轮：",
    ),
    "chat.reset": ("A new conversation.", "新的对话。"),
    "chat.note": ("{tokens} tokens, {time}", "{tokens} 个 token，{time}"),
    "chat.ending.length": ("cut at --max-new-tokens", "在 --max-new-tokens 处截断"),
    "chat.ending.cancelled": ("stopped", "已中断"),
    "chat.ending.failed": ("failed", "失败"),
    "chat.too_long": (
        "The conversation has {tokens} tokens; the model sees {context} with the answer.",
        "对话已有 {tokens} 个 token，而模型连同回答最多能看 {context} 个。",
    ),
    "chat.too_long.hint": ("Begin anew with /reset.", "请用 /reset 重新开始。"),
    "chat.refused": ("The model's chat template refuses this: {why}.", "模型的对话模板拒绝了它：{why}。"),
    "chat.refused.hint": ("Ask otherwise, or begin anew with /reset.", "请换一种问法，或用 /reset 重新开始。"),
    "chat.no_file": ("The row cannot be written: {why}.", "无法写入该条数据：{why}。"),
    "chat.no_file.hint": ("Name another file with --save.", "请用 --save 指定另一个文件。"),
}
