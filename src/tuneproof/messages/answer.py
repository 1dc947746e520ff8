"""What the user reads: answers to a file. key -> (English, Chinese). Errors have a `KEY.hint` that says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "answer.folder": ("This is a folder; one file is answered at a time.", "这是一个目录；每次只能回答一个文件。"),
    "answer.folder.hint": ("Name the file with the questions.", "请给出含有问题的文件。"),
    "answer.no_place": ("The answers cannot be written here: {why}.", "回答无法写入此处：{why}。"),
    "answer.no_place.hint": ("Name another file with --out.", "请用 --out 指定另一个文件。"),
    "answer.no_question": (
        "Not one question can be asked. The first of {count} reasons:\n{reasons}\n",
        "没有一个问题可以提问。共 {count} 处原因，最前面的是：\n{reasons}\n",
    ),
    "answer.no_question.hint": ("Correct the lines that are named.", "请修正上面指出的行。"),
    "answer.left_out": (
        "Not answered: {count}. The first reasons:\n{reasons}",
        "未回答：{count} 条。最前面的原因：\n{reasons}",
    ),
    "answer.too_long": (
        "The question has {tokens} tokens; with an answer of {limit} it exceeds the model's context of {context}.",
        "问题有 {tokens} 个 token，加上 {limit} 个 token 的回答，超出了模型的上下文长度 {context}。",
    ),
    "answer.bad_adapter": (
        "The adapter does not fit the run's config or is damaged: {why}.",
        "适配器与该运行的配置不符或已损坏：{why}。",
    ),
    "answer.bad_adapter.hint": (
        "Leave out --set of lora keys; if the file is damaged, remove the folder `adapter` and run `tuneproof resume RUN`.",
        "请不要用 --set 更改 lora 的键；如果文件已损坏，请删除 `adapter` 目录后运行 `tuneproof resume RUN`。",
    ),
}
