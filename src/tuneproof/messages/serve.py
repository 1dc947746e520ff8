"""What the user reads: the server and the terminal chat. key -> (English, Chinese); an error's `KEY.hint` says what to do."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.help.serve": (
        "Base and tuned models behind OpenAI's interface, on this machine. They are asked for as `base`, by the run's "
        "name, or as NAME@0.5: its adapter at half strength.",
        "在本机以 OpenAI 接口提供基座与微调模型。模型名为 `base`、运行目录的名字，或 NAME@0.5：适配器强度减半。",
    ),
    "cli.option.serve_runs": ("Folders of finished runs on one base.", "已完成的运行目录，须为同一基座。"),
    "serve.url": ("Answers at", "服务地址"),
    "serve.models": ("Models", "模型名"),
    "serve.scaled": ("{name}@0.5: the adapter at half its strength", "{name}@0.5：适配器强度减半"),
    "serve.access": ("May ask", "谁可以访问"),
    "serve.this_machine": ("this machine only", "仅限本机"),
    "serve.with_token": (
        "who sends the token: `Authorization: Bearer TOKEN`",
        "持有令牌者：`Authorization: Bearer 令牌`",
    ),
    "serve.device": ("Device", "设备"),
    "serve.limits": ("Limits", "上限"),
    "serve.limits_are": (
        "{context} tokens of prompt and answer, {rows} answers side by side",
        "提示与回答合计 {context} 个 token，同时生成 {rows} 个回答",
    ),
    "serve.heavy": (
        "For many users these are faster, and answer from the same adapter:",
        "用户很多时，下列服务更快，用的是同一个适配器：",
    ),
    "serve.stop": ("Ctrl-C ends it; answers under way are finished first.", "按 Ctrl-C 结束；正在生成的回答会先完成。"),
    "serve.stopped": ("Stopped.", "已停止。"),
    "serve.no_packages": ("The package {name} is not installed.", "没有安装 {name}。"),
    "serve.no_packages.hint": ("pip install 'tuneproof[web]'", "pip install 'tuneproof[web]'"),
    "serve.no_token": (
        "Other machines reach {host}, and no token is set: anyone there could ask.",
        "其他机器可以访问 {host}，但没有设置令牌：任何人都能使用。",
    ),
    "serve.no_token.hint": (
        "Set TUNEPROOF_TOKEN (or --token), or leave out --host: then only this machine can ask.",
        "请设置 TUNEPROOF_TOKEN（或 --token）；或者去掉 --host，只允许本机访问。",
    ),
    "serve.bad_token": ("No HTTP header can carry this token.", "该令牌无法放入 HTTP 头。"),
    "serve.bad_token.hint": (
        "Use ASCII letters, digits and signs, without a space at its ends.",
        "请使用 ASCII 字母、数字和符号，首尾不要有空格。",
    ),
    "serve.no_address": ("{host}:{port} cannot be listened on: {why}.", "无法监听 {host}:{port}：{why}。"),
    "serve.no_address.hint": (
        "Choose another --port (0: any that is free), or end what is listening there.",
        "请换一个 --port（0 表示任意空闲端口），或结束占用它的程序。",
    ),
    "serve.bad_name": ("`{name}` cannot be a model name.", "“{name}”不能用作模型名。"),
    "serve.bad_name.hint": (
        "Rename the folder: up to 64 letters, digits, `.`, `_`, `-`; it begins with a letter or digit and is not `base`.",
        "请重命名该目录：最多 64 个字母、数字、`.`、`_`、`-`，以字母或数字开头，且不能是 `base`。",
    ),
    "serve.same_name": ("Two runs are named `{name}`.", "有两个运行目录都叫“{name}”。"),
    "serve.same_name.hint": ("Rename one of the folders.", "请重命名其中一个目录。"),
    "serve.other_base": (
        "This run stands on {base}, the first one ({run}) on {first}, or on another state of it.",
        "该运行的基座是 {base}，而第一个运行（{run}）的基座是 {first}，或同一模型的另一版本。",
    ),
    "serve.other_base.hint": (
        "Serve runs of one base together; start another server for the others.",
        "请只把同一基座的运行放在一起；其余的另起一个服务。",
    ),
    "serve.not_its_base": (
        "The base model on this machine is not the one that the run was trained on ({kept} != {found}).",
        "本机上的基座模型不是该运行训练时所用的那个（{kept} != {found}）。",
    ),
    "serve.not_its_base.hint": (
        "Bring back the model as it was, or run again on the one that is here.",
        "请恢复原来的模型，或在现有模型上重新运行。",
    ),
    "serve.bad_adapter": ("The adapter cannot be served: {why}.", "适配器无法使用：{why}。"),
    "serve.bad_adapter.hint": (
        "If the file is damaged, remove the folder `adapter` and run `tuneproof resume RUN`.",
        "如果文件已损坏，请删除 `adapter` 目录后运行 `tuneproof resume RUN`。",
    ),
    "serve.base_moved": (
        "With the adapters loaded and switched off, the base answers otherwise than before.",
        "加载适配器并将其关闭后，基座的输出与之前不一致。",
    ),
    "serve.base_moved.hint": (
        "Nothing is served, since base and tuned could not be told apart. Please report it with `tuneproof doctor`.",
        "为避免混淆基座与微调模型，服务没有启动。请附上 `tuneproof doctor` 的输出报告此问题。",
    ),
}
